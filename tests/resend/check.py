#!/usr/bin/env python3
"""Checks the stand-in for Resend with Resend's own library.

    tests/resend/check.py PROGRAM

Sends mails, repeats them with one key, and meets refusals, as a program of Resend's users would. Needs `resend`.
"""

import importlib.metadata
import json
import subprocess
import sys
import time
import urllib.request

MAIL = {
    "from": "Liventix <tickets@example.org>", "to": ["ida@example.org"], "subject": "Hello", "text": "Hello",
    "html": "<p>Hello</p>",
    "attachments": [{"filename": "a.txt", "content": "aGVsbG8=", "content_type": "text/plain", "content_id": "a"}],
    "tags": [{"name": "liventix_email_id", "value": "1"}],
}


def refused(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"it should be refused with {kind}")


def control(url, name, wish):
    body = json.dumps(wish).encode()
    request = urllib.request.Request(f"{url}/_control/{name}", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def fail(url, fault):
    control(url, "fail", fault)


def check_web_hooks(url, mail):
    import resend

    wish = {"mail": mail, "id": "msg_1", "kind": "email.bounced", "at": int(time.time() * 1000),
            "beside": {"bounce": {"message": "no such user", "type": "Permanent", "subType": "General"}}}
    told = control(url, "tell", wish)
    headers = {name: told[name] for name in ("id", "timestamp", "signature")}
    hook = {"payload": told["body"], "headers": headers, "webhook_secret": told["secret"]}
    event = resend.Webhooks.verify(hook)
    assert event["type"] == "email.bounced" and event["data"]["email_id"] == mail
    assert event["data"]["tags"] == {"liventix_email_id": "1"}
    refused(ValueError, lambda: resend.Webhooks.verify({**hook, "payload": told["body"] + " "}))


def check_suppressions(url):
    import resend
    from resend import exceptions

    control(url, "suppress", "ida+x@example.org")
    assert resend.Suppressions.remove("ida+x@example.org")["deleted"]
    refused(exceptions.ResendError, lambda: resend.Suppressions.remove("ida+x@example.org"))


def check(url):
    import resend
    from resend import exceptions

    resend.api_url, resend.api_key = url, "re_1"
    first = resend.Emails.send(MAIL, {"idempotency_key": "email/1"})
    again = resend.Emails.send(MAIL, {"idempotency_key": "email/1"})
    assert first["id"] == again["id"]
    assert resend.Emails.get(first["id"])["subject"] == "Hello"
    other = resend.Emails.send(MAIL, {"idempotency_key": "email/2"})
    assert other["id"] != first["id"]
    changed = refused(exceptions.ResendError,
                      lambda: resend.Emails.send({**MAIL, "subject": "Other"}, {"idempotency_key": "email/1"}))
    assert (int(changed.code), changed.error_type) == (409, "invalid_idempotent_request")
    refused(exceptions.ResendError, lambda: resend.Emails.send({**MAIL, "to": ["nobody"]}))
    check_web_hooks(url, first["id"])
    check_suppressions(url)
    fail(url, {"too_many": 7})
    assert refused(exceptions.RateLimitError, lambda: resend.Emails.send(MAIL)).error_type == "rate_limit_exceeded"
    fail(url, {"fail": 503})
    refused(exceptions.ResendError, lambda: resend.Emails.send(MAIL))
    resend.api_key = "wrong"
    assert int(refused(exceptions.ResendError, lambda: resend.Emails.send(MAIL)).code) == 403
    return importlib.metadata.version("resend")


def main(program):
    stand_in = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        version = check(json.loads(stand_in.stdout.readline())["url"])
    finally:
        stand_in.stdin.close()
        stand_in.wait(timeout=30)
    print(f"The stand-in is Resend to Resend's own library {version}.")


if __name__ == "__main__":
    main(sys.argv[1])
