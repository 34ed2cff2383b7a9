"""Another system on the generic HTTP channel: signs what it sends, checks the signature of what it receives."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fake_twilio import Answer, request
from wait import until

SECRET = "a-secret-of-32-characters-or-so!"


def signature(timestamp: str, body: bytes) -> str:
    return "v1=" + hmac.new(SECRET.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def headers(body: bytes, at: float | None = None) -> dict[str, str]:
    timestamp = str(int(time.time() if at is None else at))
    return {"Content-Type": "application/json", "X-Guichet-Timestamp": timestamp, "X-Guichet-Signature": signature(timestamp, body)}


def post(url: str, message: dict) -> Answer:
    body = json.dumps(message).encode()
    return request("POST", url, body, headers(body))


class Peer:
    """Receives replies; what is not signed rightly is refused and remembered."""

    def __init__(self) -> None:
        self.received: list[dict] = []
        self.refused: list[str] = []
        # To these addresses a proxy answers for us: nobody knows whether the reply arrived.
        self.lost: set[str] = set()
        handler = type("Handler", (Handler,), {"peer": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/replies"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def to(self, address: str) -> list[dict]:
        return [reply for reply in list(self.received) if reply.get("to") == address]

    def reply_to(self, address: str) -> dict:
        return until(lambda: self.to(address), f"a reply to {address}")[0]


class Handler(BaseHTTPRequestHandler):
    peer: Peer

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        timestamp = self.headers.get("X-Guichet-Timestamp", "")
        right = hmac.compare_digest(self.headers.get("X-Guichet-Signature", ""), signature(timestamp, body))
        if right and json.loads(body).get("to") in self.peer.lost:
            self.send_response(502)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if right and abs(time.time() - int(timestamp)) < 60:
            self.peer.received.append(json.loads(body))
        else:
            self.peer.refused.append(body.decode())
        self.send_response(204 if right else 403)
        self.send_header("Content-Length", "0")
        self.end_headers()
