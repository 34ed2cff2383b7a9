"""What the end-to-end tests share: the real server, a fake Twilio, another system, and a browser."""

from __future__ import annotations

import os
import secrets
import subprocess
import urllib.parse
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from fake_twilio import FakeTwilio
from guichet_server import BINARY, POSTGRES, ROOT, Server, inherited, psql
from peer import Peer

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    """What all servers would learn at their first start, learned once."""
    folder = tmp_path_factory.mktemp("cache")
    environment = {**inherited(), "GUICHET__NLU__ENCODER": "", "GUICHET__FILES__CACHE": str(folder)}
    subprocess.run([str(BINARY), "learn"], cwd=ROOT, env=environment, check=True, timeout=180)
    return folder


@pytest.fixture(scope="module")
def twilio():
    fake = FakeTwilio()
    yield fake
    fake.close()


@pytest.fixture(scope="module")
def peer():
    other = Peer()
    yield other
    other.close()


@pytest.fixture(scope="module")
def start_server(tmp_path_factory, cache, twilio, peer):
    """Starts servers; with settings by their environment names, or on Postgres."""
    assert BINARY.exists(), f"{BINARY} is not built; run: make test"
    servers: list[Server] = []
    databases: list[str] = []

    def start(on: str = "sqlite", **settings: str) -> Server:
        folder = tmp_path_factory.mktemp("server")
        database = f"sqlite://{folder}/guichet.db"
        if on == "postgres":
            admin = os.environ.get(POSTGRES) or pytest.skip(f"{POSTGRES} is not set; run: make test")
            name = f"guichet_e2e_{secrets.token_hex(8)}"
            psql(admin, f"CREATE DATABASE {name}")
            databases.append(name)
            database = urllib.parse.urlsplit(admin)._replace(path=f"/{name}").geturl()
        more = {f"GUICHET__{key.upper()}": value for key, value in settings.items()}
        servers.append(Server(folder, cache, twilio, peer, database, more))
        return servers[-1].start()

    yield start
    try:
        for server in servers:
            server.stop()
            assert "panicked" not in server.log(), server.log()
    finally:
        for name in databases:
            psql(os.environ[POSTGRES], f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def server(start_server) -> Server:
    return start_server()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


# A busy machine answers late, not wrongly.
expect.set_options(timeout=20_000)

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def open_page(browser: Browser, request):
    """Opens a page at a width; an error in its console, or a request that leaves the machine, fails the test."""
    contexts, trouble = [], []

    def new(viewport: dict = DESKTOP, locale: str = "fr-FR", allow_errors: bool = False):
        phone = viewport == PHONE
        context = browser.new_context(viewport=viewport, locale=locale, has_touch=phone, is_mobile=phone, timezone_id="Europe/Paris")
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(f"script error: {error}"))
        if not allow_errors:
            page.on("console", lambda line: trouble.append(f"console: {line.text}") if line.type == "error" else None)
        page.on("request", lambda sent: trouble.append(f"leaves the machine: {sent.url}") if urllib.parse.urlsplit(sent.url).hostname not in ("127.0.0.1", "localhost", None) else None)
        return page

    yield new
    for context in contexts:
        context.close()
    assert not trouble, trouble


@pytest.fixture
def picture(tmp_path):
    """Keeps a picture of a page where people can look at it: `scripts/test.py --only e2e --keep`."""
    folder = Path(os.environ.get("GUICHET_E2E_PICTURES", tmp_path))

    def take(page, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}.png")

    return take


def fits(page) -> bool:
    """Nothing sticks out to the right: no sideways scrolling."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
