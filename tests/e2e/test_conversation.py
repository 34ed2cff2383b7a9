"""Two agents and a customer: from hand to hand with notes, what a colleague types, snooze, corrections, back to the bot."""

import json
import re

import pytest
from playwright.sync_api import expect

from conftest import DESKTOP, PHONE, fits
from test_desk import sign_in
from wait import until


@pytest.fixture(scope="module")
def people(server):
    """Logins and passwords; Noor is a manager."""
    known = {login: server.add_agent(login, name) for login, name in [("camille", "Camille Test"), ("sacha", "Sacha Test")]}
    password = "correct horse battery"
    server.command("user", "add", "--login", "noor", "--name", "Noor Test", "--role", "manager", "--password-stdin", given=f"{password}\n")
    return {**known, "noor": password}


@pytest.fixture
def desk(server, people, open_page):
    """Opens a page of someone's, signed in."""

    def enter(login, viewport=DESKTOP, refusals=False):
        # A refusal is an error in the browser's console, too.
        page = open_page(viewport, allow_errors=refusals)
        sign_in(page, server, login, people[login])
        return page

    return enter


@pytest.fixture
def asked(server, twilio):
    """A customer has asked for a person; the address of the conversation's page."""

    def ask(sender):
        server.receives_sms(sender, "je veux parler à un conseiller svp")
        twilio.reply_to(sender)
        return of(server, sender)

    return ask


def of(server, sender):
    rows = server.rows(f"SELECT lower(hex(c.id)) FROM conversations c JOIN contacts k ON k.id = c.contact_id WHERE k.address = '{sender}' ORDER BY c.opened_at DESC")
    raw = rows[0][0]
    return f"{server.url}/console/conversations/{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"


def take(page, url):
    page.goto(url)
    page.keyboard.press("t")
    expect(page.locator("#reply")).to_be_visible()


def test_a_transfer_brings_its_note_and_a_notice(desk, asked, picture):
    url = asked("+33633000001")
    camille, sacha = desk("camille"), desk("sacha")
    take(camille, url)
    expect(sacha.locator("#mentions")).to_be_hidden()
    camille.keyboard.press("f")
    to = camille.locator("#transfer-to")
    expect(to).to_be_focused()
    label = to.locator("option", has_text="Sacha").inner_text()
    assert re.search(r"absent, 0/4", label), label
    to.select_option(label=label)
    camille.locator("#transfer-note").fill("Bonjour Sacha, <b>billet</b> perdu à Vitré.")
    picture(camille, "conversation-transfer")
    camille.locator("#transfer-note").press("Control+Enter")
    expect(camille.locator(".pill.state")).to_have_text("Sacha Test")
    expect(camille.locator("#reply")).to_be_hidden()
    expect(camille.locator("#tool-transfer")).to_be_hidden()

    # Sacha is on the queue, and sees both without a reload.
    expect(sacha.locator("#mentions-count")).to_have_text("1")
    line = sacha.locator("#mentioned .line")
    expect(line).to_contain_text("Bonjour Sacha, <b>billet</b> perdu")
    picture(sacha, "queue-mentioned")
    line.locator("a").click()
    memo = sacha.locator("#transcript .memo")
    expect(memo).to_contain_text("<b>billet</b> perdu à Vitré")
    expect(memo).to_contain_text("Pour Sacha Test")
    expect(sacha.locator("#mentions")).to_be_hidden()
    picture(sacha, "conversation-note")

    # A supervisor takes it from Sacha.
    noor = desk("noor")
    noor.goto(url)
    noor.keyboard.press("f")
    noor.locator("#transfer-to").select_option(label=noor.locator("#transfer-to option", has_text="Camille").inner_text())
    noor.locator("#tool-transfer button.primary").click()
    expect(sacha.locator(".pill.state")).to_have_text("Camille Test")
    expect(sacha.locator("#reply")).to_be_hidden()
    expect(camille.locator("#reply")).to_be_visible()


