#!/usr/bin/env python3
"""Pictures of the chat and the console for docs/, from a running `guichet serve --demo`.

    .local/venv/bin/python scripts/screenshots.py http://127.0.0.1:8080 PASSWORD [FOLDER]
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}


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
        if name != "chat":
            chat.screenshot(path=folder / f"{name}.png")
        say(chat, "je veux parler à un conseiller, ma valise est restée dans le train")
        chat.screenshot(path=folder / f"{name}.png")


def console(browser: Browser, url: str, password: str, folder: Path) -> None:
    for name, size, scheme in [
        ("console", DESKTOP, "light"),
        ("console-dark", DESKTOP, "dark"),
        ("console-phone", PHONE, "light"),
    ]:
        desk = page(browser, size, color_scheme=scheme)
        desk.goto(f"{url}/login")
        desk.locator("[name=login]").fill("demo")
        desk.locator("[name=password]").fill(password)
        desk.locator("[name=password]").press("Enter")
        desk.wait_for_url("**/console")
        desk.screenshot(path=folder / f"{name}-queue.png")
        desk.locator(".line a").first.click()
        desk.wait_for_timeout(800)
        desk.screenshot(path=folder / f"{name}.png")
    desk.goto(f"{url}/console/reports")
    desk.set_viewport_size(DESKTOP)
    desk.wait_for_timeout(500)
    desk.screenshot(path=folder / "reports.png")


def main() -> None:
    url, password = sys.argv[1:3]
    folder = Path(sys.argv[3] if len(sys.argv) > 3 else "docs")
    folder.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        chats(browser, url, folder)
        console(browser, url, password, folder)


if __name__ == "__main__":
    main()
