"""What an agent does by keyboard with a send in doubt and with spam; what an admin reads of a provider's calls."""

import re
import secrets

from playwright.sync_api import expect

import peer as other_system
from conftest import DESKTOP
from test_desk import sign_in

SPAM = "Gagnez un iPhone gratuit, cliquez http://a.example http://b.example http://c.example http://d.example"


def test_a_send_in_doubt_is_sent_again_with_one_key(server, peer, open_page, picture):
    password = server.add_agent("robin", "Robin Test")
    address = "client-in-doubt"
    peer.lost.add(address)
    message = {"id": secrets.token_hex(8), "from": address, "text": "je veux parler à un conseiller svp"}
    assert other_system.post(f"{server.url}/webhooks/http", message).status == 200
    page = open_page(DESKTOP)
    sign_in(page, server, "robin", password)
    line = page.locator("#s-waiting .line", has_text=address)
    expect(line).to_contain_text("envoi à vérifier")
    line.locator("a").click()
    doubtful = page.locator("#transcript li.said.bot .status.unknown")
    expect(doubtful).to_contain_text("peut-être envoyé")
    picture(page, "doubtful-desktop")
    assert peer.to(address) == []

    peer.lost.discard(address)
    page.keyboard.press("s")
    peer.reply_to(address)
    expect(page.locator("#transcript li.said.bot .status").first).to_contain_text("envoyé")
    expect(doubtful).to_have_count(0)
    # Pressed once more, there is nothing left to send.
    page.keyboard.press("s")
    page.reload()
    assert len(peer.to(address)) == 1


def test_an_admin_reads_the_calls_and_an_agent_does_not(server, twilio, open_page, picture):
    agent = server.add_agent("dominique", "Dominique Test")
    admin = secrets.token_urlsafe(12)
    server.command("user", "add", "--login", "admin-e2e", "--name", "Admin Test", "--role", "admin", "--password-stdin", given=f"{admin}\n")
    sender = "+33622000041"
    server.receives_sms(sender, "je veux parler à un conseiller svp")
    twilio.reply_to(sender)
    page = open_page(DESKTOP)
    sign_in(page, server, "admin-e2e", admin)
    page.locator("#s-waiting .line", has_text=sender).locator("a").click()
    page.locator("#transcript li.said.bot .status a").first.click()
    expect(page).to_have_url(re.compile(r"/console/messages/.*/trace$"))
    expect(page.locator(".calls li")).to_have_count(1)
    told = page.locator(".calls").inner_text()
    assert "POST 127.0.0.1" in told and "201" in told, told
    assert sender not in told and sender[1:] not in told and "conseiller" not in told, told
    picture(page, "trace-desktop")
    trace = page.url

    other = open_page(DESKTOP, allow_errors=True)
    sign_in(other, server, "dominique", agent)
    for url in (trace, trace.replace("/console/", "/api/")):
        assert other.request.get(url).status == 403, url


def test_spam_waits_apart_until_it_is_let_go_with_one_key(server, twilio, open_page, picture):
    password = server.add_agent("charlie", "Charlie Test")
    sender = "+33622000042"
    server.receives_sms(sender, SPAM)
    page = open_page(DESKTOP)
    sign_in(page, server, "charlie", password)
    line = page.locator("#s-quarantine .line", has_text=sender)
    expect(line).to_be_visible()
    expect(page.locator("#s-waiting .line", has_text=sender)).to_have_count(0)
    picture(page, "quarantine-desktop")
    line.locator("a").click()
    expect(page.locator("#head .alert")).to_contain_text("beaucoup de liens")
    assert twilio.to(sender) == [], "nothing is said to it"
    page.keyboard.press("l")
    expect(page.locator("#head .alert")).to_have_count(0)
    twilio.reply_to(sender)