def test_a_note_calls_who_reads_elsewhere(server, desk, asked, twilio):
    url = asked("+33633000002")
    camille, sacha = desk("camille"), desk("sacha")
    take(camille, url)
    sacha.goto(f"{server.url}/console/teams")
    camille.keyboard.press("m")
    camille.locator("#note-text").fill("Vu avec")
    camille.locator("[data-mention=sacha]").click()
    expect(camille.locator("#note-text")).to_have_value("Vu avec @sacha ")
    # A session that ends meanwhile costs no word.
    camille.reload()
    camille.keyboard.press("m")
    expect(camille.locator("#note-text")).to_have_value("Vu avec @sacha ")
    camille.keyboard.type("merci")
    camille.locator("#tool-note button.primary").click()
    expect(camille.locator("#transcript .memo")).to_have_count(1)
    expect(camille.locator("#tool-note summary")).to_be_focused()
    expect(camille.locator("#note-text")).to_have_value("")
    camille.keyboard.press("m")
    camille.locator("#note-text").fill("Une deuxième")
    camille.locator("#note-text").press("Control+Enter")
    expect(camille.locator("#transcript .memo")).to_have_count(2)
    sacha.reload()
    expect(sacha.locator("#mentions-count")).to_have_text("1")
    sacha.goto(url)
    expect(sacha.locator("#mentions")).to_be_hidden()
    # Sacha looks at it when the next one comes: it is read as it arrives.
    camille.keyboard.press("m")
    camille.locator("#note-text").fill("@Sacha. Tu vois ?")
    camille.locator("#note-text").press("Control+Enter")
    expect(sacha.locator("#transcript .memo")).to_have_count(3)
    until(lambda: server.rows("SELECT COUNT(*) AS n FROM mentions WHERE read_at IS NULL") == [[0]], "it is read")
    assert len(twilio.to("+33633000002")) == 1, "no note reaches the customer"


def test_a_colleague_sees_who_types_and_what(server, desk, asked, picture, open_page, people):
    url = asked("+33633000003")
    camille, sacha = desk("camille"), desk("sacha")
    take(camille, url)
    sacha.goto(url)
    expect(sacha.locator("#writing-text")).to_have_count(0)
    camille.locator("#text").press_sequentially("Votre train de 18h04 est")
    expect(sacha.locator("#writing-who")).to_have_text("Camille Test écrit…")
    sacha.locator("#writing-text summary").click()
    expect(sacha.locator("#writing-text p")).to_have_text("Votre train de 18h04 est")
    camille.locator("#text").press_sequentially(" à l'heure.")
    expect(sacha.locator("#writing-text p")).to_have_text("Votre train de 18h04 est à l'heure.")
    assert sacha.locator("#writing-text").evaluate("d => d.open"), "it stays as Sacha opened it"
    picture(sacha, "conversation-writing")
    # Camille goes on in another browser, where no draft was kept.
    again = desk("camille")
    again.goto(url)
    expect(again.locator("#text")).to_have_value("Votre train de 18h04 est à l'heure.")
    camille.locator("#text").press("Control+Enter")
    expect(camille.locator("#transcript li.said.agent")).to_have_count(1)
    expect(sacha.locator("#writing-text")).to_have_count(0)
    expect(again.locator("#text")).to_have_value("")
    until(lambda: server.rows("SELECT COUNT(*) AS n FROM drafts") == [[0]], "the draft is forgotten")


def test_a_snooze_ends_when_the_customer_writes(server, desk, asked, picture):
    sender = "+33633000004"
    url = asked(sender)
    camille = desk("camille", refusals=True)
    take(camille, url)
    camille.keyboard.press("w")
    camille.locator("#snooze-for").select_option("2h")
    camille.locator("#tool-snooze button.primary").click()
    expect(camille.locator(".pill.snoozed")).to_be_visible()
    expect(camille.locator("#tool-snooze")).to_be_hidden()
    picture(camille, "conversation-snoozed")
    camille.keyboard.press("w")
    expect(camille.locator(".pill.snoozed")).to_have_count(0)
    camille.keyboard.press("w")
    camille.locator("#snooze-at").fill("2020-01-01T08:00")
    camille.locator("#tool-snooze button.primary").click()
    expect(camille.locator("#alert")).to_contain_text("30 jours")
    camille.locator("#snooze-for").select_option("customer")
    camille.locator("#tool-snooze button.primary").click()
    expect(camille.locator(".pill.snoozed")).to_be_visible()
    camille.goto(f"{server.url}/console")
    expect(camille.locator("#s-snoozed .line", has_text=sender)).to_be_visible()
    server.receives_sms(sender, "alors ?")
    expect(camille.locator("#s-mine .line", has_text=sender)).to_be_visible()
    expect(camille.locator("#s-snoozed .line", has_text=sender)).to_have_count(0)


