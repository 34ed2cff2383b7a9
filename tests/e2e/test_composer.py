"""The reply box: drafts with the right facts, canned replies, what a text is as SMS, taking back, sending and resolving."""

import json
import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from conftest import DESKTOP, PHONE, fits
from test_desk import sign_in
from timetable import ZONE, Timetable

TIMETABLE = Timetable()
TIME = re.compile(r"\b(\d\d:\d\d)\b")


@pytest.fixture(scope="module")
def server(start_server):
    return start_server(desk__undo="4s", sms__segment_budget="9", sms__cost_per_segment="{ twilio = 0.0725 }")


def in_charge(server, twilio, page, login, sender, text="je veux parler à un conseiller svp"):
    """The agent has a new customer's conversation on the page; the address of it."""
    sign_in(page, server, login, server.add_agent(login, f"{login.title()} Test"))
    server.receives_sms(sender, text)
    twilio.reply_to(sender)
    line = page.locator("#s-waiting .line", has_text=sender)
    expect(line).to_be_visible()
    line.locator("a").click()
    page.locator("#b-take").click()
    expect(page.locator("#reply")).to_be_visible()
    return page.url


def facts(server, sender, text):
    rows = server.rows(f"SELECT m.facts FROM messages m JOIN conversations c ON c.id = m.conversation_id JOIN contacts k ON k.id = c.contact_id "
                       f"WHERE k.address = '{sender}' AND m.author = 'agent' AND m.text LIKE '{text}%'")
    return [json.loads(found) for (found,) in rows]


