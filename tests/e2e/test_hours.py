"""Opening hours from a calendar, who is called in an emergency, the handover note, and the survey after the end."""

import json
import re
import time

import pytest
from playwright.sync_api import expect

import peer as signing
from conftest import DESKTOP, PHONE, fits
from test_desk import sign_in
from test_webchat import from_bot, say
from wait import until

CLOSED = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//
BEGIN:VEVENT
UID:every-day@test
DTSTART;VALUE=DATE:20250101
RRULE:FREQ=DAILY;COUNT=1200
SUMMARY:Fermé
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture(scope="module")
def calendar(tmp_path_factory):
    return tmp_path_factory.mktemp("hours") / "closed.ics"


@pytest.fixture(scope="module")
def desk(start_server, peer, calendar):
    """A desk with a calendar, someone on call, promises, and surveys."""
    calendar.write_text(CLOSED.replace("COUNT=1200", "COUNT=1"))
    return start_server(
        desk__hours__calendar=str(calendar),
        desk__on_call__url=peer.url.replace("/replies", "/calls"),
        desk__on_call__secret=signing.SECRET,
        desk__on_call__allow_private="true",
        desk__on_call__retry='["200ms", "200ms", "200ms"]',
        desk__sla__first_answer='{ normal = "2s" }',
        desk__sla__warn_before="1s",
        survey__enabled="true",
        survey__after="1s",
        survey__again_after="1s",
        notices__quiet="",
    )


@pytest.fixture(scope="module")
def calls(peer):
    """Calls to whoever is on call arrive at the same peer, beside replies."""
    return lambda: [call for call in list(peer.received) if call.get("kind")]


def test_an_emergency_calls_once_signed_and_without_the_words(desk, twilio, calls, peer):
    sender = "+33622000101"
    desk.receives_sms(sender, "un homme est tombé sur la voie, vite")
    assert "3117" in twilio.reply_to(sender).body
    call = until(calls, "who is on call is called")[0]
    assert (call["kind"], call["priority"], call["channel"]) == ("emergency", "urgent", "twilio")
    assert call["link"].startswith(f"{desk.url}/console/conversations/")
    assert "tombé" not in json.dumps(call, ensure_ascii=False) and sender not in json.dumps(call)
    desk.receives_sms(sender, "il ne bouge plus, il y a du sang")
    until(lambda: desk.rows("SELECT COUNT(*) FROM jobs") == [[0]], "no job is left")
    assert len(calls()) == 1 and not peer.refused


def test_a_saved_calendar_closes_the_desk_and_a_bad_one_is_told(desk, twilio, calendar):
    def told(sender):
        desk.receives_sms(sender, "je veux parler à un conseiller")
        return twilio.reply_to(sender).body

    assert "ferm" not in told("+33622000111")
    time.sleep(0.01)
    calendar.write_text(CLOSED)
    number = iter(range(120, 200))
    until(lambda: "ferm" in told(f"+33622000{next(number)}"), "the desk is closed")
    calendar.write_text(CLOSED.replace("DATE:20250101", "DATE:demain"))
    problem = until(lambda: [line for line in desk.health().get("degraded", []) if "opening hours" in line], "it is told")
    assert "line 4" in problem[0] and "Cure" in problem[0]
    assert "ferm" in told("+33622000200"), "the last good one stays"
    calendar.write_text(CLOSED.replace("COUNT=1200", "COUNT=1"))
    until(lambda: not [line for line in desk.health().get("degraded", []) if "opening hours" in line], "it is mended")


def test_supervisors_see_a_missed_promise_where_they_are(desk, twilio, open_page, picture):
    password = "une phrase assez longue"
    desk.command("user", "add", "--login", "moss", "--name", "Moss Test", "--role", "manager", "--password-stdin", given=f"{password}\n")
    page = open_page(DESKTOP)
    sign_in(page, desk, "moss", password)
    page.goto(f"{desk.url}/console/teams")
    sender = "+33622000210"
    desk.receives_sms(sender, "je veux parler à un conseiller")
    twilio.reply_to(sender)
    until(lambda: desk.rows("SELECT COUNT(*) FROM events WHERE kind = 'sla_breached'")[0][0] > 0, "it is missed")
    breached = desk.rows("SELECT conversation_id, COUNT(*) FROM events WHERE kind = 'sla_breached' GROUP BY conversation_id")
    assert all(count == 1 for _, count in breached)
    expect(page.locator("#news .strip.late")).to_be_visible()
    picture(page, "supervisor-news")
    page.goto(f"{desk.url}/console/handover")
    expect(page.locator("#handover-promises + ul li").first).to_be_visible()