def test_the_bot_is_corrected_and_has_it_back(server, desk, asked, twilio, picture):
    sender = "+33633000005"
    url = asked(sender)
    camille = desk("camille", refusals=True)
    take(camille, url)
    camille.keyboard.press("c")
    expect(camille.locator("#correct-what")).to_contain_text("je veux parler à un conseiller")
    camille.locator("#correct-intent").fill("service.nothing")
    camille.locator("#correct-intent").press("Enter")
    expect(camille.locator("#alert")).to_contain_text("n’existe pas")
    names = camille.locator("#intents option").evaluate_all("all => all.map(o => o.value)")
    assert "traffic.train_delay" in names and "out_of_scope" in names
    picture(camille, "conversation-correct")
    camille.locator("#correct-intent").fill("traffic.train_delay")
    camille.locator("#correct-intent").press("Enter")
    expect(camille.locator("#transcript .fixed")).to_contain_text("traffic.train_delay")
    expect(camille.locator("#tool-correct")).to_be_hidden()
    expect(camille.locator(".fix").last).to_be_focused()

    noor = desk("noor")
    noor.goto(f"{server.url}/console/corrections")
    proposal = noor.locator(".proposal", has_text="traffic.train_delay")
    expect(proposal).to_contain_text("Camille Test")
    picture(noor, "corrections")
    proposal.locator("textarea").fill("où est mon train ?")
    proposal.locator("button.good").click()
    expect(noor.locator(".proposal")).to_have_count(0)
    file = noor.request.get(f"{server.url}/console/corrections/export")
    assert json.loads(file.text()) == {"text": "où est mon train ?", "intent": "traffic.train_delay", "lang": "fr"}
    corrected = server.folder / "corrections.jsonl"
    corrected.write_bytes(file.body())
    assert "traffic.train_delay" in server.command("import", str(corrected), "--dry-run")

    camille.keyboard.press("b")
    expect(camille.locator(".pill.state")).to_have_text("avec le robot")
    expect(camille.locator("#reply")).to_be_hidden()
    before = len(twilio.to(sender))
    server.receives_sms(sender, "prochain train de Nantes à Angers demain à 8h")
    assert "Angers" in twilio.reply_to(sender, before + 1).body
    expect(camille.locator("#transcript")).to_contain_text("Angers")


def test_tags_and_the_other_conversations_of_a_person(server, desk, asked, twilio, picture):
    first, second = "+33633000006", "+33633000007"
    url, other = asked(first), asked(second)
    camille = desk("camille")
    take(camille, url)
    camille.locator("#tag").fill("Objet  PERDU")
    camille.locator("#tag").press("Enter")
    expect(camille.locator("#tag-list li")).to_have_text(re.compile("objet perdu"))
    expect(camille.locator("#tag")).to_have_value("")
    expect(camille.locator("#no-earlier")).to_be_visible()
    camille.locator("#link-summary").click()
    camille.locator("#link-with").fill(second)
    # What is typed here is left alone when the page is fetched again.
    server.receives_sms(first, "vous êtes là ?")
    expect(camille.locator("#transcript")).to_contain_text("vous êtes là ?")
    expect(camille.locator("#link-with")).to_have_value(second)
    camille.locator("#link-with").press("Enter")
    expect(camille.locator("#earlier-list li")).to_have_count(1)
    expect(camille.locator("#earlier-list")).to_contain_text(second)
    picture(camille, "conversation-linked")
    camille.locator("#earlier-list a").click()
    expect(camille).to_have_url(other)
    expect(camille.locator("#linked-list")).to_contain_text(first)
    expect(camille.locator("#tags-lately option")).to_have_count(1)
    camille.locator("#linked-list button").click()
    expect(camille.locator("#no-earlier")).to_be_visible()
    camille.goto(url)
    camille.locator("#tag-list a").click()
    expect(camille.locator(".line", has_text=first)).to_be_visible()
    expect(camille.locator(".line", has_text=second)).to_have_count(0)


def test_it_fits_a_phone_and_works_without_the_script(server, desk, asked, picture, browser, people):
    sender = "+33633000008"
    url = asked(sender)
    phone = desk("camille", PHONE)
    phone.goto(url)
    phone.locator("#b-take").tap()
    expect(phone.locator("#tool-transfer")).to_be_visible()
    phone.locator("#tool-transfer summary").tap()
    expect(phone.locator("#transfer-to")).to_be_visible()
    assert fits(phone)
    picture(phone, "conversation-transfer-phone")

    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(url)
    page.locator("#login").fill("camille")
    page.locator("#password").fill(people["camille"])
    page.locator("form.card button.primary").click()
    page.locator("#tool-note summary").click()
    page.locator("#note-text").fill("Without a script, @sacha")
    page.locator("#tool-note button.primary").click()
    expect(page.locator("#transcript .memo")).to_contain_text("Without a script")
    page.locator(".fix").last.click()
    page.locator("#correct-intent").fill("general.thanks")
    page.locator("#tool-correct button.primary").click()
    expect(page.locator("#transcript .fixed")).to_contain_text("general.thanks")
    page.locator("#tool-snooze summary").click()
    page.locator("#tool-snooze button.primary").click()
    expect(page.locator(".pill.snoozed")).to_be_visible()
    page.locator("#b-hand-back").click()
    expect(page.locator(".pill.state")).to_have_text("with the bot")
    context.close()
