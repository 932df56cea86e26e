#!/usr/bin/env python3
"""Checks every vector in this folder against docs/ticket-code.md, without any Liventix code.

Needs Python 3.8 or newer. Ed25519 needs the `cryptography` package; without it those signatures
are left unchecked, and the last line says so. Exit status 0 only if nothing failed; with --complete,
only if nothing was left unchecked either.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import re
import sys
import unicodedata
import uuid

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519
except ImportError:
    ed25519 = None

HERE = pathlib.Path(__file__).resolve().parent
BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
REASONS = {
    "empty": "not_a_ticket", "too_long": "not_a_ticket", "unknown_version": "unknown_version",
    "unknown_kind": "unknown_version", "unknown_algorithm": "unknown_version",
    "other_event": "other_event", "no_keys": "unknown_key", "unknown_key": "unknown_key",
    "retired_key": "retired_key", "manual_typo": "manual_typo",
}  # every other code: bad_signature

unchecked = 0  # Ed25519 operations that were skipped


class Refused(Exception):
    """A code is no good; the argument is the stable error code."""


# --- section 3: keys and signatures -------------------------------------------------------------

def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def hkdf_extract(salt, material):
    return mac(salt, material)


def hkdf_expand(prk, info, length=32):
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = mac(prk, block + info + bytes([counter]))
        output, counter = output + block, counter + 1
    return output[:length]


def derive(master, purpose, event, key_id=None):
    info = b"liventix/v1/" + purpose.encode() + b"\0" + event.bytes
    if key_id is not None:
        info += bytes([key_id])
    return hkdf_expand(hkdf_extract(b"liventix/v1", master), info)


def live_key(root, ticket, issued):
    return hkdf_expand(root, b"liventix/v1/live-key\0" + ticket + issued)


def ticket_message(header):
    return b"liventix/v1/ticket\0" + header


def live_tag(key, body):
    return mac(key, b"liventix/v1/mint\0" + body)[:16]


def lookup_tag(key, domain, content):
    return base64url(mac(key, domain + b"\0" + content)[:8])


def ed25519_public(seed):
    key = ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def ed25519_good(seed, message, signature):
    """True, False, or None where it cannot be checked."""
    global unchecked
    if int.from_bytes(signature[32:], "little") >= GROUP_ORDER:
        return False
    if ed25519 is None:
        unchecked += 1
        return None
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(ed25519_public(seed)).verify(signature, message)
        return True
    except InvalidSignature:
        return False


# --- section 2: texts ---------------------------------------------------------------------------

def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def base45_encode(data):
    text = ""
    for at in range(0, len(data), 2):
        pair = data[at:at + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            text += BASE45[value % 45]
            value //= 45
    return text


def base45_decode(text):
    """`text` is bytes."""
    if len(text) % 3 == 1:
        raise Refused("bad_text_length")
    data = b""
    for at in range(0, len(text), 3):
        group = text[at:at + 3]
        digits = [BASE45.find(chr(byte)) for byte in group]
        if -1 in digits:
            raise Refused("bad_character")
        value = sum(digit * 45**place for place, digit in enumerate(digits))
        if value >= 256 ** (len(group) - 1):
            raise Refused("bad_group")
        data += value.to_bytes(len(group) - 1, "big")
    return data


WHITE_SPACE = set("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000")
WHITE_SPACE |= {chr(point) for point in range(0x2000, 0x200B)}
INVISIBLE = set("\ufeff\u200b\u200c\u200d\u2060")


def is_noise(character):
    return character in WHITE_SPACE or character in INVISIBLE or unicodedata.category(character) == "Cc"


def strip_noise(text):
    start, end = 0, len(text)
    while start < end and is_noise(text[start]):
        start += 1
    while end > start and is_noise(text[end - 1]):
        end -= 1
    return text[start:end]


def clean(text):
    text = strip_noise(text)
    text = re.sub(r"\A\][A-Za-z][A-Za-z0-9]", "", text)
    text = re.sub(r"\A(?:\\[0-9]{6})+", "", text)
    return strip_noise(text)


def read(text):
    """("code", bytes), ("manual", symbols) or ("other", text)."""
    if len(text.encode()) > 4096:
        raise Refused("too_long")
    text = clean(text)
    if not text:
        raise Refused("empty")
    prefix = re.match(r"(LX|lx)(0|[1-9][0-9]{0,2}):", text, re.ASCII)
    if prefix and int(prefix[2]) <= 255:
        return "code", read_qr(text[prefix.end():].encode(), int(prefix[2]), prefix[1] == "lx")
    if len(text) in (64, 91, 128, 155) and re.fullmatch(r"[EFGH][A-Za-z0-9_-]*", text):
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if base64url(data) != text:
            raise Refused("not_canonical")
        try:
            parse(data)
            return "code", data
        except Refused:
            pass
    symbols = read_manual(text)
    return ("manual", symbols) if symbols else ("other", text)


def read_qr(body, version, lower):
    if version != 1:
        raise Refused("unknown_version")
    if len(body) > 174:
        raise Refused("bad_length")
    if lower:  # swap the cases, so that an upper-case letter becomes a bad character
        body = re.sub(rb"[A-Za-z]", lambda match: match[0].swapcase(), body)
    return base45_decode(body)


# --- section 6: manual codes --------------------------------------------------------------------

def check_symbol(symbols):
    total = 0
    for place, symbol in enumerate(reversed(symbols)):
        value = CROCKFORD.index(symbol)
        total += sum(divmod(2 * value, 32)) if place % 2 == 0 else value
    return CROCKFORD[-total % 32]


def is_separator(character):
    return (character in WHITE_SPACE or character in "-_.\u00ad\u2212"
            or "\u2010" <= character <= "\u2015")


def read_manual(text):
    if len(text.encode()) > 64:
        return None
    symbols = "".join(character for character in text if not is_separator(character))
    symbols = re.sub("[a-z]", lambda match: match[0].upper(), symbols)
    symbols = symbols.translate(str.maketrans("OILU", "011V"))
    if any(symbol not in CROCKFORD for symbol in symbols):
        return None
    if len(symbols) == 12:
        if check_symbol(symbols[:11]) != symbols[11]:
            raise Refused("manual_typo")
        return symbols
    if len(symbols) in (11, 13) and any(map(is_separator, text)):
        raise Refused("manual_typo")
    return None


# --- section 7: legacy codes --------------------------------------------------------------------

UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
ANY_UUID = re.compile(rf"{UUID}|urn:uuid:{UUID}|\{{{UUID}\}}|[0-9a-f]{{32}}", re.IGNORECASE)


def as_uuid(text):
    return str(uuid.UUID(text)) if isinstance(text, str) and ANY_UUID.fullmatch(text) else None


def read_legacy(text):
    text = clean(text)
    ticket, event = as_uuid(text), None
    if ticket is None:
        try:
            fields = json.loads(text)
        except ValueError:
            fields = None
        if isinstance(fields, dict):
            ticket = first_uuid(fields, ["ticket_id", "ticketId", "ticketID", "ticket", "id"])
            event = first_uuid(fields, ["event_id", "eventId", "eventID", "event"])
    return ticket, event, text


def first_uuid(fields, names):
    return next((found for found in (as_uuid(fields.get(name)) for name in names) if found), None)


# --- sections 1 and 4: layout and verification --------------------------------------------------

def seconds(milliseconds, up=False, most=0xFFFFFFFF):
    value = -(-milliseconds // 1000) if up else milliseconds // 1000
    return min(max(value, 0), most)


def make(setup, claims):
    """The bytes of a code from its claims; the Ed25519 signature needs `cryptography`."""
    event = uuid.UUID(setup["event_id"])
    live, is_ed25519 = claims["kind"] == "live", claims["algorithm"] == "ed25519"
    expires = claims["expires_at"]
    issued = seconds(claims["issued_at"]).to_bytes(4, "big")
    ticket = uuid.UUID(claims["ticket_id"]).bytes
    header = bytes([0x10 | is_ed25519 << 2 | live, claims["key_id"]]) + event.bytes[10:] + ticket + issued
    header += (0xFFFFFFFF if expires is None else seconds(expires, True, 0xFFFFFFFE)).to_bytes(4, "big")
    master = bytes.fromhex(setup["master_key"])
    if is_ed25519:
        if ed25519 is None:
            return None
        seed = derive(master, "ticket-ed25519", event, claims["key_id"])
        code = header + ed25519.Ed25519PrivateKey.from_private_bytes(seed).sign(ticket_message(header))
    else:
        code = header + mac(derive(master, "ticket-hmac", event, claims["key_id"]), ticket_message(header))[:16]
    if live:
        code += seconds(claims["minted_at"]).to_bytes(4, "big")
        root = derive(master, "live-root", event, claims["key_id"])
        code += live_tag(live_key(root, ticket, issued), code)
    return code


def parse(data):
    if not data:
        raise Refused("bad_length")
    version, kind, algorithm = data[0] >> 4, data[0] & 3, data[0] >> 2 & 3
    if version != 1:
        raise Refused("unknown_version")
    if kind > 1:
        raise Refused("unknown_kind")
    if algorithm > 1:
        raise Refused("unknown_algorithm")
    end = 32 + (64 if algorithm else 16)
    if len(data) != end + (20 if kind else 0):
        raise Refused("bad_length")
    return kind, algorithm, end


def verify(setup, data, event, earliest):
    kind, algorithm, end = parse(data)
    header, signature = data[:32], data[32:end]
    if data[2:8] != event.bytes[10:]:
        raise Refused("other_event")
    if str(event) != setup["event_id"]:
        raise Refused("no_keys")
    key = next((key for key in setup["keys"] if key["key_id"] == data[1]), None)
    if key is None:
        raise Refused("unknown_key")
    if key["algorithm"] != ("ed25519" if algorithm else "hmac_sha256"):
        raise Refused("wrong_algorithm")
    master = bytes.fromhex(setup["master_key"])
    if algorithm:
        good = ed25519_good(derive(master, "ticket-ed25519", event, data[1]), ticket_message(header), signature)
    else:
        tag = mac(derive(master, "ticket-hmac", event, data[1]), ticket_message(header))[:16]
        good = hmac.compare_digest(tag, signature)
    if good is None:
        return None
    if not good:
        raise Refused("bad_signature")
    if kind:
        root = derive(master, "live-root", event, data[1])
        if not hmac.compare_digest(live_tag(live_key(root, data[8:24], data[24:28]), data[:-16]), data[-16:]):
            raise Refused("bad_live_tag")
    if key["accept_until"] is not None and earliest >= key["accept_until"]:
        raise Refused("retired_key")
    number = lambda at: int.from_bytes(data[at:at + 4], "big")
    return {
        "result": "verified",
        "kind": "live" if kind else "printed",
        "algorithm": key["algorithm"],
        "key_id": data[1],
        "ticket_id": str(uuid.UUID(bytes=data[8:24])),
        "issued_at": number(24) * 1000,
        "expires_at": None if number(28) == 0xFFFFFFFF else number(28) * 1000,
        "minted_at": number(end) * 1000 if kind else None,
    }


# --- the vectors --------------------------------------------------------------------------------

def check_derivation(setup, case):
    master, event = bytes.fromhex(case["master_key"]), uuid.UUID(case["event_id"])
    if case["purpose"] == "live-key":
        root = derive(master, "live-root", event, case["key_id"])
        issued = seconds(case["issued_at"]).to_bytes(4, "big")
        return {"key": live_key(root, uuid.UUID(case["ticket_id"]).bytes, issued).hex()}
    key = derive(master, case["purpose"], event, case["key_id"])
    if case["purpose"] != "ticket-ed25519":
        return {"key": key.hex()}
    return {"public_key": ed25519_public(key).hex()} if ed25519 else None


def check_legacy(setup, case):
    key = derive(bytes.fromhex(setup["master_key"]), "lookup", uuid.UUID(setup["event_id"]))
    ticket, event, text = read_legacy(case["input"])
    tag = lookup_tag(key, b"liventix/v1/legacy", text.encode())
    return {"ticket_id": ticket, "event_id": event, "text": text, "legacy_tag": tag}


def check_text(setup, case):
    try:
        what, content = read(case["input"])
        if what == "code":
            return verify(setup, content, uuid.UUID(case["event_id"]), case["time"]["earliest"])
    except Refused as refused:
        code = str(refused)
        return {"result": "refused", "code": code, "reason": REASONS.get(code, "bad_signature")}
    if what == "other":
        return {"result": "other", "text": content}
    key = derive(bytes.fromhex(setup["master_key"]), "lookup", uuid.UUID(setup["event_id"]))
    tag = lookup_tag(key, b"liventix/v1/manual", content.encode())
    grouped = "-".join(content[at:at + 4] for at in (0, 4, 8))
    return {"result": "manual", "manual_code": grouped, "manual_tag": tag}


def check_made(setup, case):
    """The code's own bytes and both texts, where a case says how it was made."""
    if "make" not in case:
        return []
    data, code = bytes.fromhex(case["bytes"]), make(setup, case["make"])
    checks = {
        "bytes": code is None or code == data,
        "text": "LX1:" + base45_encode(data) == case["input"],
        "base64url": base64url(data) == case["base64url"],
        "base64url reads back": read(case["base64url"]) == ("code", data),
    }
    return [name for name, good in checks.items() if not good]


def main():
    total = failed = 0
    for path in sorted(HERE.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        if "setup" not in document:
            continue  # not a file of ticket code vectors
        check = {"derivation": check_derivation, "legacy": check_legacy}.get(path.stem, check_text)
        for case in document["cases"]:
            total += 1
            found = check(document["setup"], case)
            wrong = check_made(document["setup"], case)
            if found is not None and found != case["expected"]:
                wrong.append(f"expected {case['expected']}, found {found}")
            if wrong:
                failed += 1
                print(f"FAILED {path.name} {case['name']}: {'; '.join(wrong)}")
    note = "" if ed25519 else f"; {unchecked} Ed25519 signatures unchecked: pip install cryptography"
    print(f"{total} vectors, {failed} failed{note}")
    incomplete = "--complete" in sys.argv and not ed25519
    return 1 if failed or total == 0 or incomplete else 0


if __name__ == "__main__":
    sys.exit(main())
