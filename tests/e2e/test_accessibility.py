"""Every page of the desk as axe-core sees it: both themes, both languages, on a desk and on a phone, and enlarged twice."""

import os
import re
import secrets

import pytest
from playwright.sync_api import expect

from conftest import DESKTOP, PHONE, fits
from guichet_server import ROOT
from test_desk import sign_in

AXE = ROOT / ".local" / "peers" / "node_modules" / "axe-core" / "axe.min.js"
# Half as wide and high: what a desktop shows at 200 %.
ENLARGED = {"width": DESKTOP["width"] // 2, "height": DESKTOP["height"] // 2}
PAGES = [
    "/console", "/console/reports", "/console/teams", "/console/handover", "/console/people", "/console/corrections", "/console/hooks", "/console/audit",
    "/console/me", "/console/me/tokens", "/api/docs",
]
SENDER = "+33622000071"


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.exists():
        assert os.environ.get("CI") != "true", "npm axe-core is not installed: scripts/setup.py test-tools"
        pytest.skip("npm axe-core is not installed: scripts/setup.py test-tools")
    return AXE.read_text()


@pytest.fixture(scope="module")
def admin(server, twilio) -> str:
    """The password of somebody who sees every page; a customer waits for a person."""
    password = secrets.token_urlsafe(12)
    server.command("user", "add", "--login", "admin-axe", "--name", "Admin Test", "--role", "admin", "--password-stdin", given=f"{password}\n")
    server.receives_sms(SENDER, "slt, je veux parler à un conseiller svp !!")
    twilio.reply_to(SENDER)
    return password


def troubles(page, axe) -> list[str]:
    """What is serious or worse."""
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [f"{v['id']}: {v['help']}: {node['html'][:160]}" for v in found if v["impact"] in ("serious", "critical") for node in v["nodes"]]


def sticks_out(page) -> list[str]:
    """Elements beyond the right edge, beside those that scroll within their own box."""
    return page.evaluate("""[...document.querySelectorAll('main *, header *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1
        && !e.closest('nav, .scroll')).map(e => e.outerHTML.slice(0, 90)).slice(0, 5)""")


def check(page, axe, path, how):
    expect(page.locator("h1").first).to_be_visible()
    assert troubles(page, axe) == [], f"{path}, {how}"
    assert fits(page), f"{path}, {how}: sticks out: {sticks_out(page)}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE, ENLARGED], ids=["desktop", "phone", "enlarged"])
def test_the_desk_for_everyone(server, admin, axe, open_page, scheme, size):
    page = open_page(size)
    page.emulate_media(color_scheme=scheme)
    sign_in(page, server, "admin-axe", admin)
    expect(page.locator(".line", has_text=SENDER)).to_be_visible()
    conversation = page.locator(".line a", has_text=SENDER).first.get_attribute("href")
    for lang in ("fr", "en"):
        page.goto(f"{server.url}/lang/{lang}?next=/console")
        for path in [*PAGES, conversation]:
            page.goto(server.url + path)
            expect(page.locator("html")).to_have_attribute("lang", lang)
            check(page, axe, path, f"{scheme}, {lang}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_doors_for_everyone(server, admin, axe, open_page, scheme):
    page = open_page(PHONE)
    page.emulate_media(color_scheme=scheme)
    for path in ("/login", "/chat"):
        page.goto(server.url + path)
        expect(page.locator("html")).to_have_attribute("lang", re.compile("fr|en"))
        check(page, axe, path, scheme)
