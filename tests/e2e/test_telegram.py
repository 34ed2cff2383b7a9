"""A conversation on Telegram, by webhook and by polling, with a server that others wrote."""

import pytest

from fake_twilio import request
from telegram_peer import TOKEN, Telegram
from wait import until

SECRET = "a-secret-of-the-webhook_0"


@pytest.fixture(scope="module")
def telegram():
    peer = Telegram()
    yield peer
    peer.close()


@pytest.fixture
def serving(start_server, telegram):
    """A server in one of the modes, once it listens to Telegram."""
    servers = []

    def start(mode):
        secret = {"channels__telegram__secret_token": SECRET} if mode == "webhook" else {}
        server = start_server(channels__telegram__token=TOKEN, channels__telegram__api_url=telegram.url, channels__telegram__mode=mode, **secret)
        servers.append(server)
        if mode == "webhook":
            until(lambda: "Telegram posts here" in server.log(), "the webhook is set")
        return server

    yield start
    # The next one has the same bot.
    for server in servers:
        server.stop()


@pytest.mark.parametrize(("mode", "chat"), [("webhook", 101), ("polling", 102)])
def test_a_conversation_of_several_turns(serving, telegram, mode, chat):
    server = serving(mode)
    telegram.does(chat, command="/start affiche")
    welcome = telegram.reply_to(chat, 1)
    assert "bienvenue" in welcome.text and not welcome.labels, welcome

    telegram.does(chat, say="prochain train pour Rennes")
    asked = telegram.reply_to(chat, 2)
    assert "gare" in asked.text.lower(), asked

    # Where one leaves from, by the position: the stations around, as buttons.
    telegram.does(chat, share=[48.121, -1.212])
    offer = telegram.reply_to(chat, 3)
    assert offer.labels[:1] == ["Vitré"] and "Vitré (" in offer.text, offer
    telegram.does(chat, press="Vitré", message=offer.message)
    answer = telegram.reply_to(chat, 4)
    assert "Vitré" in answer.text and "Rennes" in answer.text, answer
    assert "parse_mode" not in answer.message

    telegram.does(chat, command="/langue")
    choice = telegram.reply_to(chat, 5)
    assert choice.labels == ["English", "Français"], choice
    telegram.does(chat, press="English", message=choice.message)
    assert "I answer in English" in telegram.reply_to(chat, 6).text
    telegram.does(chat, command="/help@guichet_bot")
    assert "talk to a person" in telegram.reply_to(chat, 7).text

    telegram.does(chat, command="/stop")
    assert "no more messages" in telegram.reply_to(chat, 8).text
    settled = ("SELECT m.direction, m.status, COUNT(*) AS n FROM messages m JOIN conversations c ON c.id = m.conversation_id "
               f"JOIN contacts k ON k.id = c.contact_id WHERE k.address = '{chat}' GROUP BY m.direction, m.status ORDER BY m.direction")
    until(lambda: server.rows(settled) == [["inbound", "received", 8], ["outbound", "sent", 8]], "everything is stored and sent once")
    assert server.rows(f"SELECT name, lang, chosen_lang FROM contacts WHERE address = '{chat}'") == [["Lou", "en", "en"]]
    assert TOKEN not in server.log() and SECRET not in server.log() and "prochain train" not in server.log()


def test_what_was_said_while_the_server_was_away_is_fetched(serving, telegram):
    server = serving("polling")
    telegram.does(103, say="bonjour")
    telegram.reply_to(103, 1)
    server.stop()
    telegram.does(103, say="merci")
    server.start()
    telegram.reply_to(103, 2)
    until(lambda: server.rows("SELECT COUNT(*) AS n FROM jobs") == [[0]], "no job is left")
    assert len(telegram.sent_to(103)) == 2


def test_only_telegram_may_post(serving):
    server = serving("webhook")
    url = f"{server.url}/webhooks/telegram"
    update = b'{"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 104, "type": "private"}, "text": "x"}}'
    json_type = {"Content-Type": "application/json"}
    header = "X-Telegram-Bot-Api-Secret-Token"
    assert request("POST", url, update, json_type).status == 401
    assert request("POST", url, update, {**json_type, header: "guessed"}).status == 403
    assert server.rows("SELECT COUNT(*) AS n FROM contacts WHERE address = '104'") == [[0]]
    # A kind of update that nobody knows yet is taken, or it would come again and again.
    for body in (b'{"update_id": 2, "telepathy": {}}', update, update):
        assert request("POST", url, body, {**json_type, header: SECRET}).status == 200
    stored = "SELECT COUNT(*) AS n FROM messages m JOIN conversations c ON c.id = m.conversation_id JOIN contacts k ON k.id = c.contact_id WHERE k.address = '104' AND m.direction = 'inbound'"
    assert server.rows(stored) == [[1]]
