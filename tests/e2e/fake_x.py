"""Plays X's side: signs activity, takes messages and posts, and checks how calls are signed.

Written from X's documentation, not from our client. Signatures of OAuth 1.0a are made again by the `oauthlib` package, so
that ours is checked against theirs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from datetime import datetime, timezone

from oauthlib.oauth1 import Client

from fake_twilio import Answer, request
from stand_in import Asked, StandIn, Told

OWN, SECRET, KEY, TOKEN, TOKEN_SECRET = "4337869213", "app secret of the tests", "app-key", "4337869213-token", "token & secret"


def keys(url: str) -> dict[str, str]:
    pairs = {"user_id": OWN, "api_secret": SECRET, "api_key": KEY, "access_token": TOKEN, "access_token_secret": TOKEN_SECRET, "api_url": url, "per_second": "50"}
    return {f"channels__x__{key}": value for key, value in pairs.items()}


def signature(body: bytes) -> str:
    return "sha256=" + base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()


def post(url: str, activity: dict) -> Answer:
    body = json.dumps(activity).encode()
    return request("POST", url, body, {"Content-Type": "application/json", "X-Twitter-Webhooks-Signature": signature(body)})


def message(sender: str, number: str, text: str) -> dict:
    data = {"text": text, "entities": {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []}}
    event = {"type": "message_create", "id": number, "created_timestamp": "1516403560557", "message_create": {"target": {"recipient_id": OWN}, "sender_id": sender, "message_data": data}}
    return {"for_user_id": OWN, "direct_message_events": [event], "users": {sender: {"id": sender, "name": "Camille", "screen_name": "camille"}}}


def mention(author: str, number: str, text: str, **more: object) -> dict:
    entities = {"user_mentions": [{"id_str": OWN, "screen_name": "trains", "indices": [0, 7]}], "urls": [], "hashtags": []}
    user = {"id_str": author, "name": "Camille", "screen_name": "camille"}
    return {"for_user_id": OWN, "tweet_create_events": [{"id_str": number, "text": text, "truncated": False, "user": user, "entities": entities, **more}]}


class FakeX(StandIn):
    def __init__(self) -> None:
        super().__init__()
        self.messages: list[dict] = []
        self.posts: list[dict] = []
        self.likes: list[str] = []

    def to(self, person: str) -> list[dict]:
        return [said for said in self.messages if said["to"] == person]

    def under(self, number: str) -> list[dict]:
        return [post for post in self.posts if post["referenced_tweets"][0]["id"] == number]

    def answer(self, asked: Asked) -> Told:
        if not self.is_signed(asked):
            return Told(401, {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"})
        number, at = str(1_900_000_000_000_000_000 + len(self.asked)), datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        if found := re.fullmatch(r"/2/dm_conversations/with/(\d+)/messages", asked.path):
            self.messages.append({"id": number, "event_type": "MessageCreate", "text": asked.json()["text"], "sender_id": OWN, "created_at": at, "to": found[1]})
            return Told(201, {"data": {"dm_conversation_id": f"{OWN}-{found[1]}", "dm_event_id": number}})
        if found := re.fullmatch(r"/2/dm_conversations/with/(\d+)/dm_events", asked.path):
            return Told(200, {"data": self.to(found[1])[::-1], "meta": {"result_count": len(self.to(found[1]))}})
        if asked.path == "/2/tweets":
            under, text = asked.json()["reply"]["in_reply_to_tweet_id"], asked.json()["text"]
            if any(text == post["text"] for post in self.posts):
                return Told(403, {"title": "Forbidden", "type": "about:blank", "status": 403, "detail": "You are not allowed to create a Tweet with duplicate content."})
            self.posts.append({"id": number, "text": text, "created_at": at, "referenced_tweets": [{"type": "replied_to", "id": under}], "edit_history_tweet_ids": [number]})
            return Told(201, {"data": {"id": number, "text": text, "edit_history_tweet_ids": [number]}})
        if asked.path == f"/2/users/{OWN}/tweets":
            return Told(200, {"data": self.posts[::-1], "meta": {"result_count": len(self.posts)}})
        if asked.path == f"/2/users/{OWN}/likes" and asked.method == "POST":
            self.likes.append(asked.json()["tweet_id"])
            return Told(200, {"data": {"liked": True}})
        return Told(404, {"title": "Not Found", "type": "about:blank", "status": 404, "detail": "Not Found"})

    def is_signed(self, asked: Asked) -> bool:
        given = dict(re.findall(r'(\w+)="([^"]*)"', asked.headers.get("authorization", "")))
        client = Client(KEY, client_secret=SECRET, resource_owner_key=TOKEN, resource_owner_secret=TOKEN_SECRET, nonce=given.get("oauth_nonce"), timestamp=given.get("oauth_timestamp"))
        query = "&".join(f"{name}={value}" for name, values in asked.query.items() for value in values)
        _, headers, _ = client.sign(f"{self.url}{asked.path}" + (f"?{query}" if query else ""), asked.method)
        theirs = dict(re.findall(r'(\w+)="([^"]*)"', headers["Authorization"]))
        return theirs == given
