#!/usr/bin/env python3
"""Checks the stand-in for Resend with Resend's own library.

    tests/resend/check.py PROGRAM

Sends mails, repeats them with one key, and meets refusals, as a program of Resend's users would. Needs `resend`.
"""

import importlib.metadata
import json
import subprocess
import sys
import urllib.request

MAIL = {
    "from": "Liventix <tickets@example.org>", "to": ["ida@example.org"], "subject": "Hello", "text": "Hello",
    "html": "<p>Hello</p>",
    "attachments": [{"filename": "a.txt", "content": "aGVsbG8=", "content_type": "text/plain", "content_id": "a"}],
}


def refused(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"it should be refused with {kind}")


def fail(url, fault):
    body = json.dumps(fault).encode()
    request = urllib.request.Request(f"{url}/_control/fail", body, {"content-type": "application/json"})
    urllib.request.urlopen(request).close()


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
