"""Plays a Mastodon server: tells of mentions, publishes statuses, and knows the keys of those that come again.

Written from Mastodon's documentation, not from our client. In its tests its answers are read by the package `Mastodon.py`.
"""

from __future__ import annotations

import html
import re
from datetime import datetime, timezone

from stand_in import Asked, StandIn, Told

TOKEN, OWN = "token-of-the-tests", "1"


def keys(url: str) -> dict[str, str]:
    pairs = {"url": url, "access_token": TOKEN, "poll": "2s", "per_second": "50"}
    return {f"channels__mastodon__{key}": value for key, value in pairs.items()}


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def account(number: str, acct: str, name: str) -> dict:
    url = f"https://m.example/@{acct}"
    return {
        "id": number, "username": acct.split("@")[0], "acct": acct, "display_name": name, "locked": False, "bot": False, "discoverable": True,
        "group": False, "created_at": "2020-01-01T00:00:00.000Z", "note": "", "url": url, "uri": url, "avatar": url, "avatar_static": url, "header": url,
        "header_static": url, "followers_count": 0, "following_count": 0, "statuses_count": 1, "last_status_at": "2025-01-01", "emojis": [], "fields": [],
    }


class FakeMastodon(StandIn):
    def __init__(self) -> None:
        super().__init__()
        self.statuses: list[dict] = []
        self.notifications: list[dict] = []
        self.by_key: dict[str, dict] = {}

    def status(self, who: dict, content: str, visibility: str, under: str | None = None) -> dict:
        number = str(1000 + len(self.statuses))
        status = {
            "id": number, "created_at": now(), "in_reply_to_id": under, "in_reply_to_account_id": None, "sensitive": False, "spoiler_text": "",
            "visibility": visibility, "language": "fr", "uri": f"https://m.example/{number}", "url": f"https://m.example/{number}", "replies_count": 0,
            "reblogs_count": 0, "favourites_count": 0, "edited_at": None, "content": content, "reblog": None, "account": who, "media_attachments": [],
            "mentions": [], "tags": [], "emojis": [], "card": None, "poll": None,
        }
        self.statuses.append(status)
        return status

    def mention(self, acct: str, text: str, visibility: str = "public", under: str | None = None) -> str:
        """Someone names the account; the status's id. What is not `include_filtered` leaves out direct ones, as servers do."""
        name = '<span class="h-card" translate="no"><a href="https://m.example/@trains" class="u-url mention">@<span>trains</span></a></span>'
        with self.lock:
            who = account("23", acct, "Camille")
            status = self.status(who, f"<p>{name} {html.escape(text)}</p>", visibility, under)
            self.notifications.append({"id": str(1 + len(self.notifications)), "type": "mention", "created_at": now(), "account": who, "status": status, "group_key": f"ungrouped-{len(self.notifications)}"})
        return status["id"]

    def under(self, number: str) -> list[dict]:
        return [status for status in self.statuses if status["in_reply_to_id"] == number and status["account"]["id"] == OWN]

    def answer(self, asked: Asked) -> Told:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Told(401, {"error": "The access token is invalid"})
        if asked.path == "/api/v1/notifications":
            assert asked.query["types[]"] == ["mention"], asked.query
            after, limit = int(asked.query.get("min_id", ["-1"])[0]), int(asked.query.get("limit", ["40"])[0])
            shown = lambda told: told["status"]["visibility"] != "direct" or "include_filtered" in asked.query
            later = [told for told in self.notifications if int(told["id"]) > after and shown(told)]
            # The ones that directly follow, the newest of them first.
            return Told(200, (later[:limit] if after >= 0 else later[-limit:])[::-1])
        if asked.path == "/api/v1/statuses" and asked.method == "POST":
            said, key = asked.json(), asked.headers["idempotency-key"]
            if key not in self.by_key:
                content = f"<p>{html.escape(said['status'])}</p>".replace("\n\n", "</p><p>").replace("\n", "<br>")
                self.by_key[key] = self.status(account(OWN, "trains", "Trains"), content, said["visibility"], said["in_reply_to_id"])
            return Told(200, self.by_key[key])
        if asked.path == "/api/v1/accounts/verify_credentials":
            return Told(200, account(OWN, "trains", "Trains"))
        if found := re.fullmatch(r"/api/v1/statuses/(\d+)/context", asked.path):
            return Told(200, {"ancestors": [], "descendants": self.under(found[1])})
        return Told(404, {"error": "Record not found"})
