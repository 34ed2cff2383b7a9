"""Messenger, WhatsApp and a page's comments: signed batches come in, answers go out through the Graph API."""

import pytest

import fake_graph
from fake_graph import FakeGraph, page, post, said, whatsapp
from fake_twilio import request
from wait import until


@pytest.fixture(scope="module")
def graph():
    fake = FakeGraph()
    yield fake
    fake.close()


@pytest.fixture(scope="module")
def server(start_server, graph):
    return start_server(**fake_graph.keys("messenger", graph.url), **fake_graph.keys("whatsapp", graph.url))


def test_meta_checks_that_the_address_is_ours(server):
    url = f"{server.url}/webhooks/messenger?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
    answer = request("GET", url + fake_graph.VERIFY)
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, b"1158201444", "text/plain")
    assert request("GET", url + "wrong").status == 403


def test_a_conversation_with_quick_replies(server, graph):
    url, sender = f"{server.url}/webhooks/messenger", "7001"
    batch = page({"messaging": [said(sender, "mid.1", "prochain train de Lille pour Arras")]})
    assert post(url, batch).status == 200
    assert post(url, batch).status == 200, "Meta delivers again what it is not sure of"
    asked = graph.reply_to(sender)
    choices = asked["message"]["quick_replies"]
    assert {choice["payload"] for choice in choices} >= {"Lille Europe", "Lille Flandres"}, asked
    assert "1." not in asked["message"]["text"], "buttons need no numbers"

    chosen = next(choice for choice in choices if choice["payload"] == "Lille Flandres")
    pressed = said(sender, "mid.2", chosen["title"], quick_reply={"payload": chosen["payload"]})
    other = said("7002", "mid.3", "prochain train de Vitré pour Rennes")
    assert post(url, page({"messaging": [pressed]}, {"messaging": [other]})).status == 200
    answer = graph.reply_to(sender, 2)["message"]["text"]
    assert "Lille Flandres" in answer and "Arras" in answer, answer
    assert "Vitré" in graph.reply_to("7002")["message"]["text"]
    assert len(graph.to(sender)) == 2, "the batch that came twice is answered once"


def test_a_send_in_doubt_is_settled_by_its_echo_or_status(server, graph):
    graph.faults.append("accept-then-close")
    assert post(f"{server.url}/webhooks/messenger", page({"messaging": [said("7003", "mid.4", "prochain train de Vitré pour Rennes")]})).status == 200
    ours = graph.reply_to("7003")["message"]["metadata"]
    until(lambda: status(server, ours) == "unknown", "nobody can be asked")
    echo = said(fake_graph.PAGE, "mid.echo", "…", is_echo=True, metadata=ours)
    assert post(f"{server.url}/webhooks/messenger", page({"messaging": [echo]})).status == 200
    until(lambda: status(server, ours) == "sent", "the echo says that it was sent")

    graph.faults.append("accept-then-close")
    message = {"from": "33612345678", "id": "wamid.in", "timestamp": "1", "type": "text", "text": {"body": "prochain train de Vitré pour Rennes"}}
    assert post(f"{server.url}/webhooks/whatsapp", whatsapp(messages=[message])).status == 200
    ours = graph.reply_to("33612345678")["biz_opaque_callback_data"]
    until(lambda: status(server, ours) == "unknown", "nobody can be asked")
    delivered = {"id": "wamid.out", "status": "delivered", "timestamp": "1", "recipient_id": "33612345678", "biz_opaque_callback_data": ours}
    assert post(f"{server.url}/webhooks/whatsapp", whatsapp(statuses=[delivered])).status == 200
    until(lambda: status(server, ours) == "delivered", "the status says that it was delivered")
    assert len(graph.to("7003")) == len(graph.to("33612345678")) == 1


def status(server, message: str) -> str | None:
    # Ids are blobs in SQLite.
    rows = server.rows(f"SELECT status FROM messages WHERE hex(id) = '{message.replace('-', '').upper()}'")
    return rows[0][0] if rows else None


def test_a_comment_is_answered_under_it_with_an_invitation(server, graph):
    def comment(number: str, text: str) -> dict:
        value = {"item": "comment", "verb": "add", "post_id": "1_1", "comment_id": number, "from": {"id": "7004", "name": "Camille"}, "message": text}
        return page({"changes": [{"field": "feed", "value": value}]})

    url, invitation = f"{server.url}/webhooks/messenger", f"https://m.me/{fake_graph.PAGE}"
    assert post(url, comment("1_2", "prochain train de Vitré pour Rennes ?")).status == 200
    answer = graph.reply_to("1_2")["message"]
    assert "Vitré" in answer and invitation in answer, answer
    assert post(url, comment("1_3", "je veux parler à un conseiller")).status == 200
    answer = graph.reply_to("1_3")["message"]
    assert answer.startswith("Pour en parler avec nous") and answer.endswith(invitation), answer


@pytest.mark.parametrize(("secret", "status"), [("another", 403), (fake_graph.SECRET, 200)])
def test_only_what_is_signed_is_taken(server, secret, status):
    before = server.stored()
    batch = page({"messaging": [{"sender": {"id": "7005"}, "reaction": {"emoji": "❤"}}]})
    assert post(f"{server.url}/webhooks/messenger", batch, secret).status == status
    assert server.stored() == before
