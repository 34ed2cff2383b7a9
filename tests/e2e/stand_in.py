"""What the stand-ins of networks have in common: a web server that keeps what it is asked and fails when told to."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from wait import until


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict:
        """The body, whichever way it is written: ours is JSON, some clients send forms."""
        if "json" in self.headers.get("content-type", ""):
            return json.loads(self.body)
        return {name: values[0] for name, values in urllib.parse.parse_qs(self.body.decode()).items()}


@dataclass
class Told:
    """An answer; `body` None is an empty one."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


class StandIn:
    """`faults` are taken by the next calls that write, one each: a status, or `accept-then-close`."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: list[int | str] = []
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"stand_in": self}))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def writes(self, asked: Asked) -> bool:
        """Does it publish something? Only such calls take faults."""
        return asked.method == "POST"

    def answer(self, asked: Asked) -> Told:
        raise NotImplementedError

    def published(self, look: Callable[[], list], number: int) -> object:
        """The so manieth of what `look` finds, once it is there."""
        return until(lambda: look()[number - 1:number], f"number {number} of what is published")[0]


class Handler(BaseHTTPRequestHandler):
    stand_in: StandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def handle_one(self) -> None:
        address = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, address.path, urllib.parse.parse_qs(address.query), headers, body)
        with self.stand_in.lock:
            self.stand_in.asked.append(asked)
            fault = self.stand_in.faults.pop(0) if self.stand_in.faults and self.stand_in.writes(asked) else None
            told = Told(fault, {"error": "told to fail"}) if isinstance(fault, int) else self.stand_in.answer(asked)
        if fault == "accept-then-close":
            self.close_connection = True
            return self.connection.close()
        text = b"" if told.body is None else json.dumps(told.body).encode()
        self.send_response(told.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        for name, value in told.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = handle_one
