#!/usr/bin/env python3
"""Checks the stand-ins for the push services with the libraries of those who use them.

    tests/push/check.py PROGRAM

Google's with its own Admin SDK, signing in as its service account; Apple's, which has no library for servers, with aioapns.
Needs `firebase-admin` and `aioapns`.
"""

import asyncio
import importlib.metadata
import json
import ssl
import subprocess
import sys
import urllib.request
import uuid
import warnings

APNS_TOKEN = "0a" * 32
FCM_TOKEN = "fT3x0000001:APA91b" + "Zz0_-" * 27
FID = "eH0fLhuiRj2Np7UQ-opXAm"
PAYLOAD = json.dumps({"message_id": "1", "kind": "test"})


def refused(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"it should be refused with {kind}")


def control(about, name, wish=None):
    body = None if wish is None else json.dumps(wish).encode()
    request = urllib.request.Request(f"{about['fcm_url']}/_control/{name}", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def judge(about, token, verdict):
    control(about, "judge", {"token": token, "verdict": verdict})


def check_fcm(about):
    import firebase_admin
    from firebase_admin import credentials, exceptions, messaging

    # Registration tokens are what apps have still.
    warnings.filterwarnings("ignore", "Message.token is deprecated", DeprecationWarning)
    # The one place where the SDK says where the service is; signing in is where the account's file says.
    messaging._MessagingService.FCM_URL = about["fcm_url"] + "/v1/projects/{0}/messages:send"
    app = firebase_admin.initialize_app(credentials.Certificate(about["account_file"]))

    def message(**more):
        return messaging.Message(
            notification=messaging.Notification(title="Harbour Lights", body="The last boat goes at two."),
            data={"liventix": PAYLOAD},
            android=messaging.AndroidConfig(
                priority="high", ttl=3600, notification=messaging.AndroidNotification(tag="m-1")),
            apns=messaging.APNSConfig(
                headers={"apns-collapse-id": "m-1"},
                payload=messaging.APNSPayload(messaging.Aps(mutable_content=True, thread_id="t"))),
            **(more or {"token": FCM_TOKEN}))

    name = messaging.send(message())
    assert name.startswith(f"projects/{app.project_id}/messages/"), name
    taken = control(about, "taken")[-1]
    assert (taken["service"], taken["token"], taken["collapse_id"]) == ("fcm", FCM_TOKEN, "m-1"), taken
    assert (taken["title"], taken["payload"]) == ("Harbour Lights", PAYLOAD)
    # It retries by itself what is to be retried, and knows each error by its name.
    control(about, "fail", {"fail": 503})
    messaging.send(message())
    for verdict, kind in [
        ({"unregistered": 1}, messaging.UnregisteredError),
        ("other_app", messaging.SenderIdMismatchError),
        ("too_many", messaging.QuotaExceededError),
        ("bad", exceptions.InvalidArgumentError),
    ]:
        judge(about, FCM_TOKEN, verdict)
        refused(kind, lambda: messaging.send(message()))
    judge(about, FCM_TOKEN, None)
    messaging.send(message())
    refused(exceptions.InvalidArgumentError, lambda: messaging.send(message(token="nonsense")))
    # By its installation id; and with a token that is no longer good, for which the SDK signs in again.
    messaging.send(message(fid=FID))
    assert control(about, "taken")[-1]["token"] == FID
    control(about, "fail", {"fail": 401})
    messaging.send(message())
    return importlib.metadata.version("firebase-admin")


async def check_apns(about):
    from aioapns import APNs, NotificationRequest, PushType
    from aioapns.connection import APNsProductionClientProtocol

    host, port = about["apns_url"].removeprefix("https://").split(":")
    APNsProductionClientProtocol.APNS_SERVER, APNsProductionClientProtocol.APNS_PORT = host, int(port)
    trust = ssl.create_default_context(cafile=about["ca_file"])
    trust.set_alpn_protocols(["h2"])

    async def expected(_request, _said):
        pass

    def client(**otherwise):
        with open(about["apns_key_file"], encoding="ascii") as key:
            settings = {"key": key.read(), "key_id": about["key_id"], "team_id": about["team_id"],
                        "topic": about["topic"], "ssl_context": trust, "max_connections": 1,
                        "err_func": expected}
        return APNs(**{**settings, **otherwise})

    def request(body=None, **more):
        alert = {"title": "Harbour Lights", "body": "The last boat goes at two."}
        wish = {"device_token": APNS_TOKEN, "message": body or {"aps": {"alert": alert}, "liventix": PAYLOAD},
                "notification_id": str(uuid.uuid4()), "priority": 10, "push_type": PushType.ALERT,
                "collapse_key": "m-1"}
        return NotificationRequest(**{**wish, **more})

    apns = client()

    async def says(status, reason, **more):
        said = await apns.send_notification(request(**more))
        assert (said.status, said.description) == (status, reason), (said.status, said.description)

    sent = request()
    said = await apns.send_notification(sent)
    assert said.is_successful and said.notification_id == sent.notification_id, said.description
    taken = control(about, "taken")[-1]
    assert (taken["service"], taken["token"], taken["collapse_id"]) == ("apns", APNS_TOKEN, "m-1"), taken
    # A few at once, over one connection.
    many = await asyncio.gather(*(apns.send_notification(request()) for _ in range(50)))
    assert all(one.is_successful for one in many)
    await says("400", "BadDeviceToken", device_token="abc")
    await says("400", "BadCollapseId", collapse_key="x" * 65)
    await says("413", "PayloadTooLarge", body={"aps": {"alert": "x" * 4_097}})
    for verdict, status, reason in [
        ({"unregistered": 1}, "410", "Unregistered"),
        ("bad", "400", "BadDeviceToken"),
        ("other_app", "400", "DeviceTokenNotForTopic"),
        ("too_many", "429", "TooManyRequests"),
    ]:
        judge(about, APNS_TOKEN, verdict)
        await says(status, reason)
    judge(about, APNS_TOKEN, None)
    control(about, "fail", {"fail": 503})
    await says("503", "ServiceUnavailable")
    for otherwise, status, reason in [
        ({"team_id": "OTHER12345"}, "403", "InvalidProviderToken"),
        ({"key_id": "OTHER12345"}, "403", "InvalidProviderToken"),
        ({"topic": "org.example.other"}, "400", "TopicDisallowed"),
    ]:
        said = await client(**otherwise).send_notification(request())
        # A token of its own each time: Apple wants one kept for twenty minutes.
        known = {(status, reason), ("429", "TooManyProviderTokenUpdates")}
        assert (said.status, said.description) in known, (said.status, said.description)
    return importlib.metadata.version("aioapns")


def main(program):
    stand_in = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        about = json.loads(stand_in.stdout.readline())
        google, apple = check_fcm(about), asyncio.run(check_apns(about))
    finally:
        stand_in.stdin.close()
        stand_in.wait(timeout=30)
    print(f"The stand-ins are Google's service to its own SDK {google}, and Apple's to aioapns {apple}.")


if __name__ == "__main__":
    main(sys.argv[1])
