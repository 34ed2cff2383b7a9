"""A system that Guichet tells what happens: checks what is signed, and fails when it is told to."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    def __init__(self) -> None:
        self.secret = ""
        # Answered with this status.
        self.status = 200
        self.tries: list[dict] = []
        self.accepted: list[dict] = []
        self.forged: list[str] = []
        handler = type("Handler", (Handler,), {"receiver": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.host}/guichet"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def signature(self, timestamp: str, body: bytes) -> str:
        return "v1=" + hmac.new(self.secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()

    def of(self, conversation: str) -> list[dict]:
        """What a receiver that remembers ids has of a conversation, in the order of its coming."""
        once = {event["id"]: event for event in reversed(self.accepted) if event["conversation"]["id"] == conversation}
        return list(reversed(once.values()))

    def types(self, conversation: str) -> list[str]:
        return [event["type"].removeprefix("conversation.") for event in self.of(conversation)]


class Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        receiver = self.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        timestamp = self.headers.get("X-Guichet-Timestamp", "0")
        right = hmac.compare_digest(self.headers.get("X-Guichet-Signature", ""), receiver.signature(timestamp, body))
        status = receiver.status
        if right and abs(time.time() - int(timestamp)) < 60:
            receiver.tries.append(json.loads(body))
            if status == 200:
                receiver.accepted.append(json.loads(body))
        else:
            receiver.forged.append(body.decode(errors="replace"))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
