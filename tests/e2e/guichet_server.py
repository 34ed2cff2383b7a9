"""The real server as a process of its own, with a folder and a database of its own."""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import urllib.parse
from pathlib import Path

import fake_twilio
import peer
from wait import until

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("GUICHET_BIN", ROOT / "target" / "debug" / "guichet"))
POSTGRES = "GUICHET_TEST_POSTGRES"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent() -> None:
    """Even tests that are killed leave no server behind."""
    ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))  # PR_SET_PDEATHSIG


def inherited() -> dict[str, str]:
    """The environment without what this machine's user has configured, which is not what is tested."""
    return {key: value for key, value in os.environ.items() if not key.startswith("GUICHET__")}


class Server:
    def __init__(
        self, folder: Path, cache: Path, twilio: fake_twilio.FakeTwilio, other: peer.Peer, database: str, more: dict[str, str],
    ) -> None:
        address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{address}"
        self.folder, self.database = folder, database
        self.environment = {
            **inherited(),
            "GUICHET__SERVER__LISTEN": address,
            "GUICHET__SERVER__METRICS_LISTEN": f"127.0.0.1:{free_port()}",
            "GUICHET__SERVER__PUBLIC_URL": self.url,
            "GUICHET__DATABASE__URL": database,
            "GUICHET__DESK__HOURS__CLOSED": "[]",
            # Replies leave at once; the test of taking them back sets its own.
            "GUICHET__DESK__UNDO": "0s",
            # Word and character n-grams: there at once, and the same on every machine. One test takes the full model.
            "GUICHET__NLU__ENCODER": "",
            "GUICHET__FILES__CACHE": str(cache),
            "GUICHET__QUEUE__SEND_TIMEOUT": "2s",
            "GUICHET__QUEUE__LEASE": "10s",
            "GUICHET__QUEUE__SETTLE": "1s",
            "GUICHET__QUEUE__RETRY": '["200ms", "500ms", "1s", "1s"]',
            "GUICHET__CHANNELS__TWILIO__ACCOUNT_SID": fake_twilio.ACCOUNT,
            "GUICHET__CHANNELS__TWILIO__AUTH_TOKEN": fake_twilio.TOKEN,
            "GUICHET__CHANNELS__TWILIO__FROM": fake_twilio.NUMBER,
            "GUICHET__CHANNELS__TWILIO__API_URL": twilio.url,
            "GUICHET__CHANNELS__HTTP__SECRET": peer.SECRET,
            "GUICHET__CHANNELS__HTTP__CALLBACK_URL": other.url,
            **more,
        }
        for day in ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"):
            self.environment.setdefault(f"GUICHET__DESK__HOURS__{day}", "00:00-24:00")
        self.log_path = folder / "server.log"
        self.process: subprocess.Popen | None = None

    def start(self) -> Server:
        with self.log_path.open("a") as log:
            self.process = subprocess.Popen([str(BINARY), "serve"], cwd=ROOT, env=self.environment, stdout=log, stderr=log, preexec_fn=die_with_parent)
        until(lambda: self.health().get("model"), f"the server answers; its log:\n{self.log()}", within=60)
        return self

    def health(self) -> dict:
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended by itself:\n{self.log()}")
        try:
            return fake_twilio.request("GET", f"{self.url}/health").json()
        except (OSError, http.client.HTTPException):
            return {}

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise AssertionError("SIGTERM did not end the server") from None

    def crash(self) -> None:
        """As in a power cut: nothing is finished, nothing is said."""
        self.process.kill()
        self.process.wait(30)

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def command(self, *arguments: str, given: str = "") -> str:
        done = subprocess.run([str(BINARY), *arguments], cwd=ROOT, env=self.environment, input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    def add_agent(self, login: str, name: str) -> str:
        """A person of the desk; the password."""
        password = secrets.token_urlsafe(12)
        self.command("user", "add", "--login", login, "--name", name, "--password-stdin", given=f"{password}\n")
        return password

    # Customers.

    @property
    def twilio_webhook(self) -> str:
        return f"{self.url}/webhooks/twilio"

    def receives_sms(self, sender: str, text: str, sid: str | None = None, **more: str) -> str:
        """An SMS arrives, is acknowledged; its id."""
        sid = sid or "SM" + secrets.token_hex(16)
        answer = fake_twilio.post_signed(self.twilio_webhook, fake_twilio.sms(sid, sender, text, **more))
        assert answer.status == 200, answer.body
        return sid

    # The database, past the server.

    def rows(self, sql: str) -> list[list]:
        if self.database.startswith("sqlite:"):
            path = self.database.removeprefix("sqlite://")
            connection = sqlite3.connect(f"file:{urllib.parse.quote(path)}?mode=ro", uri=True)
            try:
                return [list(row) for row in connection.execute(sql)]
            finally:
                connection.close()
        return psql(self.database, f"SELECT json_agg(json_build_array(r.*)) FROM ({sql}) r") or []

    def stored(self) -> dict[str, int]:
        """How many rows there are of what a webhook could store, once earlier messages are dealt with."""
        until(lambda: self.rows("SELECT COUNT(*) AS n FROM jobs") == [[0]], "no job is left")
        return {table: self.rows(f"SELECT COUNT(*) AS n FROM {table}")[0][0] for table in ("contacts", "conversations", "messages", "jobs", "events", "nonces")}


def psql(url: str, sql: str) -> object:
    done = subprocess.run([shutil.which("psql") or "psql", url, "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None
