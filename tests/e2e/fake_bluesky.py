"""Plays a server of the AT Protocol: sessions that end, records under chosen keys, notifications.

Written from the lexicons, not from our client. The package `atproto` 0.0.73 has signed in here and read what is told.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone

from stand_in import Asked, StandIn, Told

NAME, PASSWORD, OWN, THEIRS = "trains.example", "abcd-efgh-ijkl-mnop", "did:plc:ewvi7nxzyoun6zhxrhs64oiz", "did:plc:z72i7hdynmk6r22z27h6tvur"
CID = "bafyreib2rxk3rh6kzwq6f2pdbpz4tq3zljqfq3c6xpcbvsmg4ghbprk2yq"
POST = "app.bsky.feed.post"
PRIVATE = "https://aide.example.fr/ecrire"


def keys(url: str) -> dict[str, str]:
    pairs = {"identifier": NAME, "app_password": PASSWORD, "api_url": url, "poll": "2s", "per_second": "50", "private_url": PRIVATE}
    return {f"channels__bluesky__{key}": value for key, value in pairs.items()}


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def token(what: str) -> str:
    """In the form of a JWT, which clients look into."""
    part = lambda fields: base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")
    return ".".join([part({"typ": "at+jwt", "alg": "ES256K"}), part({"scope": what, "sub": OWN, "exp": 4_000_000_000}), part({})])


def author(did: str) -> dict:
    name = NAME if did == OWN else "camille.example"
    return {"did": did, "handle": name, "displayName": "Camille", "labels": [], "viewer": {"muted": False, "blockedBy": False}, "createdAt": "2024-01-01T00:00:00.000Z"}


class FakeBluesky(StandIn):
    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, dict] = {}
        self.notifications: list[dict] = []
        self.sessions: list[str] = []

    def writes(self, asked: Asked) -> bool:
        return asked.path.endswith("createRecord")

    def end_session(self) -> None:
        with self.lock:
            self.sessions.clear()

    def says(self, text: str, reason: str = "mention", under: str | None = None) -> str:
        """Someone writes a post that names the account, or answers it; its address."""
        with self.lock:
            uri = f"at://{THEIRS}/{POST}/3kasked{len(self.records):06}"
            record = {"$type": POST, "text": text, "createdAt": now(), "langs": ["fr"]}
            if under:
                parent = self.records[under]
                root = parent.get("reply", {}).get("root", {"uri": under, "cid": CID})
                record["reply"] = {"root": root, "parent": {"uri": under, "cid": CID}}
            self.records[uri] = record
            self.notifications.append({"uri": uri, "cid": CID, "author": author(THEIRS), "reason": reason, "record": record, "isRead": False, "indexedAt": now(), "labels": []})
        return uri

    def under(self, uri: str) -> list[tuple[str, dict]]:
        return [(key, record) for key, record in list(self.records.items()) if record.get("reply", {}).get("parent", {}).get("uri") == uri and key.startswith(f"at://{OWN}/")]

    def answer(self, asked: Asked) -> Told:
        name = asked.path.removeprefix("/xrpc/")
        if name in ("com.atproto.server.createSession", "com.atproto.server.refreshSession"):
            if name.endswith("createSession") and asked.json() != {"identifier": NAME, "password": PASSWORD}:
                return Told(401, {"error": "AuthenticationRequired", "message": "Invalid identifier or password"})
            self.sessions.append(token(f"access {len(self.asked)}"))
            return Told(200, {"did": OWN, "handle": NAME, "accessJwt": self.sessions[-1], "refreshJwt": token("refresh"), "active": True})
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.sessions:
            return Told(400, {"error": "ExpiredToken", "message": "Token has expired"})
        if name == "app.bsky.notification.listNotifications":
            wanted = [told for told in self.notifications[::-1] if told["reason"] in asked.query["reasons"]]
            return Told(200, {"notifications": wanted[:50], "priority": False, "seenAt": now()})
        if name == "app.bsky.feed.getPosts":
            found = [(uri, self.records[uri]) for uri in asked.query["uris"] if uri in self.records]
            return Told(200, {"posts": [{"uri": uri, "cid": CID, "author": author(uri.split("/")[2]), "record": record, "indexedAt": now()} for uri, record in found]})
        if name == "com.atproto.repo.createRecord":
            body = json.loads(asked.body)
            uri = f"at://{OWN}/{body['collection']}/{body['rkey']}"
            if uri in self.records:
                return Told(500, {"error": "InternalServerError", "message": "Internal Server Error"})
            self.records[uri] = body["record"]
            return Told(200, {"uri": uri, "cid": CID, "commit": {"cid": CID, "rev": body["rkey"]}, "validationStatus": "valid"})
        if name == "com.atproto.repo.getRecord":
            uri = f"at://{asked.query['repo'][0]}/{asked.query['collection'][0]}/{asked.query['rkey'][0]}"
            if uri not in self.records:
                return Told(400, {"error": "RecordNotFound", "message": f"Could not locate record: {uri}"})
            return Told(200, {"uri": uri, "cid": CID, "value": self.records[uri]})
        return Told(501, {"error": "MethodNotImplemented", "message": "Method Not Implemented"})
