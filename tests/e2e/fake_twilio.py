"""Plays Twilio's side: accepts messages, lists them, calls back, and fails when told to.

Written from Twilio's documentation of the Messages resource, not from our client. Signatures are made by the `twilio`
package, so that ours is checked against theirs.
"""

from __future__ import annotations

import base64
import http.client
import json
import threading
import urllib.parse
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from twilio.request_validator import RequestValidator

from wait import until

ACCOUNT = "AC00000000000000000000000000000e2e"
TOKEN = "token-of-the-end-to-end-tests"
NUMBER = "+33939390000"
PAGE_SIZE = 50


@dataclass
class Message:
    sid: str
    to: str
    sender: str
    body: str
    callback: str | None
    created: datetime = field(default_factory=lambda: datetime.now(timezone.utc))

    def shown(self) -> dict:
        return {
            "account_sid": ACCOUNT, "api_version": "2010-04-01", "body": self.body, "date_created": format_datetime(self.created),
            "date_sent": None, "date_updated": format_datetime(self.created), "direction": "outbound-api", "error_code": None,
            "error_message": None, "from": self.sender, "messaging_service_sid": None, "num_media": "0", "num_segments": "1",
            "price": None, "price_unit": None, "sid": self.sid, "status": "queued", "to": self.to,
            "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{self.sid}.json",
        }


class FakeTwilio:
    """Faults are taken by the next requests, one each: a status code, or `accept-then-500`, `accept-then-close`."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.faults: list[int | str] = []
        self.requests = 0
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"twilio": self}))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def to(self, address: str) -> list[Message]:
        with self.lock:
            return [message for message in self.messages if message.to == address]

    def reply_to(self, address: str, number: int = 1) -> Message:
        """The `number`-th message to this address, once it is there."""
        return until(lambda: self.to(address)[number - 1:number], f"message {number} to {address}")[0]

    def call_back(self, message: Message, status: str, **more: str) -> int:
        """A signed status callback; the server's answer."""
        return post_signed(message.callback, {"MessageSid": message.sid, "MessageStatus": status, "To": message.to, **more}).status


class Answer:
    """An HTTP answer of any status."""

    def __init__(self, status: int, headers, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def json(self) -> dict:
        return json.loads(self.body)


def request(method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
    """Sends exactly these headers: no default content type."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def sign(url: str, params: dict[str, str]) -> str:
    return RequestValidator(TOKEN).compute_signature(url, params)


def post_signed(url: str, params: dict[str, str], signed_url: str | None = None) -> Answer:
    """A form as Twilio posts it, signed by Twilio's own package."""
    headers = {"X-Twilio-Signature": sign(signed_url or url, params), "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    return request("POST", url, urllib.parse.urlencode(params).encode(), headers)


def sms(sid: str, sender: str, text: str, **more: str) -> dict[str, str]:
    """The parameters of an inbound message, as Twilio documents them."""
    return {
        "ToCountry": "FR", "SmsMessageSid": sid, "NumMedia": "0", "SmsSid": sid, "SmsStatus": "received", "Body": text, "FromCountry": "FR",
        "To": NUMBER, "NumSegments": "1", "MessageSid": sid, "AccountSid": ACCOUNT, "From": sender, "ApiVersion": "2010-04-01", **more,
    }


class Handler(BaseHTTPRequestHandler):
    twilio: FakeTwilio
    protocol_version = "HTTP/1.1"
    path_wanted = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True))
        if not self.allowed():
            return
        with self.twilio.lock:
            self.twilio.requests += 1
            fault = self.twilio.faults.pop(0) if self.twilio.faults else None
        if isinstance(fault, int):
            return self.answer(fault, {"code": 20429 if fault == 429 else 20500, "message": "fault", "status": fault})
        if not form.get("To") or not form.get("Body") or not (form.get("From") or form.get("MessagingServiceSid")):
            return self.answer(400, {"code": 21602, "message": "a required parameter is missing", "status": 400})
        if len(form["Body"]) > 1600:
            return self.answer(400, {"code": 21617, "message": "the body exceeds 1600 characters", "status": 400})
        with self.twilio.lock:
            sid = f"SM{len(self.twilio.messages) + 1:032x}"
            message = Message(sid, form["To"], form.get("From", ""), form["Body"], form.get("StatusCallback"))
            self.twilio.messages.append(message)
        if fault == "accept-then-500":
            return self.answer(500, {"code": 20500, "message": "fault", "status": 500})
        if fault == "accept-then-close":
            self.close_connection = True
            return self.connection.close()
        self.answer(201, message.shown())

    def do_GET(self) -> None:
        if not self.allowed():
            return
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        with self.twilio.lock:
            found = [m for m in reversed(self.twilio.messages) if query.get("To") in (None, m.to) and query.get("From") in (None, m.sender)]
        if sent := query.get("DateSent"):
            found = [m for m in found if m.created.date().isoformat() == sent]
        size, page = int(query.get("PageSize", PAGE_SIZE)), int(query.get("Page", 0))
        here, more = found[page * size:(page + 1) * size], found[(page + 1) * size:]

        def uri(number: int) -> str:
            return f"{self.path_wanted}?{urllib.parse.urlencode({**query, 'PageSize': size, 'Page': number})}"

        self.answer(200, {
            "messages": [m.shown() for m in here], "page": page, "page_size": size, "start": page * size, "end": page * size + len(here) - 1,
            "uri": uri(page), "first_page_uri": uri(0), "next_page_uri": uri(page + 1) if more else None,
            "previous_page_uri": uri(page - 1) if page else None,
        })

    def allowed(self) -> bool:
        expected = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if urllib.parse.urlsplit(self.path).path != self.path_wanted:
            self.answer(404, {"code": 20404, "message": "not found", "status": 404})
        elif self.headers.get("Authorization") != expected:
            self.answer(401, {"code": 20003, "message": "authenticate", "status": 401})
        else:
            return True
        return False

    def answer(self, status: int, body: dict) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
