"""Plays YouTube's side: lists threads of comments, takes answers, and renews access tokens.

Written from the documentation of the YouTube Data API, not from our client.
"""

from __future__ import annotations

import hashlib
import json
import urllib.parse
from datetime import datetime, timezone

from stand_in import Asked, StandIn, Told

OWN, REFRESH = "UCtrains0000000000000000", "1//refresh-of-the-tests"


def keys(url: str) -> dict[str, str]:
    pairs = {
        "channel_id": OWN, "client_id": "client.apps", "client_secret": "secret", "refresh_token": REFRESH, "api_url": url,
        "token_url": f"{url}/token", "poll": "2s", "daily_units": "1000000", "per_second": "50",
    }
    return {f"channels__youtube__{key}": value for key, value in pairs.items()}


def comment(number: str, author: str, text: str) -> dict:
    at = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    snippet = {
        "channelId": OWN, "videoId": "v1", "textDisplay": text, "textOriginal": text, "authorDisplayName": "@camille", "authorChannelId": {"value": author},
        "canRate": True, "viewerRating": "none", "likeCount": 0, "publishedAt": at, "updatedAt": at,
    }
    return {"kind": "youtube#comment", "etag": "e", "id": number, "snippet": snippet}


class FakeYouTube(StandIn):
    def __init__(self) -> None:
        super().__init__()
        self.threads: dict[str, list[dict]] = {}
        self.tokens: list[str] = []

    def writes(self, asked: Asked) -> bool:
        return asked.method == "POST" and asked.path != "/token"

    def says(self, author: str, text: str, thread: str | None = None) -> str:
        """Someone writes a comment, or answers in a thread; the thread."""
        with self.lock:
            name = thread or f"Ugx{len(self.threads)}"
            said = self.threads.setdefault(name, [])
            said.append(comment(f"{name}.{len(said)}" if said else name, author, text))
        return name

    def answers(self, thread: str) -> list[str]:
        return [said["snippet"]["textDisplay"] for said in self.threads[thread] if said["snippet"]["authorChannelId"]["value"] == OWN]

    def answer(self, asked: Asked) -> Told:
        if asked.path == "/token":
            form = urllib.parse.parse_qs(asked.body.decode())
            if form["grant_type"] != ["refresh_token"] or form["refresh_token"] != [REFRESH]:
                return Told(400, {"error": "invalid_grant", "error_description": "Bad Request"})
            self.tokens.append(f"ya29.{len(self.tokens)}")
            return Told(200, {"access_token": self.tokens[-1], "expires_in": 3599, "token_type": "Bearer"})
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return Told(401, {"error": {"code": 401, "message": "Invalid Credentials", "errors": [{"reason": "authError"}]}})
        if asked.path == "/youtube/v3/commentThreads":
            items = [self.shown(name, said) for name, said in list(self.threads.items())[::-1]]
            tag = hashlib.sha256(json.dumps(items).encode()).hexdigest()
            if asked.headers.get("if-none-match") == tag:
                return Told(304, None, {"ETag": tag})
            return Told(200, {"kind": "youtube#commentThreadListResponse", "etag": tag, "items": items}, {"ETag": tag})
        if asked.path == "/youtube/v3/comments" and asked.method == "GET":
            return Told(200, {"kind": "youtube#commentListResponse", "items": self.threads[asked.query["parentId"][0]][1:]})
        if asked.path == "/youtube/v3/comments":
            said = asked.json()["snippet"]
            thread = self.threads[said["parentId"]]
            thread.append(comment(f"{said['parentId']}.{len(thread)}", OWN, said["textOriginal"]))
            return Told(200, thread[-1])
        return Told(404, {"error": {"code": 404, "errors": [{"reason": "notFound"}]}})

    def shown(self, name: str, said: list[dict]) -> dict:
        snippet = {"channelId": OWN, "videoId": "v1", "topLevelComment": said[0], "canReply": True, "totalReplyCount": len(said) - 1, "isPublic": True}
        # A list of threads shows no more than a few answers of each.
        replies = {"replies": {"comments": said[1:3]}} if said[1:] else {}
        return {"kind": "youtube#commentThread", "etag": "e", "id": name, "snippet": snippet, **replies}
