"""A request for a person reaches the console, is answered from it in a browser, and the clocks report it."""

import re

import pytest
from playwright.sync_api import expect

from conftest import DESKTOP, PHONE, fits
from fake_twilio import request
from wait import until


def sign_in(page, server, login, password):
    page.goto(f"{server.url}/console")
    expect(page).to_have_url(re.compile(r"/login"))
    page.locator("#login").fill(login)
    page.locator("#password").fill(password)
    page.locator("form.card button.primary").click()
    expect(page).to_have_url(re.compile(r"/console$"))


def test_a_person_is_asked_for_and_answers(server, twilio, open_page, picture):
    password = server.add_agent("camille", "Camille Test")
    sender = "+33622000001"
    page = open_page(DESKTOP)
    sign_in(page, server, "camille", password)
    expect(page.locator("#empty")).to_be_visible()

    # The queue is open when the customer writes: it must show by itself.
    server.receives_sms(sender, "je veux parler à un conseiller svp")
    assert twilio.reply_to(sender).body, "the customer is told what happens next"
    line = page.locator("#s-waiting .line", has_text=sender)
    expect(line).to_be_visible()
    expect(line).to_contain_text("je veux parler à un conseiller svp")
    expect(line).to_contain_text("le client demande une personne")
    picture(page, "queue-desktop")
    line.locator("a").click()

    expect(page.locator("#transcript")).to_contain_text("je veux parler à un conseiller svp")
    expect(page.locator("#reply")).to_be_hidden()
    page.locator("#b-take").click()
    expect(page.locator(".pill.state")).to_have_text("Camille Test")
    page.locator("#text").fill("Bonjour, Camille à votre écoute. Que puis-je faire ?")
    picture(page, "conversation-desktop")
    page.locator("#reply button.primary").click()
    assert twilio.reply_to(sender, 2).body == "Bonjour, Camille à votre écoute. Que puis-je faire ?"
    expect(page.locator("#text")).to_have_value("")
    expect(page.locator("#transcript li.said.agent")).to_have_count(1)
    expect(page.locator("#transcript li.said.agent .status")).to_have_text(re.compile("envoyé|remis"))

    # What the customer writes now is for Camille: the bot keeps still, and the page shows it by itself.
    server.receives_sms(sender, "merci, c'était pour un remboursement")
    expect(page.locator("#transcript")).to_contain_text("remboursement")
    page.locator("#text").fill("C'est noté, bonne journée !")
    page.locator("#text").press("Control+Enter")
    assert twilio.reply_to(sender, 3).body == "C'est noté, bonne journée !"
    expect(page.locator("#transcript li.said.agent")).to_have_count(2)
    page.locator("#b-resolve").click()
    expect(page.locator(".pill.state")).to_have_text("résolue")
    assert len(twilio.to(sender)) == 3, "the bot did not answer while Camille was in charge"

    report = until(lambda: measured(page, server), "the clocks report it")
    group = report["by_channel"]["twilio"]
    assert group["conversations"] == 1
    for clock in ("first_answer", "take_charge", "first_human_answer", "resolution"):
        reading = group["clocks"][clock]
        assert (reading["count"], reading["waiting"]) == (1, 0), clock
        for figure in ("mean", "p50", "p90", "p99"):
            assert 0 <= reading["wall"][figure] < 120, (clock, figure, reading)
    # A notice is no answer: only Camille answered.
    assert group["clocks"]["bot_answer"]["count"] == 0
    assert group["clocks"]["first_answer"]["wall"]["mean"] >= group["clocks"]["take_charge"]["wall"]["mean"]
    assert "general.human_agent" in report["by_intent"]
    page.goto(f"{server.url}/console/reports")
    expect(page.locator("h1")).to_be_visible()
    picture(page, "reports-desktop")


def measured(page, server):
    answer = page.request.get(f"{server.url}/api/reports/response-times")
    assert answer.status == 200, answer.text()
    report = answer.json()
    return report if report["clocks"]["first_human_answer"]["count"] else None


def test_the_console_fits_a_phone(server, twilio, open_page, picture):
    password = server.add_agent("sacha", "Sacha Test")
    sender = "+33622000002"
    server.receives_sms(sender, "passez moi quelqu'un de l'équipe, un conseiller")
    twilio.reply_to(sender)
    page = open_page(PHONE)
    page.goto(f"{server.url}/login")
    assert fits(page)
    picture(page, "login-phone")
    sign_in(page, server, "sacha", password)
    line = page.locator("#s-waiting .line", has_text=sender)
    expect(line).to_be_visible()
    assert fits(page)
    picture(page, "queue-phone")
    line.locator("a").tap()
    expect(page.locator("#transcript")).to_be_visible()
    page.locator("#b-take").tap()
    expect(page.locator("#text")).to_be_visible()
    assert fits(page)
    picture(page, "conversation-phone")


def test_who_is_not_signed_in_sees_nothing(server, open_page):
    for path in ("/api/reports/response-times", "/console/fragments/queue"):
        answer = request("GET", server.url + path, headers={"x-guichet": "1"})
        assert answer.status == 401, path
    # A wrong password, and an unknown login, are refused in the same words.
    server.add_agent("noor", "Noor Test")
    said = []
    for login in ("noor", "nobody"):
        page = open_page(DESKTOP, allow_errors=True)
        page.goto(f"{server.url}/console")
        page.locator("#login").fill(login)
        page.locator("#password").fill("not the password")
        page.locator("form.card button.primary").click()
        expect(page.locator(".alert")).to_be_visible()
        said.append(page.locator(".alert").inner_text())
    assert said[0] == said[1]


@pytest.mark.parametrize("action", ["take", "reply", "resolve"])
def test_a_form_without_its_csrf_word_does_nothing(server, twilio, open_page, action):
    login = f"csrf-{action}"
    page = open_page(DESKTOP, allow_errors=True)
    sign_in(page, server, login, server.add_agent(login, "Alix Test"))
    sender = {"take": "+33622000003", "reply": "+33622000004", "resolve": "+33622000005"}[action]
    server.receives_sms(sender, "je veux parler à un conseiller")
    line = page.locator("#s-waiting .line", has_text=sender)
    expect(line).to_be_visible()
    url = server.url + line.locator("a").get_attribute("href")
    for csrf in ({}, {"csrf": "guessed"}):
        answer = page.request.post(f"{url}/{action}", form={"text": "x", "key": "x", **csrf})
        assert answer.status in (400, 403, 422), answer.status
    page.reload()
    expect(page.locator("#s-waiting .line", has_text=sender)).to_be_visible()
