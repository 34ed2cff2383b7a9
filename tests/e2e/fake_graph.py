"""Plays Meta's side: signs batches of events, takes messages and comments, and fails when told to.

Written from Meta's documentation of the Graph API, not from our client.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fake_twilio import Answer, request
from wait import until

SECRET, VERIFY, TOKEN = "app-secret-of-the-tests", "jeton-de-test", "EAAe2e"
PAGE, NUMBER = "100200300", "106540352242922"


def keys(kind: str, url: str) -> dict[str, str]:
    """The settings of a channel by the names of the environment."""
    account = {"messenger": ("page_id", PAGE), "whatsapp": ("phone_number_id", NUMBER)}[kind]
    pairs = {"app_secret": SECRET, "verify_token": VERIFY, "access_token": TOKEN, "api_url": url, account[0]: account[1]}
    return {f"channels__{kind}__{key}": value for key, value in pairs.items()}


def post(url: str, batch: dict, secret: str = SECRET) -> Answer:
    body = json.dumps(batch).encode()
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return request("POST", url, body, {"Content-Type": "application/json", "X-Hub-Signature-256": signature})


def page(*entries: dict) -> dict:
    return {"object": "page", "entry": [{"id": PAGE, "time": int(time.time() * 1000), **entry} for entry in entries]}


def said(sender: str, mid: str, text: str, **more: object) -> dict:
    return {"sender": {"id": sender}, "recipient": {"id": PAGE}, "timestamp": 1, "message": {"mid": mid, "text": text, **more}}


def whatsapp(**more: object) -> dict:
    value = {"messaging_product": "whatsapp", "metadata": {"display_phone_number": "33900000000", "phone_number_id": NUMBER}, **more}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]}


class FakeGraph:
    """`faults` are taken by the next calls, one each: `accept-then-close`."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict]] = []
        self.faults: list[str] = []
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"graph": self}))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def to(self, address: str) -> list[dict]:
        """The messages to this person; the comments under this comment."""
        with self.lock:
            return [body for path, body in self.calls if address in (body.get("to"), body.get("recipient", {}).get("id"), path.split("/")[0])]

    def reply_to(self, address: str, number: int = 1) -> dict:
        return until(lambda: self.to(address)[number - 1:number], f"message {number} to {address}")[0]


class Handler(BaseHTTPRequestHandler):
    graph: FakeGraph
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.answer(401, {"error": {"code": 190, "message": "Invalid OAuth access token.", "type": "OAuthException"}})
        version, _, path = self.path.removeprefix("/").partition("/")
        assert version.startswith("v"), self.path
        with self.graph.lock:
            fault = self.graph.faults.pop(0) if self.graph.faults else None
            self.graph.calls.append((path, body))
            sent = f"m_{len(self.graph.calls)}"
        if fault == "accept-then-close":
            self.close_connection = True
            return self.connection.close()
        if path == f"{NUMBER}/messages":
            return self.answer(200, {"messaging_product": "whatsapp", "messages": [{"id": f"wamid.{sent}"}]})
        if path.endswith("/comments"):
            return self.answer(200, {"id": f"1_{sent[2:]}"})
        self.answer(200, {"recipient_id": body["recipient"]["id"], "message_id": sent})

    def answer(self, status: int, body: dict) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
