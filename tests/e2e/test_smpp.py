"""SMS by SMPP: an SMSC that others wrote, and customers who write through it with a client that others wrote."""

import re

import pytest
from playwright.sync_api import expect

from conftest import DESKTOP
from smsc import NUMBER, Smsc
from test_desk import sign_in
from wait import until

THROTTLED = 0x58


@pytest.fixture(scope="module")
def smsc(tmp_path_factory):
    peer = Smsc(tmp_path_factory.mktemp("smsc"))
    yield peer
    peer.kill()


def keys(smsc: Smsc) -> dict[str, str]:
    channel = {
        "kind": "smpp", "url": smsc.url, "system_id": "guichet", "password": "secret", "source_addr": NUMBER,
        "enquire_link": "1s", "answer_within": "2s", "parts_within": "1s",
    }
    return {f"channels__sms__{key}": value for key, value in channel.items()}


@pytest.fixture(scope="module")
def server(start_server, smsc):
    server = start_server(**keys(smsc))
    until(lambda: smsc.of("bound"), "the server is bound")
    return server


def inbound(server, number: str) -> list[str]:
    rows = server.rows(
        "SELECT m.text FROM messages m JOIN conversations v ON v.id = m.conversation_id JOIN contacts c ON c.id = v.contact_id "
        f"WHERE c.address = '{number}' AND m.direction = 'inbound' ORDER BY m.created_at, m.seq"
    )
    return [text for [text] in rows]


def statuses(server, number: str) -> list[str]:
    rows = server.rows(
        "SELECT m.status FROM messages m JOIN conversations v ON v.id = m.conversation_id JOIN contacts c ON c.id = v.contact_id "
        f"WHERE c.address = '{number}' AND m.direction = 'outbound' ORDER BY m.created_at, m.seq"
    )
    return [status for [status] in rows]


def test_a_conversation_of_several_turns(server, smsc):
    sender = "+33633000001"
    assert smsc.of("bound")[0]["version"] == 0x34
    smsc.submit(sender, "prochain train pour Rennes")
    question = smsc.reply_to(sender)
    assert "gare" in question.lower(), question
    smsc.submit(sender, "Laval")
    answer = smsc.reply_to(sender, 2)
    assert "Laval" in answer and "Rennes" in answer, answer
    smsc.submit(sender, "et au retour ?")
    back = smsc.reply_to(sender, 3)
    assert re.search(r"Rennes.+Laval", back, re.DOTALL), back
    assert inbound(server, sender) == ["prochain train pour Rennes", "Laval", "et au retour ?"]
    # Each is known to have arrived.
    until(lambda: statuses(server, sender) == ["delivered"] * 3, "three receipts")


def test_the_same_word_twice_is_two_messages(server, smsc):
    sender = "+33633000002"
    smsc.submit(sender, "merci")
    smsc.submit(sender, "merci")
    until(lambda: inbound(server, sender) == ["merci", "merci"], "both are stored")
    assert smsc.reply_to(sender)


def test_a_long_text_beyond_gsm_7_goes_both_ways(server, smsc, open_page):
    sender = "+33633000003"
    text = "Bonjour, ma sœur et moi attendons le train de Laval à Rennes, annoncé à l’heure… savez-vous s’il circule encore aujourd’hui ?"
    assert smsc.submit(sender, text) == 2
    until(lambda: inbound(server, sender) == [text], "the parts are one message")
    smsc.reply_to(sender)
    smsc.submit(sender, "je veux parler à un conseiller svp")
    smsc.reply_to(sender, 2)

    page = open_page(DESKTOP)
    sign_in(page, server, "agent-smpp", server.add_agent("agent-smpp", "Dominique Test"))
    page.locator("#s-waiting .line", has_text=sender).locator("a").click()
    page.locator("#b-take").click()
    reply = "Bonjour, Dominique à l’écoute. Voici le formulaire d’indemnisation pour votre sœur et vous : 30 % dès une heure de retard…"
    page.locator("#text").fill(reply)
    page.locator("#reply button.primary").click()
    assert smsc.reply_to(sender, 3) == reply
    parts = [sent for sent in smsc.of("sent") if sent["to"] == sender.lstrip("+")][-2:]
    assert [(p["coding"], p["part"]["number"], p["part"]["total"], p["receipt"]) for p in parts] == [(8, 1, 2, 0), (8, 2, 2, 1)]
    expect(page.locator("#transcript li.said.agent .status")).to_have_text(re.compile("remis"))


def test_a_throttled_answer_is_sent_again(server, smsc):
    sender = "+33633000004"
    smsc.order(do="refuse", status=THROTTLED, times=2)
    smsc.submit(sender, "merci")
    assert smsc.reply_to(sender)
    assert [event["status"] for event in smsc.of("refused")] == [THROTTLED] * 2
    until(lambda: statuses(server, sender) == ["delivered"], "it arrived")
    assert len(smsc.texts_to(sender)) == 1


def test_an_smsc_that_was_killed_loses_nothing_and_doubles_nothing(server, smsc):
    sender, late = "+33633000005", "+33633000006"
    # It delivers, is answered, and dies before it has read the answer.
    smsc.order(do="ignore_answers")
    smsc.submit(sender, "merci")
    until(lambda: inbound(server, sender) == ["merci"], "the message is stored")
    smsc.reply_to(sender)
    smsc.kill()
    smsc.start()
    until(lambda: len(smsc.of("bound")) >= 2, "the server is bound again")
    # What it had not known to be answered comes again, and then what is new.
    smsc.submit(late, "merci")
    assert smsc.reply_to(late)
    until(lambda: statuses(server, sender) == ["delivered"], "its receipt came at last")
    assert inbound(server, sender) == ["merci"]
    assert len(smsc.texts_to(sender)) == 1


def test_what_is_written_while_the_server_is_away_comes_when_it_is_back(server, smsc):
    sender = "+33633000007"
    binds, leaves = len(smsc.of("bound")), len(smsc.of("unbind"))
    server.stop()
    assert len(smsc.of("unbind")) == leaves + 1, "it takes its leave"
    smsc.submit(sender, "merci")
    server.start()
    until(lambda: len(smsc.of("bound")) > binds, "bound again")
    assert smsc.reply_to(sender)
    assert inbound(server, sender) == ["merci"]


def test_an_smsc_that_waits_for_each_answer_gets_one(start_server, tmp_path):
    """A window of one: the second part comes only when the first is answered."""
    narrow = Smsc(tmp_path, window=1)
    try:
        server = start_server(**keys(narrow))
        sender = "+33633000008"
        text = "Quels sont les prochains départs de la gare de Laval vers la gare de Rennes, s’il vous plaît ? Ma sœur et moi sommes pressés, merci"
        assert narrow.submit(sender, text) == 2
        until(lambda: "".join(inbound(server, sender)) == text, "both parts are stored")
        answer = narrow.reply_to(sender)
        assert "Laval" in answer and "Rennes" in answer, answer
    finally:
        narrow.kill()
