#!/usr/bin/env python3
"""How fast the desk is on a bad day: 10,000 conversations, 500 of them waiting, and 50 open consoles.

A real server and a real browser. One conversation is had with the server; the others are copies of its rows, so that a change of the
schema changes them too. The bars are the desk's own promises: the queue within 100 ms on the server and 500 ms in the browser, a new
one within a second, and 50 idle consoles for less than 5 % of a core.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import secrets
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from bench_support import PROGRAM, BenchError, aligned
from setup_support import LOCAL, ROOT

CONVERSATIONS, WAITING, CONSOLES = 10_000, 500, 50
IDLE_SECONDS = 60
REQUESTS, PAGES, ESCALATIONS = 40, 12, 7
# How often the console's script looks again by itself.
REFRESHED_EVERY = 30.0
MINUTE = 60 * 1_000_000
LOGIN = "bench"


@dataclass(frozen=True)
class Figure:
    what: str
    value: float
    unit: str
    bar: float

    @property
    def holds(self) -> bool:
        return self.value < self.bar


class Desk:
    """A server of its own, with its database in a folder that goes with it."""

    def __init__(self, guichet: Path, folder: Path) -> None:
        self.guichet, self.folder, self.port = guichet, folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = folder / "bench.db"
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GUICHET__")},
            "GUICHET__DATABASE__URL": f"sqlite://{self.database}",
            "GUICHET__SERVER__LISTEN": f"127.0.0.1:{self.port}",
            "GUICHET__SERVER__METRICS_LISTEN": f"127.0.0.1:{free_port()}",
            "GUICHET__SERVER__PUBLIC_URL": self.url,
            # Nothing is to be understood here but one message.
            "GUICHET__NLU__ENCODER": "",
        }
        self.password = secrets.token_urlsafe(12)
        self.cookie = ""

    def start(self) -> None:
        with (self.folder / "server.log").open("a") as log:
            self.process = subprocess.Popen([str(self.guichet), "serve", "--demo"], cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                if json.loads(self.get("/health")[1]).get("model"):
                    return
            except OSError:
                pass
            time.sleep(0.2)
        raise BenchError(f"the server did not start:\n{(self.folder / 'server.log').read_text()}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)

    def sign_in(self) -> None:
        if not self.cookie:
            arguments = ["user", "add", "--login", LOGIN, "--name", "Bench", "--role", "admin", "--password-stdin"]
            subprocess.run([str(self.guichet), *arguments], cwd=ROOT, env=self.environment, input=f"{self.password}\n", text=True,
                           check=True, capture_output=True)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        body = urllib.parse.urlencode({"login": LOGIN, "password": self.password})
        headers = {"content-type": "application/x-www-form-urlencoded", "origin": self.url}
        connection.request("POST", "/login", body, headers)
        answer = connection.getresponse()
        answer.read()
        cookies = [value.split(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"]
        if answer.status != 303 or not cookies:
            raise BenchError(f"nobody can sign in: {answer.status}")
        self.cookie = "; ".join(cookies)

    def get(self, path: str) -> tuple[float, str]:
        """Seconds until the whole answer is there, on a connection that is open already, as a browser's is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.connect()
        started = time.perf_counter()
        connection.request("GET", path, headers={"cookie": self.cookie})
        answer = connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - started
        connection.close()
        if answer.status != 200:
            raise BenchError(f"{path}: {answer.status}")
        return took, body.decode()

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        # utime and stime, the 14th and 15th field of proc(5); state is the third.
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def have_one_conversation(browser, desk: Desk) -> None:
    chat = browser.new_page()
    chat.goto(f"{desk.url}/chat")
    chat.locator("textarea").fill("slt, je veux parler à un conseiller svp")
    chat.locator("textarea").press("Enter")
    deadline = time.monotonic() + 60
    with sqlite3.connect(f"file:{desk.database}?mode=ro", uri=True) as reader:
        while not reader.execute("SELECT 1 FROM conversations WHERE state = 'queued'").fetchall():
            if time.monotonic() > deadline:
                raise BenchError("the conversation does not reach people")
            time.sleep(0.2)
    chat.close()


def multiply(database: Path) -> None:
    """Copies the conversation until there are as many as on a bad day, the newest still waiting."""
    with sqlite3.connect(database) as store:
        store.row_factory = sqlite3.Row
        [conversation] = store.execute("SELECT * FROM conversations WHERE state = 'queued' LIMIT 1").fetchall()
        [contact] = store.execute("SELECT * FROM contacts WHERE id = ?", [conversation["contact_id"]]).fetchall()
        messages = store.execute("SELECT * FROM messages WHERE conversation_id = ?", [conversation["id"]]).fetchall()
        now = conversation["opened_at"]
        for number in range(1, CONVERSATIONS):
            waits = number < WAITING
            moved = -number * MINUTE // 2
            copy(store, "contacts", contact, id=(contact_id := new_id()), address=f"bench-{number}")
            state = {} if waits else {"state": "resolved", "resolved_at": now + moved + MINUTE}
            copy(store, "conversations", conversation, id=(id := new_id()), contact_id=contact_id, opened_at=now + moved,
                 escalated_at=now + moved, last_message_at=now + moved, **state)
            for message in messages:
                provider_id = message["provider_id"] and f"{message['provider_id']}-{number}"
                copy(store, "messages", message, id=new_id(), conversation_id=id, created_at=now + moved, provider_id=provider_id)


