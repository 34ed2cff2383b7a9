"""Providers that are configured and not coded: the shipped mappings against calls as their providers' documentation shows them."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fake_twilio import request
from guichet_server import ROOT
from wait import until

SECRET = "signature-secret-of-the-tests"


class Provider:
    """Answers every send with what a provider answers, and keeps the fields."""

    def __init__(self, answer) -> None:
        self.sent: list[dict[str, str]] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                fields = dict(urllib.parse.parse_qsl(body or urllib.parse.urlsplit(self.path).query))
                provider.sent.append(fields)
                text = json.dumps(answer(len(provider.sent))).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def reply(self, number: int = 1) -> dict[str, str]:
        return until(lambda: self.sent[number - 1:number], f"send {number}")[0]


@pytest.fixture
def mapped(start_server, tmp_path):
    """A server with a shipped mapping whose provider is ours."""

    def start(name: str, host: str, provider: Provider, **settings: str):
        text = (ROOT / "channels" / f"{name}.yaml").read_text()
        assert host in text
        file = tmp_path / f"{name}.yaml"
        file.write_text(text.replace(host, provider.url))
        keys = {"kind": "mapped", "mapping": str(file), **settings}
        return start_server(**{f"channels__{name}__{key}": value for key, value in keys.items()})

    return start


def delivered(server, name: str) -> bool:
    return server.rows(f"SELECT status FROM messages WHERE channel = '{name}' AND direction = 'outbound'") == [["delivered"]]


def test_vonage(mapped):
    vonage = Provider(lambda n: {"message-count": "1", "messages": [{"to": "33644000001", "message-id": f"v{n}", "status": "0"}]})
    server = mapped("vonage", "https://rest.nexmo.com", vonage, api_key="key", api_secret="secret", signature_secret=SECRET, **{"from": "33900000000"})

    def post(tail: str, fields: dict[str, str], secret: str = SECRET) -> int:
        fields = {**fields, "timestamp": str(int(time.time())), "nonce": "n"}
        signed = "".join(f"&{key}={value.replace('&', '_').replace('=', '_')}" for key, value in sorted(fields.items()))
        fields["sig"] = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest().upper()
        return request("POST", f"{server.url}/webhooks/vonage{tail}", json.dumps(fields).encode(), {"Content-Type": "application/json"}).status

    message = {"msisdn": "33644000001", "to": "33900000000", "messageId": "in1", "text": "merci & à = bientôt", "type": "text", "keyword": "MERCI"}
    assert post("", message, "another secret") == 403
    assert post("", message) == 200
    assert post("", message) == 200, "delivered twice, stored once"
    reply = vonage.reply()
    assert (reply["to"], reply["from"], reply["api_key"]) == ("33644000001", "33900000000", "key") and reply["text"]
    assert server.rows("SELECT text FROM messages WHERE channel = 'vonage' AND direction = 'inbound'") == [["merci & à = bientôt"]]
    until(lambda: server.rows("SELECT provider_id FROM messages WHERE channel = 'vonage' AND direction = 'outbound'") == [["v1"]], "it is sent")
    assert post("/status", {"messageId": "v1", "status": "delivered", "err-code": "0", "client-ref": reply["client-ref"]}) == 200
    assert delivered(server, "vonage")
    assert len(vonage.sent) == 1


def test_ovh_which_calls_by_get(mapped):
    ovh = Provider(lambda n: {"status": 100, "creditLeft": "10", "SmsIds": [f"{n}"]})
    server = mapped("ovh", "https://www.ovh.com", ovh, account="sms-ab1-1", login="login", password="secret", token="token-of-the-tests")

    def get(tail: str, **fields: str) -> int:
        return request("GET", f"{server.url}/webhooks/ovh{tail}?{urllib.parse.urlencode(fields)}").status

    message = {"id": "7", "senderid": "33644000002", "message": "merci à vous"}
    assert get("", **message) == 401
    assert get("", token="another", **message) == 403
    assert get("", token="token-of-the-tests", **message) == 200
    reply = ovh.reply()
    assert (reply["to"], reply["account"], reply["noStop"]) == ("+33644000002", "sms-ab1-1", "1") and reply["message"]
    until(lambda: server.rows("SELECT provider_id FROM messages WHERE channel = 'ovh' AND direction = 'outbound'") == [["1"]], "it is sent")
    assert get("/status", token="token-of-the-tests", id="1", ptt="4", description="1", descriptionDlr="Success") == 200
    assert delivered(server, "ovh")
