"""What is valid but odd is stored once and handled sensibly."""

import time

import pytest

from fake_twilio import post_signed, sms
from peer import post
from wait import until

TEXTS = {
    "empty": "",
    "blank": "   \n ",
    "emoji only": "🚆🚆🚆",
    "one family": "👨‍👩‍👧‍👦",
    "10,000 characters": ("je voudrais savoir " * 600)[:10_000],
    "one long word": "a" * 10_000,
    "right to left": "\u202eengis ud niart el",
    "a template": "{{ 7 * 7 }} {% for x in y %}",
    "markup": "<script>alert(1)</script>",
    "SQL": "'); DROP TABLE messages; --",
    "control characters": "bonjour\x01\x1f\x7f",
    "combining marks": "e" + "\u0301" * 500,
    "digits": "8012",
    "question marks": "?????",
}


def stored_texts(server, sid):
    return [row[0] for row in server.rows(f"SELECT text FROM messages WHERE provider_id = '{sid}' AND direction = 'inbound'")]


@pytest.mark.parametrize("name", TEXTS)
def test_an_odd_text_is_stored_once_and_answered(server, twilio, name):
    number = list(TEXTS).index(name)
    sender, text = f"+336440000{number:02}", TEXTS[name]
    sid = server.receives_sms(sender, text)
    assert stored_texts(server, sid) == [text]
    body = twilio.reply_to(sender).body
    assert body.strip() and len(body) <= 1600
    assert "49" not in body if name == "a template" else True


def test_a_nul_character_harms_nobody(server, twilio):
    sid = server.receives_sms("+33644000050", "bon\0jour")
    assert stored_texts(server, sid) == ["bon\ufffdjour"]
    twilio.reply_to("+33644000050")


def test_a_photo_is_noted(server, twilio):
    sender = "+33644000051"
    media = {"NumMedia": "1", "MediaUrl0": "https://api.twilio.com/2010-04-01/Accounts/AC/Messages/MM/Media/ME", "MediaContentType0": "image/jpeg"}
    sid = server.receives_sms(sender, "", **media)
    [[noted]] = server.rows(f"SELECT media FROM messages WHERE provider_id = '{sid}'")
    assert "image/jpeg" in noted and media["MediaUrl0"] in noted
    assert twilio.reply_to(sender).body


def test_a_repeated_delivery_is_stored_and_answered_once(server, twilio):
    sender = "+33644000052"
    sid = server.receives_sms(sender, "bonjour")
    twilio.reply_to(sender)
    for _ in range(5):
        server.receives_sms(sender, "bonjour", sid=sid)
    # A later message is answered second: nothing came between.
    server.receives_sms(sender, "merci")
    twilio.reply_to(sender, 2)
    assert stored_texts(server, sid) == ["bonjour"]
    assert len(twilio.to(sender)) == 2


def test_an_older_id_after_a_newer_one_is_a_message_like_any_other(server, twilio):
    sender = "+33644000053"
    server.receives_sms(sender, "bonjour", sid="SM" + "f" * 32)
    server.receives_sms(sender, "merci", sid="SM" + "0" * 32)
    twilio.reply_to(sender, 2)
    texts = server.rows("SELECT m.text FROM messages m JOIN conversations c ON c.id = m.conversation_id JOIN contacts k ON k.id = c.contact_id "
                        f"WHERE k.address = '{sender}' AND m.direction = 'inbound' ORDER BY m.seq")
    assert texts == [["bonjour"], ["merci"]]


def test_fields_that_twilio_adds_one_day_are_no_error(server, twilio):
    form = sms("SMfuture", "+33644000054", "bonjour", BrandNewField="x", AnotherOne="é")
    assert post_signed(server.twilio_webhook, form).status == 200
    twilio.reply_to("+33644000054")


def test_another_system_plugs_in_with_signed_json(server, peer):
    url = f"{server.url}/webhooks/http"
    assert post(url, {"id": "1", "from": "kiosk-7", "text": "bonjour"}).status == 200
    reply = peer.reply_to("kiosk-7")
    assert set(reply) == {"id", "to", "text"} and reply["text"]
    # The same message again, newly signed: accepted, stored once.
    time.sleep(1.1)
    assert post(url, {"id": "1", "from": "kiosk-7", "text": "bonjour"}).status == 200
    assert stored_texts(server, "1") == ["bonjour"]
    assert post(f"{url}/status", {"id": reply["id"], "status": "delivered"}).status == 200
    until(lambda: server.rows(f"SELECT status FROM messages WHERE provider_id = '{reply['id']}'") == [["delivered"]], "delivered")
    assert not peer.refused, "a callback with a wrong signature"