@pytest.mark.parametrize(("viewport", "theme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light")])
def test_the_handover_note(desk, open_page, picture, viewport, theme):
    login = f"nour{len(theme)}{viewport['width']}"
    page = open_page(viewport)
    page.emulate_media(color_scheme=theme)
    sign_in(page, desk, login, desk.add_agent(login, "Nour Test"))
    page.keyboard.press("p")
    expect(page).to_have_url(re.compile("/console/handover$"))
    expect(page.locator("h1")).to_have_text("Note de passation")
    assert fits(page)
    picture(page, f"handover-{viewport['width']}-{theme}")
    text = page.request.get(f"{desk.url}/console/handover.txt")
    assert text.headers["content-type"].startswith("text/plain")
    assert "NOTE" in text.text().upper() and desk.url in text.text()


def resolved(page, desk, line, said):
    line.locator("a").click()
    page.locator("#b-take").click()
    page.locator("#text").fill(said)
    page.locator("#reply button.primary").click()
    expect(page.locator("#transcript li.said.agent")).to_have_count(1)
    page.locator("#b-resolve").click()
    expect(page.locator(".pill.state")).to_have_text("résolue")


def test_the_survey_in_the_chat_with_buttons(desk, open_page, picture):
    customer, agent = open_page(DESKTOP), open_page(DESKTOP)
    sign_in(agent, desk, "lou", desk.add_agent("lou", "Lou Test"))
    customer.goto(f"{desk.url}/chat")
    say(customer, "je veux parler à un conseiller pour mon abonnement zzyzx")
    line = agent.locator("#s-waiting .line", has_text="zzyzx")
    expect(line).to_be_visible()
    resolved(agent, desk, line, "C'est réglé.")
    buttons = customer.locator(".choices button")
    expect(buttons).to_have_count(5, timeout=30_000)
    picture(customer, "survey-chat")
    buttons.nth(3).click()
    expect(from_bot(customer).last).to_contain_text("Merci pour votre note")
    say(customer, "accueil parfait, merci beaucoup")
    expect(from_bot(customer).last).to_contain_text("commentaire est transmis")
    expect(agent.locator("#transcript")).to_contain_text("4 sur 5")
    picture(agent, "survey-conversation")
    assert [4, "accueil parfait, merci beaucoup"] in desk.rows("SELECT score, comment FROM surveys")
    expect(agent.locator(".pill.state")).to_have_text("résolue")
    agent.goto(f"{desk.url}/console/reports")
    expect(agent.locator("#satisfaction")).to_contain_text("accueil parfait")
    picture(agent, "survey-reports")


def test_the_survey_by_sms_and_after_a_crash(desk, twilio, open_page):
    sender = "+33622000301"
    page = open_page(DESKTOP, allow_errors=True)
    sign_in(page, desk, "ange", desk.add_agent("ange", "Ange Test"))
    desk.receives_sms(sender, "je veux parler à un conseiller")
    first = len(twilio.to(sender)) or twilio.reply_to(sender) and 1
    resolved(page, desk, page.locator("#s-waiting .line", has_text=sender), "C'est fait.")
    question = until(lambda: [m for m in twilio.to(sender) if "de 1 (" in m.body], "the survey is asked", within=40)
    assert len(question) == 1 and first
    desk.receives_sms(sender, "5")
    desk.crash()
    desk.start()
    until(lambda: [m for m in twilio.to(sender) if "Merci pour votre note" in m.body], "thanked after the crash")
    desk.receives_sms(sender, "quand part le train 5 ?")
    until(lambda: desk.rows("SELECT COUNT(*) FROM jobs") == [[0]], "no job is left")
    scores = desk.rows("SELECT s.score, s.comment FROM surveys s JOIN conversations c ON c.id = s.conversation_id JOIN contacts k ON k.id = c.contact_id WHERE k.address = '%s'" % sender)
    assert scores == [[5, None]]
    opened = desk.rows("SELECT COUNT(*) FROM conversations c JOIN contacts k ON k.id = c.contact_id WHERE k.address = '%s'" % sender)
    assert opened == [[2]], "the question opened a conversation of its own"
    assert len([m for m in twilio.to(sender) if "de 1 (" in m.body]) == 1
