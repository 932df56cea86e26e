// Keeps the part of a page with the id "live" as the server sends it. Without this the page reloads by itself.
"use strict";
{
  const live = document.getElementById("live");
  const state = document.getElementById("live-state");
  const say = (name, text) => {
    state.className = `state ${name}`;
    state.textContent = text;
  };
  const source = new EventSource(live.dataset.source);
  source.addEventListener("open", () => say("good", "Live"));
  source.addEventListener("error", () => {
    const ended = source.readyState === EventSource.CLOSED;
    say("bad", ended ? "Stopped: reload the page" : "No connection, trying again");
  });
  source.addEventListener("board", (event) => {
    const focused = live.contains(document.activeElement) ? document.activeElement.id : "";
    live.innerHTML = event.data;
    if (focused) document.getElementById(focused)?.focus();
    say("good", "Live");
  });
  addEventListener("pagehide", () => source.close());
}
