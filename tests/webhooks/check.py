#!/usr/bin/env python3
"""Checks the web hook of alerts with the library of Standard Webhooks, as somebody who receives it would.

    python3 tests/webhooks/check.py target/debug/liventix

Starts the server with a receiver as its web hook, asks for a test message, and verifies what arrives. Needs the
`standardwebhooks` package. Exit status 0 only if the message is genuine and a changed one is not.
"""

import http.server
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import urllib.request

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

SECRET = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="
ADMIN = "admin-token-of-the-tests-0123456789abcdef"
PATIENCE_S = 60

received = queue.Queue()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        received.put(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def address_of(server):
    """Where it listens, by its log."""
    for line in server.stderr:
        fields = json.loads(line)["fields"]
        if "address" in fields:
            # Somebody has to read on, or the server waits with its next line.
            threading.Thread(target=lambda: server.stderr.read(), daemon=True).start()
            return fields["address"]
    sys.exit("the server did not start")


def is_genuine(headers, body):
    try:
        return Webhook(SECRET).verify(body, headers)["type"] == "test"
    except WebhookVerificationError:
        return False


def main(program):
    receiver = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    settings = {
        "LIVENTIX_ADMIN_TOKEN": ADMIN,
        "LIVENTIX_ALERT_WEBHOOK_URL": f"http://127.0.0.1:{receiver.server_port}/hook",
        "LIVENTIX_ALERT_WEBHOOK_SECRET": SECRET,
    }
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "serve", "--bind", "127.0.0.1:0", "--log-json", "--data-dir", folder]
        server = subprocess.Popen(command, env={**os.environ, **settings}, stderr=subprocess.PIPE, text=True)
        try:
            url = f"http://{address_of(server)}/v1/admin/alert-channels/test"
            request = urllib.request.Request(url, b"", {"authorization": f"Bearer {ADMIN}"}, method="POST")
            urllib.request.urlopen(request, timeout=PATIENCE_S)
            headers, body = received.get(timeout=PATIENCE_S)
        finally:
            server.terminate()
            server.wait()
    changed = {**headers, "webhook-id": "another"}
    verdicts = {"as it came": is_genuine(headers, body), "with another id": is_genuine(changed, body),
                "with another body": is_genuine(headers, body.replace(b"notice", b"Notice"))}
    print(f"web hook: {verdicts}")
    return 0 if list(verdicts.values()) == [True, False, False] else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
