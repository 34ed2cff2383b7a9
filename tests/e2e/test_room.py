"""A room: two agents and a customer in three windows, sessions that end, and a server that dies while somebody types."""

import re
import sqlite3

import pytest
from playwright.sync_api import expect

from conftest import DESKTOP
from test_desk import sign_in

ASKS = "je veux parler à un conseiller svp"


@pytest.fixture(scope="module")
def room(server):
    return {login: server.add_agent(login, f"{login.title()} Test") for login in ("alix", "bao")}


@pytest.fixture
def desk(server, room, open_page):
    def enter(login):
        # A server that is away, and a refusal, are errors in the browser's console.
        page = open_page(DESKTOP, allow_errors=True)
        sign_in(page, server, login, room[login])
        return page

    return enter


def waits(page, sender):
    line = page.locator("#s-waiting .line", has_text=sender)
    expect(line).to_be_visible()
    return line


def take(page, sender):
    waits(page, sender).locator("a").click()
    expect(page.locator("#b-take")).to_be_visible()
    page.locator("#b-take").click()
    expect(page.locator("#reply")).to_be_visible()


def test_it_shows_on_both_screens_and_one_of_two_gets_it(server, twilio, desk):
    sender = "+33622000081"
    alix, bao = desk("alix"), desk("bao")
    server.receives_sms(sender, ASKS)
    for page in (alix, bao):
        waits(page, sender).locator("a").click()
        expect(page.locator("#b-take")).to_be_visible()
    # Neither page knows yet that the other presses too.
    for page in (alix, bao):
        page.evaluate("document.getElementById('f-take').requestSubmit()")
    names = {"Alix Test": alix, "Bao Test": bao}
    expect(alix.locator(".pill.state")).to_have_text(re.compile("|".join(names)))
    winner = alix.locator(".pill.state").inner_text()
    expect(bao.locator(".pill.state")).to_have_text(winner)
    for name, page in names.items():
        if name == winner:
            expect(page.locator("#reply")).to_be_visible()
        else:
            expect(page.locator("#reply")).to_be_hidden()
    assert server.rows("SELECT COUNT(*) FROM events WHERE kind = 'taken'") == [[1]]


def test_a_session_that_ends_costs_no_word(server, twilio, desk, room):
    sender, words = "+33622000082", "Bonjour, je regarde votre dossier tout de suite."
    page = desk("alix")
    server.receives_sms(sender, ASKS)
    take(page, sender)
    page.locator("#text").fill(words)
    with sqlite3.connect(server.database.removeprefix("sqlite://"), timeout=30) as store:
        store.execute("DELETE FROM sessions")
    store.close()
    page.locator("#send").click()
    expect(page).to_have_url(re.compile(r"/login\?next="))
    page.locator("#login").fill("alix")
    page.locator("#password").fill(room["alix"])
    page.locator("form.card button.primary").click()
    expect(page.locator("#text")).to_have_value(words)
    page.locator("#send").click()
    assert twilio.reply_to(sender, 2).body == words
    expect(page.locator("#text")).to_have_value("")


def test_a_server_that_dies_while_somebody_types(server, twilio, desk):
    sender, words = "+33622000083", "Votre valise est au bureau des objets trouvés de Rennes."
    page = desk("alix")
    server.receives_sms(sender, ASKS)
    take(page, sender)
    page.locator("#text").press_sequentially(words[:20])
    server.crash()
    expect(page.locator("#lost")).to_be_visible()
    page.locator("#text").press_sequentially(words[20:])
    server.start()
    # The page comes back by itself, and is live again.
    expect(page.locator("#lost")).to_be_hidden()
    expect(page.locator("#text")).to_have_value(words)
    server.receives_sms(sender, "vous êtes là ?")
    expect(page.locator("#transcript")).to_contain_text("vous êtes là ?")
    page.locator("#send").click()
    assert twilio.reply_to(sender, 2).body == words
    assert [message.body for message in twilio.to(sender)].count(words) == 1


def test_who_signs_out_gives_everything_back(server, twilio, desk):
    sender = "+33622000084"
    alix, bao = desk("alix"), desk("bao")
    server.receives_sms(sender, ASKS)
    take(alix, sender)
    expect(bao.locator("#s-others .line", has_text=sender)).to_be_visible()
    alix.locator("form[action='/logout'] button").click()
    expect(alix).to_have_url(re.compile("/login"))
    waits(bao, sender)
