// Fetches newer figures when somebody comes back to a page whose figures are old. Without this the page stays as it is.
"use strict";
{
  const OLD = 10 * 60 * 1000;
  const box = document.getElementById("figures");
  const state = document.getElementById("figures-state");
  const say = (name, text) => {
    state.className = `state ${name}`;
    state.textContent = text;
  };
  let fetched = Date.now();
  let busy = false;
  const age = () => Number(box.firstElementChild.dataset.age) + Date.now() - fetched;
  const fetchNewer = async () => {
    busy = true;
    say("warn", "Fetching newer figures");
    try {
      const response = await fetch(box.dataset.source, { credentials: "same-origin", redirect: "error" });
      if (!response.ok) throw new Error(response.statusText);
      const folded = [...box.querySelectorAll("details")].map((it) => it.open);
      box.innerHTML = await response.text();
      box.querySelectorAll("details").forEach((it, place) => (it.open = folded[place] ?? false));
      fetched = Date.now();
      say("good", "Up to date");
    } catch {
      say("bad", "Newer figures cannot be fetched now. These are the last ones.");
    }
    busy = false;
  };
  const look = () => {
    if (!busy && document.visibilityState === "visible" && age() > OLD) fetchNewer();
  };
  addEventListener("focus", look);
  document.addEventListener("visibilitychange", look);
}
