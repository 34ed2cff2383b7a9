"""The web chat in a browser: its page, its history, live replies, and the widget on someone else's site."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from conftest import DESKTOP, PHONE, fits


def say(page, text):
    page.locator("textarea").fill(text)
    page.locator("textarea").press("Enter")


def from_bot(page):
    """What the bot said, without its welcome and the dots of its typing."""
    return page.locator("li.bot:not(.typing) .bubble")


@pytest.mark.parametrize(("viewport", "name"), [(DESKTOP, "desktop"), (PHONE, "phone")])
def test_a_question_is_answered_live_and_stays(server, open_page, picture, viewport, name):
    page = open_page(viewport)
    page.goto(f"{server.url}/chat")
    expect(page.locator("textarea")).to_be_visible()
    assert fits(page)
    picture(page, f"chat-empty-{name}")
    welcome = from_bot(page).count()
    say(page, "prochain train de Nantes à Angers demain à 8h")
    answer = from_bot(page).nth(welcome)
    expect(answer).to_contain_text("Angers")
    expect(answer).to_contain_text("démonstration")
    assert fits(page)
    picture(page, f"chat-answered-{name}")
    said = answer.inner_text()
    page.reload()
    expect(page.locator("li.customer .bubble")).to_have_text("prochain train de Nantes à Angers demain à 8h")
    expect(from_bot(page).nth(welcome)).to_have_text(said, use_inner_text=True)
    expect(page.locator("li.customer")).to_have_count(1)


def test_two_browsers_do_not_see_each_other(server, open_page):
    first, second = open_page(), open_page()
    for page in (first, second):
        page.goto(f"{server.url}/chat")
        expect(page.locator("textarea")).to_be_visible()
    say(first, "bonjour, ceci est à moi")
    expect(first.locator("li.customer")).to_have_count(1)
    second.reload()
    expect(second.locator("textarea")).to_be_visible()
    expect(second.locator("li.customer")).to_have_count(0)


def test_what_is_written_never_becomes_markup(server, open_page):
    page = open_page()
    page.goto(f"{server.url}/chat")
    text = "<img src=x onerror=\"window.broken=1\"><script>window.broken=1</script> {{ 7*7 }}"
    say(page, text)
    expect(page.locator("li.customer .bubble")).to_have_text(text)
    page.reload()
    expect(page.locator("li.customer .bubble")).to_have_text(text)
    assert page.evaluate("window.broken") is None


def test_a_person_answers_in_the_chat(server, open_page):
    from test_desk import sign_in
    customer = open_page()
    customer.goto(f"{server.url}/chat")
    expect(customer.locator("textarea")).to_be_visible()
    say(customer, "je veux parler à un conseiller")
    desk = open_page()
    sign_in(desk, server, "chat", server.add_agent("chat", "Lou Test"))
    desk.locator("#s-waiting .line", has_text="je veux parler à un conseiller").locator("a").click()
    desk.locator("#b-take").click()
    desk.locator("#text").fill("Bonjour, Lou à l'écoute.")
    desk.locator("#reply button.primary").click()
    expect(customer.locator("li.agent .bubble")).to_have_text("Bonjour, Lou à l'écoute.")


def test_the_widget_works_on_another_site(server, open_page, picture):
    site = foreign_site(f'<!doctype html><meta name="viewport" content="width=device-width"><title>Ailleurs</title><p>Un site.</p><script src="{server.url}/widget.js" async></script>')
    try:
        page = open_page(PHONE)
        page.goto(f"http://localhost:{site.server_port}/")
        page.locator(".launcher").tap()
        say(page, "bonjour")
        expect(page.locator("li.customer .bubble")).to_have_text("bonjour")
        expect(from_bot(page).nth(1)).to_be_visible()
        assert fits(page)
        picture(page, "widget-phone")
    finally:
        site.shutdown()


def foreign_site(html):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path == "/"
            body = html.encode() if found else b""
            self.send_response(200 if found else 204)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def test_what_is_ambiguous_is_chosen_by_a_button(server, open_page, picture):
    page = open_page(PHONE)
    page.goto(f"{server.url}/chat")
    say(page, "prochain train de Paris à Lyon")
    buttons = page.locator(".choices button")
    expect(buttons.first).to_be_visible()
    # Buttons need no numbers beside them.
    expect(from_bot(page).last).not_to_contain_text("1.")
    assert fits(page)
    picture(page, "chat-choice")
    label = buttons.first.inner_text()
    buttons.first.click()
    expect(page.locator("li.customer .bubble").last).to_have_text(label)
    # What was asked next, or the answer; the old buttons are gone.
    expect(page.locator("li.customer + li.bot")).to_have_count(2)
    expect(page.locator(".choices button", has_text=label)).to_have_count(0)
