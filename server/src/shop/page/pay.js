// Shows Stripe's own form, in which the card is typed, and sends the buyer back to this page afterwards.
"use strict";

const form = document.getElementById("pay");
const script = document.getElementById("stripe-js");
const wrong = document.getElementById("pay-wrong");
const button = document.getElementById("pay-button");

function say(text) {
  wrong.textContent = text;
  wrong.hidden = false;
}

function start() {
  const stripe = window.Stripe(form.dataset.key);
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const elements = stripe.elements({
    clientSecret: form.dataset.secret,
    appearance: { theme: dark ? "night" : "stripe" },
  });
  elements.create("payment").mount("#payment");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    wrong.hidden = true;
    const back = window.location.origin + window.location.pathname;
    const { error } = await stripe.confirmPayment({ elements, confirmParams: { return_url: back } });
    // Whoever is here still has not paid.
    say(error.message || "The payment did not work. Nothing was charged: try again.");
    button.disabled = false;
  });
}

if (window.Stripe) {
  start();
} else {
  script.addEventListener("load", start);
  script.addEventListener("error", () => {
    button.disabled = true;
    say("Stripe cannot be reached. Nothing was charged: load this page again in a moment.");
  });
}
