#!/usr/bin/env python3
"""Pictures for docs/, from a running `guichet serve --demo`: the chat and the console as the README shows them, and for each page of the
console one sheet with both themes, both languages, on a desk and on a phone.

    .local/venv/bin/python scripts/screenshots.py http://127.0.0.1:8080 PASSWORD [FOLDER]
"""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
# Of the console; {conversation} is one that waits.
PAGES = {
    "queue": "/console",
    "conversation": "{conversation}",
    "reports": "/console/reports",
    "handover": "/console/handover",
    "corrections": "/console/corrections",
    "teams": "/console/teams",
    "people": "/console/people",
    "audit": "/console/audit",
    "me": "/console/me",
    "tokens": "/console/me/tokens",
    "hooks": "/console/hooks",
    "api": "/api/docs",
}
# Theme and language of each row of a sheet.
ROWS = [("light", "fr"), ("dark", "fr"), ("light", "en"), ("dark", "en")]
SHEET = """<!doctype html><style>body{{margin:8px;background:#888;display:grid;grid-template-columns:480px 150px 480px 150px;gap:8px}}
img{{width:100%;display:block}}</style>{images}"""


def page(browser: Browser, size: dict, **options) -> Page:
    return browser.new_context(viewport=size, locale="fr-FR", timezone_id="Europe/Paris", **options).new_page()


def say(chat: Page, text: str) -> None:
    chat.locator("textarea").fill(text)
    chat.locator("textarea").press("Enter")
    chat.wait_for_timeout(2500)


def chats(browser: Browser, url: str, folder: Path) -> None:
    for name, size, options in [
        ("chat", DESKTOP, {}),
        ("chat-phone", PHONE, {"has_touch": True}),
        ("chat-phone-dark", PHONE, {"has_touch": True, "color_scheme": "dark"}),
    ]:
        chat = page(browser, size, **options)
        chat.goto(f"{url}/chat")
        say(chat, "slt, a kel h le prochain train Vitré Rennes ?")
        if name == "chat-phone":
            chat.screenshot(path=folder / f"{name}.png")
        say(chat, "je veux parler à un conseiller, ma valise est restée dans le train")
        if name == "chat":
            chat.screenshot(path=folder / f"{name}.png")
        chat.context.close()


def signed_in(browser: Browser, url: str, password: str, size: dict, scheme: str) -> Page:
    desk = page(browser, size, color_scheme=scheme)
    desk.goto(f"{url}/login")
    desk.locator("[name=login]").fill("demo")
    desk.locator("[name=password]").fill(password)
    desk.locator("[name=password]").press("Enter")
    desk.wait_for_url("**/console")
    return desk


def sheets(browser: Browser, url: str, password: str, folder: Path) -> None:
    desks = {(scheme, size["width"]): signed_in(browser, url, password, size, scheme) for scheme in ("light", "dark") for size in (DESKTOP, PHONE)}
    conversation = next(iter(desks.values())).locator(".line a").first.get_attribute("href") or ""
    for name, path in PAGES.items():
        images = []
        for scheme, lang in ROWS:
            for size in (DESKTOP, PHONE):
                desk = desks[scheme, size["width"]]
                desk.goto(f"{url}/lang/{lang}?next=/console")
                desk.goto(url + path.format(conversation=conversation))
                desk.wait_for_timeout(800)
                shot = base64.b64encode(desk.screenshot(type="jpeg", quality=80)).decode()
                images.append(f'<img src="data:image/jpeg;base64,{shot}">')
                readme = {("queue", "light"): "console-queue", ("conversation", "light"): "console", ("conversation", "dark"): "console-dark"}
                if lang == "fr" and size == DESKTOP and (name, scheme) in readme:
                    desk.screenshot(path=folder / f"{readme[name, scheme]}.png")
        sheet = page(browser, {"width": 1300, "height": 700})
        sheet.set_content(SHEET.format(images="".join(images)))
        sheet.screenshot(path=folder / "pages" / f"{name}.jpg", type="jpeg", quality=60, full_page=True)
        sheet.context.close()


def main() -> None:
    url, password = sys.argv[1:3]
    folder = Path(sys.argv[3] if len(sys.argv) > 3 else "docs")
    (folder / "pages").mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"])
        chats(browser, url, folder)
        sheets(browser, url, password, folder)


if __name__ == "__main__":
    main()
