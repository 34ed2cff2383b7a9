"""Telegram and its customers, played by npm `telegram-test-api` in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass

import pytest

from fake_twilio import request
from guichet_server import ROOT, die_with_parent, free_port
from wait import until

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
MODULES = ROOT / ".local" / "peers" / "node_modules"


@dataclass
class Reply:
    text: str
    labels: list[str]
    message: dict


class Telegram:
    def __init__(self) -> None:
        node = shutil.which("node")
        if node is None or not (MODULES / "telegram-test-api").is_dir():
            what = "npm telegram-test-api is not installed; run: scripts/setup.py test-tools"
            assert os.environ.get("CI") != "true", f"under CI=true nothing is skipped: {what}"
            pytest.skip(what)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [node, str(ROOT / "tests" / "peers" / "telegram.js"), str(MODULES), str(port), TOKEN]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        assert self.process.stdout.readline() == "ready\n"

    def close(self) -> None:
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()

    def does(self, chat: int, **what: object) -> None:
        self.process.stdin.write(json.dumps({"chat": chat, **what}) + "\n")
        self.process.stdin.flush()

    def sent_to(self, chat: int) -> list[Reply]:
        """What the bot has sent there, in order."""
        body = json.dumps({"token": TOKEN}).encode()
        answer = request("POST", f"{self.url}/getUpdatesHistory", body, {"Content-Type": "application/json"}).json()
        return [reply(entry["message"]) for entry in answer["result"] if str(entry.get("message", {}).get("chat_id")) == str(chat)]

    def reply_to(self, chat: int, number: int) -> Reply:
        return until(lambda: self.sent_to(chat)[number - 1:number], f"message {number} to chat {chat}")[0]


def reply(message: dict) -> Reply:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return Reply(message["text"], [button["text"] for row in rows for button in row], message)