def new_id() -> bytes:
    return uuid.uuid4().bytes


def copy(store: sqlite3.Connection, table: str, row: sqlite3.Row, **changed: object) -> None:
    values = {**dict(row), **changed}
    marks = ", ".join("?" * len(values))
    store.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values()))


def on_the_server(desk: Desk) -> list[Figure]:
    figures = []
    for what, path in (("the queue's page, on the server", "/console"), ("its live part", "/console/fragments/queue")):
        times = sorted(desk.get(path)[0] * 1000 for _ in range(REQUESTS))
        figures += [Figure(f"{what}, p50", statistics.median(times), "ms", 100), Figure(f"{what}, p95", times[int(REQUESTS * 0.95)], "ms", 100)]
    return figures


def console_of(browser, desk: Desk):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{desk.url}/login")
    page.locator("#login").fill(LOGIN)
    page.locator("#password").fill(desk.password)
    page.locator("form.card button.primary").click()
    page.wait_for_url(re.compile("/console$"))
    return page


def appears(browser, desk: Desk) -> Figure:
    """From a customer's key to an open console: they are understood, handed over, answered, and counted there without a reload."""
    console, took = console_of(browser, desk), []
    for _ in range(ESCALATIONS):
        chat = browser.new_context().new_page()
        chat.goto(f"{desk.url}/chat")
        chat.locator("textarea").fill("slt, je veux parler à un conseiller svp")
        counter = console.locator("#counters strong").first
        waiting = counter.inner_text()
        started = time.perf_counter()
        chat.locator("textarea").press("Enter")
        while counter.inner_text() == waiting:
            if time.perf_counter() - started > 30:
                raise BenchError("an open console does not show who waits")
        took.append((time.perf_counter() - started) * 1000)
        chat.context.close()
    console.close()
    return Figure("from a customer's message to every open console, p50", statistics.median(took), "ms", 1000)


def in_the_browser(browser, desk: Desk) -> list[Figure]:
    page = console_of(browser, desk)
    shown = []
    for _ in range(PAGES):
        page.goto(f"{desk.url}/console")
        while not page.evaluate("performance.getEntriesByName('first-contentful-paint').length && performance.timing.loadEventEnd"):
            time.sleep(0.02)
        shown.append(page.evaluate(
            "Math.max(performance.getEntriesByName('first-contentful-paint')[0].startTime, performance.getEntriesByType('navigation')[0].loadEventEnd)"))
    lines = page.locator(".lines .line").count()
    page.close()
    return [Figure(f"the same in the browser, {lines} lines, loaded and painted, p50", statistics.median(shown), "ms", 500)]


def idle(desk: Desk) -> Figure:
    """As many open consoles as two rooms have, each with its live events and its look every half minute."""
    stop = threading.Event()
    opened = threading.Barrier(CONSOLES + 1, timeout=60)

    def console(number: int) -> None:
        events = http.client.HTTPConnection("127.0.0.1", desk.port, timeout=120)
        events.request("GET", "/console/events", headers={"cookie": desk.cookie, "accept": "text/event-stream"})
        assert events.getresponse().status == 200
        opened.wait()
        stop.wait(REFRESHED_EVERY * number / CONSOLES)
        while not stop.is_set():
            desk.get("/console/fragments/queue")
            stop.wait(REFRESHED_EVERY)
        events.close()

    threads = [threading.Thread(target=console, args=[number], daemon=True) for number in range(CONSOLES)]
    for thread in threads:
        thread.start()
    opened.wait()
    before, started = desk.cpu_seconds(), time.monotonic()
    time.sleep(IDLE_SECONDS)
    share = 100 * (desk.cpu_seconds() - before) / (time.monotonic() - started)
    stop.set()
    return Figure(f"{CONSOLES} idle consoles", share, "% of a core", 5)


def measure(guichet: Path) -> list[Figure]:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        desk = Desk(guichet, Path(folder))
        try:
            print("one conversation with the server …", file=sys.stderr)
            desk.start()
            have_one_conversation(browser, desk)
            desk.sign_in()
            desk.stop()
            print(f"{CONVERSATIONS:,} conversations of it …", file=sys.stderr)
            multiply(desk.database)
            desk.start()
            desk.sign_in()
            print("the queue …", file=sys.stderr)
            figures = [*on_the_server(desk), *in_the_browser(browser, desk), appears(browser, desk)]
            print(f"{CONSOLES} consoles for {IDLE_SECONDS} s …", file=sys.stderr)
            return [*figures, idle(desk)]
        finally:
            desk.stop()
            browser.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--guichet", type=Path, default=PROGRAM)
    parser.add_argument("--json", action="store_true", help="for machines")
    asked = parser.parse_args()
    python = LOCAL / "venv" / "bin" / "python"
    if sys.prefix == sys.base_prefix:
        # Playwright is installed for the tests.
        if not python.exists():
            print(f"{python} does not exist\n    cure: scripts/setup.py test-tools", file=sys.stderr)
            return 2
        os.execv(python, [str(python), *sys.argv])
    try:
        figures = measure(asked.guichet.resolve())
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    if asked.json:
        print(json.dumps([{**asdict(figure), "holds": figure.holds} for figure in figures], ensure_ascii=False, indent=2))
        return 0
    rows = [["the desk", "measured", "bar", ""]]
    rows += [[f.what, f"{f.value:.1f} {f.unit}", f"< {f.bar:g} {f.unit}", "" if f.holds else "missed"] for f in figures]
    print(aligned(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
