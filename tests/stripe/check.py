#!/usr/bin/env python3
"""Checks the stand-in for Stripe with Stripe's own library, so that tests do not rest on our own misunderstanding.

    python3 tests/stripe/check.py target/debug/stripe-stand-in

Pays, declines, repeats, cancels, refunds, disputes and transfers as a program of Stripe's users would, lets the
library classify every failure, and lets it verify signed events. Needs the `stripe` package.
"""

import json
import subprocess
import sys
import urllib.request

import stripe

SECRETS = ["whsec_old", "whsec_new"]


def control(url, command, **wish):
    request = urllib.request.Request(
        f"{url}/_control/{command}", json.dumps(wish).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def refused(kind, call, code=None):
    """What the library makes of the failure."""
    try:
        call()
    except kind as error:
        assert code is None or error.code == code, f"{error.code} instead of {code}"
        return error
    raise AssertionError(f"no {kind.__name__}")


def create(client, key=None, amount=4150, currency="eur", **more):
    wish = {
        "amount": amount,
        "currency": currency,
        "automatic_payment_methods": {"enabled": True},
        "metadata": {"liventix_payment_id": "p1", "liventix_order_id": "o1"},
        **more,
    }
    return client.v1.payment_intents.create(wish, {"idempotency_key": key} if key else {})


def check_payment(client):
    intent = create(client)
    assert (intent.status, intent.amount, intent.currency) == ("requires_payment_method", 4150, "eur")
    assert intent.client_secret.startswith(intent.id + "_secret_") and intent.livemode is False
    error = refused(
        stripe.CardError,
        lambda: client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa_chargeDeclined"}),
        "card_declined",
    )
    assert error.error.decline_code == "generic_decline" and error.error.payment_intent.id == intent.id
    assert client.v1.payment_intents.retrieve(intent.id).last_payment_error.decline_code == "generic_decline"
    paid = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert (paid.status, paid.amount_received) == ("succeeded", 4150)
    charge = client.v1.charges.retrieve(paid.latest_charge)
    assert charge.paid and charge.payment_intent == intent.id
    refused(stripe.InvalidRequestError, lambda: client.v1.payment_intents.cancel(intent.id),
            "payment_intent_unexpected_state")
    refused(stripe.InvalidRequestError, lambda: client.v1.payment_intents.retrieve("pi_none"), "resource_missing")
    refused(stripe.InvalidRequestError, lambda: create(client, amount=1), "amount_too_small")
    refused(stripe.InvalidRequestError, lambda: create(client, amount=5125, currency="kwd"))
    found = client.v1.payment_intents.search({"query": "metadata['liventix_payment_id']:'p1'"})
    assert [it.id for it in found.data] == [intent.id]
    return intent.id


def check_idempotency(client, url):
    first = create(client, "create_payment:o2:1")
    again = create(client, "create_payment:o2:1")
    assert first.id == again.id and again.last_response.headers["idempotent-replayed"] == "true"
    refused(stripe.IdempotencyError, lambda: create(client, "create_payment:o2:1", amount=9999))
    control(url, "fail", on="create_payment", fault="in_progress")
    assert refused(stripe.APIError, lambda: create(client, "create_payment:o3:1")).http_status == 409
    control(url, "fail", on="create_payment", fault={"too_many": 7})
    error = refused(stripe.RateLimitError, lambda: create(client))
    assert error.headers["retry-after"] == "7"
    control(url, "fail", on="create_payment", fault={"fail_kept": 500})
    refused(stripe.APIError, lambda: create(client, "create_payment:o4:1"))
    kept = refused(stripe.APIError, lambda: create(client, "create_payment:o4:1"))
    assert kept.headers["idempotent-replayed"] == "true"
    control(url, "fail", on="create_payment", fault="break_after")
    refused(stripe.APIConnectionError, lambda: create(client, "create_payment:o5:1"))
    # It was done all the same: the same key finds it.
    assert create(client, "create_payment:o5:1").last_response.headers["idempotent-replayed"] == "true"
    control(url, "fail", on="create_payment", fault="hang_before")
    refused(stripe.APIConnectionError, lambda: create(client))


def check_refunds(client, url, intent):
    part = client.v1.refunds.create({"payment_intent": intent, "amount": 1000, "metadata": {"liventix_refund_id": "r1"}})
    assert (part.status, part.amount, part.metadata["liventix_refund_id"]) == ("succeeded", 1000, "r1")
    refused(stripe.InvalidRequestError, lambda: client.v1.refunds.create({"payment_intent": intent, "amount": 3151}))
    control(url, "refund_fails", id=part.id)
    assert client.v1.refunds.retrieve(part.id).status == "failed"
    rest = client.v1.refunds.create({"payment_intent": intent})
    assert rest.amount == 4150
    refused(stripe.InvalidRequestError, lambda: client.v1.refunds.create({"payment_intent": intent}),
            "charge_already_refunded")
    charge = client.v1.charges.retrieve(rest.charge)
    assert charge.refunded and charge.amount_refunded == 4150


def check_disputes(client, url):
    intent = create(client)
    paid = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    dispute = client.v1.disputes.retrieve(control(url, "dispute", id=paid.latest_charge, amount=2000)["id"])
    assert (dispute.status, dispute.amount) == ("needs_response", 2000)
    assert dispute.balance_transactions[0].amount == -2000 and dispute.evidence_details.due_by > dispute.created
    refused(stripe.InvalidRequestError, lambda: client.v1.refunds.create({"payment_intent": intent.id}),
            "charge_disputed")
    control(url, "dispute_ends", id=dispute.id, won=True)
    won = client.v1.disputes.retrieve(dispute.id)
    assert won.status == "won" and sum(it.amount for it in won.balance_transactions) == 0


def check_transfers(client):
    wish = {"amount": 1000, "currency": "eur", "destination": "acct_1", "transfer_group": "payout_1"}
    transfer = client.v1.transfers.create(wish)
    assert (transfer.amount, transfer.destination) == (1000, "acct_1")
    refused(stripe.InvalidRequestError, lambda: client.v1.transfers.create({**wish, "amount": 100_000_000}),
            "balance_insufficient")
    assert [it.id for it in client.v1.transfers.list({"transfer_group": "payout_1"}).data] == [transfer.id]
    assert client.v1.transfers.list({"transfer_group": "payout_2"}).data == []
    back = client.v1.transfers.reversals.create(transfer.id, {"amount": 400})
    assert (back.amount, back.transfer) == (400, transfer.id)
    part = client.v1.transfers.retrieve(transfer.id)
    assert (part.amount_reversed, part.reversed) == (400, False)
    refused(stripe.InvalidRequestError, lambda: client.v1.transfers.reversals.create(transfer.id, {"amount": 601}))
    client.v1.transfers.reversals.create(transfer.id)
    assert client.v1.transfers.retrieve(transfer.id).reversed
    refused(stripe.InvalidRequestError, lambda: client.v1.transfers.create(
        {"amount": 1, "currency": "eur", "destination": "nobody"}))


def check_events(client, url):
    event = next(it for it in client.v1.events.list().data if it.type == "payment_intent.succeeded")
    signed = control(url, "sign", event=event.to_dict(), secrets=SECRETS)
    for secret in SECRETS:
        verified = stripe.Webhook.construct_event(signed["body"], signed["signature"], secret)
        assert verified.data.object.status == "succeeded" and verified.api_version == stripe.api_version
    for body, secret in [(signed["body"] + " ", SECRETS[0]), (signed["body"], "whsec_other")]:
        refused(stripe.SignatureVerificationError,
                lambda: stripe.Webhook.construct_event(body, signed["signature"], secret))


def main(program):
    stand_in = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        url = json.loads(stand_in.stdout.readline())["url"]
        client = stripe.StripeClient(
            "sk_test_1", base_addresses={"api": url}, max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=2),
        )
        stranger = stripe.StripeClient("nobody", base_addresses={"api": url}, max_network_retries=0)
        refused(stripe.AuthenticationError, lambda: create(stranger))
        intent = check_payment(client)
        check_idempotency(client, url)
        check_refunds(client, url, intent)
        check_disputes(client, url)
        check_transfers(client)
        check_events(client, url)
    finally:
        stand_in.stdin.close()
        stand_in.wait(timeout=30)
    print(f"The stand-in is Stripe's API {stripe.api_version} to Stripe's own library {stripe.VERSION}.")


if __name__ == "__main__":
    main(sys.argv[1])
