"""What is unsigned, forged, replayed, too large, cut off or not text is refused with a reason, logged without its
content, and leaves nothing behind."""

import json
import socket
import time
import urllib.parse

import pytest

import fake_twilio
import peer
from fake_twilio import request, sms

MARK = "MARQUE-SECRETE"
FORM = "application/x-www-form-urlencoded"


def twilio_headers(url, form, content_type=FORM, **more):
    return {"X-Twilio-Signature": fake_twilio.sign(url, form), "Content-Type": content_type, **more}


def cases(server):
    """Name: (status, kind of problem, method, path, body, headers)."""
    twilio, http = "/webhooks/twilio", "/webhooks/http"
    form = sms("SMbad", "+33633000000", MARK)
    body = urllib.parse.urlencode(form).encode()
    good = twilio_headers(server.url + twilio, form)
    message = json.dumps({"id": "bad", "from": "bad", "text": MARK}).encode()
    large = b"Body=" + MARK.encode() * 30_000
    no_sid = {key: value for key, value in form.items() if key != "MessageSid"}
    latin = json.dumps({"id": "bad", "from": "bad", "text": f"{MARK} é"}, ensure_ascii=False).encode("latin-1")
    signed = peer.headers(message)
    return {
        "twilio unsigned": (401, "unsigned", "POST", twilio, body, {"Content-Type": FORM}),
        "twilio signed with another token": (403, "bad-signature", "POST", twilio, body, {**good, "X-Twilio-Signature": "A" * 27 + "="}),
        "twilio signature that is no base64": (403, "bad-signature", "POST", twilio, body, {**good, "X-Twilio-Signature": "?"}),
        "twilio signed for another URL": (403, "bad-signature", "POST", twilio, body, twilio_headers("http://elsewhere/webhooks/twilio", form)),
        "twilio changed after signing": (403, "bad-signature", "POST", twilio, body.replace(b"%2B33633000000", b"%2B33633000009"), good),
        "twilio cut off": (403, "bad-signature", "POST", twilio, body[: len(body) // 2], good),
        "twilio signed, for a query it does not have": (403, "bad-signature", "POST", twilio + "?x=1", body, good),
        "twilio too large": (413, None, "POST", twilio, large, good),
        "twilio not UTF-8": (400, "malformed", "POST", twilio, b"Body=%FF%FE&MessageSid=SMbad&From=%2B33633000000", good),
        "twilio bare bytes": (400, "malformed", "POST", twilio, b"Body=\xff\xfe&MessageSid=SMbad", good),
        "twilio as JSON": (415, "content-type", "POST", twilio, message, {**good, "Content-Type": "application/json"}),
        "twilio without content type": (415, "content-type", "POST", twilio, body, {**good, "Content-Type": ""}),
        "twilio without MessageSid": (400, "malformed", "POST", twilio, urllib.parse.urlencode(no_sid).encode(), twilio_headers(server.url + twilio, no_sid)),
        "twilio asked with GET": (405, "method", "GET", twilio, None, good),
        "http unsigned": (401, "unsigned", "POST", http, message, {"Content-Type": "application/json"}),
        "http wrong signature": (403, "bad-signature", "POST", http, message, {**signed, "X-Guichet-Signature": "v1=" + "0" * 64}),
        "http signature of another version": (403, "bad-signature", "POST", http, message, {**signed, "X-Guichet-Signature": "v9=" + "0" * 64}),
        "http signed for another time": (403, "bad-signature", "POST", http, message, {**signed, "X-Guichet-Timestamp": "1"}),
        "http too old": (401, "stale", "POST", http, message, peer.headers(message, at=time.time() - 3600)),
        "http from the future": (401, "stale", "POST", http, message, peer.headers(message, at=time.time() + 3600)),
        "http too large": (413, None, "POST", http, b'{"text": "' + MARK.encode() * 30_000, signed),
        "http cut off": (400, "malformed", "POST", http, message[:-4], peer.headers(message[:-4])),
        "http empty": (400, "malformed", "POST", http, b"", peer.headers(b"")),
        "http not UTF-8": (400, "malformed", "POST", http, latin, peer.headers(latin)),
        "http nested a thousand deep": (400, "malformed", "POST", http, b"[" * 1000, peer.headers(b"[" * 1000)),
        "http as text": (415, "content-type", "POST", http, message, {**signed, "Content-Type": "text/plain"}),
        "unknown channel": (404, "not-found", "POST", "/webhooks/telegraph", message, signed),
        "unknown tail": (404, "not-found", "POST", http + "/unknown", message, signed),
        "the web chat has no webhook": (404, "not-found", "POST", "/webhooks/webchat", message, signed),
    }


NAMES = list(cases(type("Any", (), {"url": "http://any"})()))


@pytest.mark.parametrize("name", NAMES)
def test_bad_input_is_refused_and_leaves_nothing(server, name):
    status, kind, method, path, body, headers = cases(server)[name]
    before = server.stored()
    answer = request(method, server.url + path, body, {key: value for key, value in headers.items() if value})
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail"} <= problem.keys() and problem["status"] == status
    if kind:
        assert problem["type"].endswith(kind), problem
    assert MARK not in answer.body.decode()
    assert server.stored() == before
    assert MARK not in server.log(), "logged with its content"


def test_a_replayed_request_is_refused(server):
    body = json.dumps({"id": "replayed", "from": "replayer", "text": "bonjour"}).encode()
    headers = peer.headers(body)
    assert request("POST", f"{server.url}/webhooks/http", body, headers).status == 200
    before = server.stored()
    again = request("POST", f"{server.url}/webhooks/http", body, headers)
    assert again.status == 409 and again.json()["type"].endswith("replayed")
    after = server.stored()
    assert (after["messages"], after["contacts"], after["nonces"]) >= (before["messages"], before["contacts"], before["nonces"])
    assert server.rows("SELECT COUNT(*) AS n FROM messages WHERE provider_id = 'replayed'") == [[1]]


def test_a_connection_that_breaks_off_leaves_nothing(server):
    before = server.stored()
    form = urllib.parse.urlencode(sms("SMbroken", "+33633000001", MARK)).encode()
    host, port = urllib.parse.urlsplit(server.url).netloc.split(":")
    for sent in (form[:20], b"", form):
        head = f"POST /webhooks/twilio HTTP/1.1\r\nHost: {host}\r\nContent-Type: {FORM}\r\nContent-Length: {len(form) + 10}\r\n\r\n"
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head.encode() + sent)
    assert server.stored() == before
    assert server.health()["status"] in ("ok", "degraded")


def test_the_log_says_that_something_was_refused(server):
    assert "webhook refused" in server.log()