def test_from_the_draft_to_the_end(server, twilio, open_page, picture):
    sender = "+33622000101"
    page = open_page(DESKTOP)
    in_charge(server, twilio, page, "camille", sender)
    box = page.locator("#text")
    # The wish for a person has no answer but a word of patience.
    expect(page.locator("#drafts .k-holding")).to_contain_text("ici Camille")

    # The customer goes on: new drafts come by themselves, with trains of the timetable.
    server.receives_sms(sender, "prochain train vitré rennes demain à 8h svp")
    draft = page.locator("#drafts .draft", has_text="Rennes").first
    expect(draft).to_be_visible()
    tomorrow = (datetime.now(ZONE) + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
    known = TIMETABLE.departures("Vitré", "Rennes", tomorrow, tomorrow + timedelta(hours=3))
    words = draft.locator(".draft-words").inner_text()
    told = TIME.findall(words)
    assert told, words
    assert {time for time in told} & {departure.at.strftime("%H:%M") for departure in known}, (words, known)
    expect(draft.locator(".facts summary")).to_contain_text("timetable: Guichet demo")
    picture(page, "composer-drafts")

    # By its key; in the box it is a text like any other.
    page.locator("#transcript").focus()
    page.keyboard.press("1")
    expect(box).to_be_focused()
    expect(box).to_have_value(words)
    expect(page.locator("#counter")).to_contain_text("SMS")
    expect(page.locator("#counter")).to_contain_text("0,0725 EUR")
    box.press("Home")
    box.press("Control+Home")
    page.keyboard.type("Bonjour ! ")
    picture(page, "composer-inserted")

    # Sent, and taken back: nothing leaves, and the text is in the box again.
    box.press("Control+Enter")
    undo = page.locator("#undo")
    expect(undo).to_be_visible()
    expect(undo).to_contain_text("Envoyé")
    expect(box).to_have_value("")
    picture(page, "composer-undo")
    box.press("Control+z")
    expect(box).to_have_value("Bonjour ! " + words)
    expect(undo).to_be_hidden()
    expect(page.locator("#transcript li.said.agent")).to_have_count(0)
    expect(page.locator("#transcript")).to_contain_text("a repris sa réponse")

    # Sent for good: the facts go with it.
    page.locator("#send").click()
    expect(undo).to_be_visible()
    assert twilio.reply_to(sender, 2).body == "Bonjour ! " + words
    expect(undo).to_be_hidden()
    (stored,) = facts(server, sender, "Bonjour")
    assert stored and all(fact["source"].startswith("timetable: Guichet demo") for fact in stored), stored
    expect(page.locator("#transcript li.said.agent .facts summary")).to_be_visible()
    assert len(twilio.to(sender)) == 2, "what was taken back never left"

    # A canned reply, and the end.
    box.press_sequentially("/au")
    expect(page.locator("#canned [role=option]:visible")).to_have_count(1)
    box.press("Enter")
    expect(box).to_have_value(re.compile("^Avec plaisir. Bonne journée"))
    box.press("Control+Shift+Enter")
    expect(page.locator(".pill.state")).to_have_text("résolue")
    expect(undo).to_be_visible()
    # Taken back, the conversation goes on.
    page.keyboard.press("z")
    expect(page.locator(".pill.state")).to_have_text("Camille Test")
    expect(box).to_have_value(re.compile("^Avec plaisir. Bonne journée"))
    page.locator("#send-resolve").click()
    expect(page.locator(".pill.state")).to_have_text("résolue")
    assert twilio.reply_to(sender, 3).body.startswith("Avec plaisir")
    assert len(twilio.to(sender)) == 3


def test_the_list_behind_the_slash(server, twilio, open_page, picture):
    sender = "+33622000102"
    page = open_page(DESKTOP)
    in_charge(server, twilio, page, "sacha", sender)
    box, options = page.locator("#text"), page.locator("#canned [role=option]:visible")
    chosen = page.locator("#canned [aria-selected=true]")
    box.press_sequentially("Bonjour /")
    expect(options.first).to_be_visible()
    everything = options.count()
    assert everything > 8
    expect(chosen).to_have_attribute("data-name", "patience")
    box.press("ArrowDown")
    expect(chosen).to_have_attribute("data-name", "hello")
    assert box.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    box.press("ArrowUp")
    box.press("ArrowUp")
    assert chosen.get_attribute("id") == options.last.get_attribute("id")
    picture(page, "composer-canned")
    box.press("Escape")
    expect(page.locator("#canned")).to_be_hidden()
    expect(box).to_be_focused()
    expect(box).to_have_value("Bonjour /")

    # Its gap is selected, blocks sending, and is filled by typing.
    box.press_sequentially("call")
    expect(options).to_have_count(1)
    box.press("Tab")
    expect(box).to_have_value(re.compile(r"^Bonjour Je dois vérifier .*\[\[heure\]\]\.$"))
    expect(page.locator("#gap")).to_contain_text("heure")
    box.press("Control+Enter")
    expect(page.locator("#alert")).to_contain_text("heure")
    expect(page.locator("#undo")).to_be_hidden()
    page.keyboard.type("18 h")
    expect(box).to_have_value(re.compile(r"avant 18 h\.$"))
    box.press("Control+Enter")
    assert twilio.reply_to(sender, 2).body.endswith("avant 18 h.")

    # Within a word or an address, "/" is itself; a name that nobody has offers nothing.
    for text in ("et/ou", "https://x.fr/a", "/zzzz"):
        box.fill("")
        box.press_sequentially(text)
        expect(page.locator("#canned")).to_be_hidden()
    box.fill("")


def test_a_text_is_counted_as_the_server_counts(server, twilio, open_page, picture):
    sender = "+33622000103"
    page = open_page(DESKTOP)
    in_charge(server, twilio, page, "alix", sender)
    box, counter = page.locator("#text"), page.locator("#counter")
    texts = [
        "a", "a" * 160, "a" * 161, "€" * 80, "€" * 81, "ç", "ê" * 70, "ê" * 71, "é" * 306, "é" * 307, "x" * 152 + "€" + "x" * 10,
        "🚆" * 35, "🚆" * 36, "👨‍👩‍👧‍👦" * 7, "Été à Besançon : l’œuvre coûte 3 €", "ligne\nligne " * 20,
    ]
    for text in texts:
        expected = json.loads(server.command("sms", "--json", text.strip()))
        box.fill(text)
        expect(counter.locator("strong")).to_have_text(f"{expected['segments']} SMS")
        expect(counter).to_contain_text(expected["encoding"])
    # What would be cheaper is shown as it would go out, and taken with one press.
    box.fill("Ça ira, le train arrive bientôt à quai. " * 3)
    expect(counter.locator("strong")).to_have_text("2 SMS")
    page.locator("#preview summary").click()
    expect(page.locator(".parts li")).to_have_count(2)
    expect(page.locator("#thrifty")).to_have_text(re.compile("^Ça ira, le train arrive bientot"))
    picture(page, "composer-preview")
    page.locator("#use-thrifty").click()
    expect(counter.locator("strong")).to_have_text("1 SMS")
    box.fill("é" * 1601)
    expect(page.locator("#count [role=alert]")).to_contain_text("1600")
    box.fill("")
    expect(counter).to_have_text("")


def test_the_box_fits_a_phone(server, twilio, open_page, picture):
    page = open_page(PHONE)
    in_charge(server, twilio, page, "noor", "+33622000104", "bonjour, un conseiller s'il vous plaît")
    expect(page.locator("#drafts .draft").first).to_be_visible()
    page.locator("#text").fill("Bonjour, un instant, je regarde cela tout de suite.")
    assert fits(page)
    picture(page, "composer-phone")


def test_everything_works_without_the_script(server, twilio, browser, open_page):
    sender = "+33622000105"
    page = open_page(DESKTOP)
    url = in_charge(server, twilio, page, "robin", sender)
    state = page.context.storage_state()
    plain = browser.new_context(java_script_enabled=False, storage_state=state, locale="fr-FR", viewport=DESKTOP)
    try:
        page = plain.new_page()
        page.goto(url)
        page.get_by_role("link", name="Voir les réponses proposées").click()
        page.locator("#text").fill("Bonjour,")
        page.locator("#drafts .draft-text").first.click()
        expect(page.locator("#text")).to_have_value(re.compile(r"^Bonjour,\n\nBonjour, ici Robin"))
        expect(page.locator("#counter")).to_contain_text("SMS")
        page.locator("#send").click()
        page.locator("#undo button").click()
        expect(page.locator("#text")).to_have_value(re.compile(r"^Bonjour,\n\nBonjour, ici Robin"))
        page.locator("#send").click()
        assert twilio.reply_to(sender, 2).body.startswith("Bonjour,")
        assert len(twilio.to(sender)) == 2
    finally:
        plain.close()


@pytest.mark.parametrize("taken_back", [False, True])
def test_a_crash_neither_loses_a_reply_nor_sends_one_that_was_taken_back(server, twilio, open_page, taken_back):
    sender = "+33622000107" if taken_back else "+33622000106"
    page = open_page(DESKTOP, allow_errors=True)
    in_charge(server, twilio, page, "sam" if taken_back else "lou", sender)
    page.locator("#text").fill("Je suis là.")
    page.locator("#text").press("Control+Enter")
    expect(page.locator("#undo")).to_be_visible()
    if taken_back:
        page.locator("#undo button").click()
        expect(page.locator("#text")).to_have_value("Je suis là.")
    server.crash()
    server.start()
    if taken_back:
        waiting = "SELECT COUNT(*) FROM jobs j JOIN messages m ON m.id = j.message_id WHERE m.author = 'agent'"
        assert server.rows(waiting) == [[0]]
        assert len(twilio.to(sender)) == 1
    else:
        assert twilio.reply_to(sender, 2).body == "Je suis là."
