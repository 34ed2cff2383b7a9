"""An SMS comes in through Twilio, and the right answer goes out."""

import json
import re
from datetime import datetime, timedelta

import pytest

import fake_twilio
from guichet_server import ROOT
from timetable import ZONE, Timetable
from wait import until

TIMETABLE = Timetable()
MODEL = ROOT / "models" / "guichet-fr-en"
SAID = re.compile(r"(\d\d:\d\d) \S+ (\d+)")


def end_of_day(moment: datetime) -> datetime:
    return moment.replace(hour=23, minute=59, second=59)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_the_next_train_asked_in_sms_spelling_is_one_of_the_timetable(start_server, twilio, database):
    server = start_server(on=database)
    sender = {"sqlite": "+33611000001", "postgres": "+33611000002"}[database]
    before = datetime.now(ZONE)
    left = TIMETABLE.departures("Vitré", "Rennes", before, end_of_day(before))
    if len(left) > 1:
        since, text = before, "slt c koi le proch1 tr1 pr rennes ? jsui a vitré"
    else:
        # Late at night the day has no train left to name.
        since = (before + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
        text = "slt c koi le proch1 tr1 pr rennes demain a 8h ? jsui a vitré"
    server.receives_sms(sender, text)
    body = twilio.reply_to(sender).body

    told = SAID.findall(body)
    assert told, f"no departure in: {body}"
    # From a minute before we asked, for the clock moved on meanwhile; to some hours after midnight.
    possible = TIMETABLE.departures("Vitré", "Rennes", since - timedelta(minutes=1), since + timedelta(hours=24))
    times = [(departure.at.strftime("%H:%M"), departure.train) for departure in possible]
    assert all(departure in times for departure in told), f"{body}\nis not in the timetable: {times[:6]}"
    first = times.index(told[0])
    missed = [departure for departure in possible[:first] if departure.at > since + timedelta(minutes=2)]
    assert not missed, f"the next train is {missed[0]}, told was: {body}"
    assert [times.index(departure) for departure in told] == list(range(first, first + len(told))), "in order, none left out"
    # A demonstration says so, and whose data it is.
    assert "démo inventée" in body and "01/11/2026" in body


def test_a_missing_station_is_asked_for_and_remembered(server, twilio):
    sender = "+33611000003"
    server.receives_sms(sender, "prochain train pour Rennes")
    question = twilio.reply_to(sender).body
    assert "gare" in question.lower(), question
    server.receives_sms(sender, "Laval")
    answer = twilio.reply_to(sender, 2).body
    assert "Laval" in answer and "Rennes" in answer, answer


def test_english_is_answered_in_english(server, twilio):
    server.receives_sms("+447700900001", "What time is the next train from Nantes to Angers please?")
    body = twilio.reply_to("+447700900001").body
    assert "Nantes" in body and "Angers" in body, body
    assert "Horaires" not in body and "Je ne" not in body, body


def test_an_emergency_goes_to_people_at_once(server, twilio):
    sender = "+33611000004"
    server.receives_sms(sender, "au secours il y a un blessé sur la voie en gare de Rennes")
    body = twilio.reply_to(sender).body
    assert "112" in body or "3117" in body or "17" in body, body
    assert server.rows("SELECT c.priority, c.state FROM conversations c JOIN contacts k ON k.id = c.contact_id "
                       f"WHERE k.address = '{sender}'") == [["urgent", "queued"]]


def test_a_delivery_receipt_reaches_the_message(server, twilio):
    sender = "+33611000005"
    server.receives_sms(sender, "bonjour")
    reply = twilio.reply_to(sender)
    assert twilio.call_back(reply, "delivered") == 200
    # Late and out of order, as they come.
    assert twilio.call_back(reply, "sent") == 200
    status = f"SELECT status FROM messages WHERE provider_id = '{reply.sid}'"
    until(lambda: server.rows(status) == [["delivered"]], "delivered")


@pytest.mark.parametrize(("number", "fault"), [(6, 429), (7, "accept-then-500"), (8, "accept-then-close"), (9, 500)])
def test_a_fault_of_the_provider_neither_loses_nor_doubles_the_reply(server, twilio, number, fault):
    sender = f"+3361100000{number}"
    twilio.faults.append(fault)
    server.receives_sms(sender, "bonjour")
    twilio.reply_to(sender)
    settled = ("SELECT m.status FROM messages m JOIN conversations c ON c.id = m.conversation_id "
               f"JOIN contacts k ON k.id = c.contact_id WHERE k.address = '{sender}' AND m.direction = 'outbound'")
    until(lambda: server.rows(settled) == [["sent"]], f"sent once after {fault}")
    assert len(twilio.to(sender)) == 1


def test_behind_a_proxy_the_public_address_is_what_is_signed(start_server, twilio):
    public = "https://bot.example.com"
    server = start_server(server__public_url=public)
    sender, local = "+33611000010", server.twilio_webhook
    form = fake_twilio.sms("SMproxy", sender, "bonjour")
    assert fake_twilio.post_signed(local, form).status == 403, "signed for the inner address"
    assert fake_twilio.post_signed(local, form, signed_url=f"{public}/webhooks/twilio").status == 200
    callback = twilio.reply_to(sender).callback
    assert callback.startswith(f"{public}/webhooks/twilio/status")
    inner = callback.replace(public, server.url)
    form = {"MessageSid": twilio.reply_to(sender).sid, "MessageStatus": "delivered"}
    assert fake_twilio.post_signed(inner, form, signed_url=callback).status == 200


def small_pack(folder):
    """The shipped intents with the first few examples of each: embedding all of them takes minutes in a debug build."""
    intents = folder / "intents"
    intents.mkdir()
    for path in (ROOT / "intents").glob("*.yaml"):
        kept, in_block = [], 0
        for line in path.read_text().splitlines():
            in_block = in_block + 1 if line.startswith("        - ") else 0
            if in_block <= 12:
                kept.append(line)
        (intents / path.name).write_text("\n".join(kept) + "\n")
    return intents


def test_the_full_model_takes_over_when_its_embeddings_are_there(start_server, twilio, tmp_path):
    server = start_server(nlu__encoder=str(MODEL), files__intents=str(small_pack(tmp_path)))
    if "without libtorch" in server.log():
        pytest.skip("the server was built without libtorch; run: make test")
    # The n-grams answer until then.
    sender = "+33611000011"
    server.receives_sms(sender, "bonjour")
    assert twilio.reply_to(sender).body
    until(lambda: server.health()["model"] == "encoder", "the full model is in service", within=300)
    server.receives_sms(sender, "je veux parler à un conseiller")
    assert "personne" in twilio.reply_to(sender, 2).body


def test_stop_is_confirmed_once_and_then_nothing_is_sent(server, twilio):
    sender = "+33611000021"
    server.receives_sms(sender, "« Stop » 🙏")
    assert "START" in twilio.reply_to(sender).body
    for text in ("prochain train Vitré Rennes", "ARRÊT", "aide"):
        server.receives_sms(sender, text)
    until(lambda: server.rows("SELECT COUNT(*) FROM jobs") == [[0]], "everything is read")
    assert len(twilio.to(sender)) == 1
    server.receives_sms(sender, "START")
    twilio.reply_to(sender, 2)


def test_stop_in_a_sentence_is_a_question(server, twilio):
    sender = "+33611000012"
    server.receives_sms(sender, "le train de Rennes fait-il stop à Vitré ?")
    twilio.reply_to(sender)
    assert server.rows(f"SELECT opted_out_at FROM contacts WHERE address = '{sender}'") == [[None]]


def test_a_reply_is_in_gsm7_and_its_cost_is_kept(start_server, twilio):
    prefixes = '{ default = "+33939390000", "+44" = "GUICHET" }'
    server = start_server(sms__cost_per_segment="{ twilio = 0.0725 }", channels__twilio__from=prefixes)
    french, british = "+33611000013", "+447700900013"
    server.receives_sms(french, "aide")
    server.receives_sms(british, "help")
    body = twilio.reply_to(french).body
    assert not set(body) & set("çêâîôûëïœ’«»…–"), body
    assert twilio.reply_to(french).sender == "+33939390000"
    assert twilio.reply_to(british).sender == "GUICHET"
    told = json.loads(server.command("sms", "--json", body))
    assert told["encoding"] == "GSM-7" and told["thrift"]["text"] == body
    kept = ("SELECT m.segments, m.cost FROM messages m JOIN conversations c ON c.id = m.conversation_id "
            f"JOIN contacts k ON k.id = c.contact_id WHERE k.address = '{french}' AND m.direction = 'outbound'")
    assert server.rows(kept) == [[told["segments"], told["segments"] * 72_500]]
    assert told["cost"] == pytest.approx(told["segments"] * 0.0725)


def test_texts_are_counted_line_by_line(server):
    texts = ["Bonjour", {"text": "ç" * 70}, "😀" * 35, "é" * 161]
    lines = server.command("sms", "--json", "-", given="".join(json.dumps(text) + "\n" for text in texts))
    told = [json.loads(line) for line in lines.splitlines()]
    assert [(t["encoding"], t["units"], t["segments"]) for t in told] == [("GSM-7", 7, 1), ("UCS-2", 70, 1), ("UCS-2", 70, 1), ("GSM-7", 161, 2)]
    assert told[1]["thrift"]["text"] == "c" * 70 and told[1]["thrift"]["encoding"] == "GSM-7"
    assert "".join(told[3]["parts"]) == texts[3] and told[0]["cost"] is None
