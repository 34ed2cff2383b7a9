"""Live feeds that are fresh, old, empty, contradictory or gone: the customer gets the truth with its age, or a person.

A real server polls a publisher over HTTP; customers ask on the generic channel and in the web chat.
"""

import gzip
import json
import secrets
import time

import pytest
from playwright.sync_api import expect

from live_feed import Publisher, Railway
from peer import post
from test_webchat import from_bot, say
from wait import until

NEXT = "prochain train de Vitré à Rennes"
ONLY_SCHEDULED = "Temps réel indisponible : horaires théoriques seulement"
CORRECTION = "Cela a changé depuis ma réponse"
# Of the limits, for tests that wait for a feed to grow old.
SOON = {"traffic__old_after": "4s", "traffic__forget_after": "8s", "traffic__alerts_old_after": "4s", "traffic__alerts_forget_after": "8s"}


@pytest.fixture(scope="module")
def railway(tmp_path_factory):
    return Railway(tmp_path_factory.mktemp("railway"))


@pytest.fixture
def publisher():
    feeds = Publisher()
    yield feeds
    feeds.close()


@pytest.fixture
def follow(start_server, railway, publisher):
    """Starts a server that polls these paths of the publisher, and waits until it has read them."""

    def start(*paths, kinds=None, **settings):
        feeds = [f'{{ url = "{publisher.url(path)}", name = "{path}", kind = "{(kinds or {}).get(path, "any")}" }}' for path in paths]
        server = start_server(
            timetable__gtfs=str(railway.gtfs), operator__timezone=railway.zone, notices__quiet="", notices__poll="1s",
            traffic__feeds=f"[{', '.join(feeds)}]", traffic__poll="1s", traffic__timeout="1s",
            # The customers here ask until the answer changes.
            manners__replies_per_window="0", manners__messages_per_minute="0", **settings,
        )
        publisher.is_read(*paths)
        return server

    return start


class Customer:
    """Somebody on the generic channel."""

    def __init__(self, server, peer):
        self.server, self.peer = server, peer
        self.name = f"customer-{secrets.token_hex(4)}"

    def hears(self):
        return [message["text"] for message in self.peer.to(self.name)]

    def asks(self, text):
        before = len(self.hears())
        answer = post(f"{self.server.url}/webhooks/http", {"id": secrets.token_hex(8), "from": self.name, "text": text})
        assert answer.status == 200, answer.body
        return until(lambda: self.hears()[before:], f"an answer to: {text}")[0]

    def corrections(self):
        return [text for text in self.hears() if CORRECTION in text]

    def is_with_people(self):
        states = self.server.rows(f"SELECT c.state FROM conversations c JOIN contacts k ON k.id = c.contact_id WHERE k.address = '{self.name}'")
        return states == [["queued"]]


def traffic_troubles(server):
    health = server.health()
    troubles = [line for line in health["degraded"] if line.startswith("traffic:")]
    assert health["status"] == ("degraded" if health["degraded"] else "ok")
    return troubles


def test_a_fresh_delay_is_told_with_its_source_and_time(railway, publisher, follow, peer):
    made = time.time() - 20
    publisher.said("trips", made, railway.late("8745", 14))
    server = follow("trips")
    customer = Customer(server, peer)
    answer = customer.asks(NEXT)
    assert f"{railway.at('8745', 14)} → " in answer and f"retard de 14 min, prévu à {railway.at('8745')}" in answer, answer
    assert f"Temps réel à {railway.clock(made)}, {railway.LABEL}." in answer, answer
    assert traffic_troubles(server) == []
    # Kept with the message, so that one can replay why it was said.
    [[kept]] = server.rows("SELECT facts FROM messages WHERE direction = 'outbound'")
    [late] = [fact for fact in json.loads(kept) if "8745" in fact["value"]]
    assert (late["source"], late["as_of"]) == (f"live: {railway.LABEL}", int(made) * 1_000_000), late
    assert "8745" in customer.asks("le train 8745 est-il en retard ?")


def test_an_old_feed_is_told_with_its_age(railway, publisher, follow, peer):
    made = time.time() - 300
    publisher.said("trips", made, railway.late("8745", 14))
    server = follow("trips")
    answer = Customer(server, peer).asks(NEXT)
    assert "retard de 14 min" in answer, answer
    assert f"Temps réel de {railway.clock(made)}, il y a 5 min : peut avoir changé" in answer, answer
    [trouble] = traffic_troubles(server)
    assert "live data is 3" in trouble and "its age is said" in trouble


def test_past_the_limit_only_the_timetable_is_told(railway, publisher, follow, peer):
    publisher.said("trips", time.time() - 1200, railway.late("8745", 14), railway.cancelled("8747"))
    server = follow("trips")
    answer = Customer(server, peer).asks(NEXT)
    assert ONLY_SCHEDULED in answer and railway.at("8745") in answer, answer
    assert "retard" not in answer and "Supprimé" not in answer, answer
    assert traffic_troubles(server) == ["traffic: no live data; scheduled times only, which is said"]
    # Whether it is late is not in the timetable: a person may know.
    customer = Customer(server, peer)
    assert "14 min" not in customer.asks("le train 8745 est-il en retard ?")
    until(customer.is_with_people, "a person takes over")


def test_a_feed_from_the_future_is_not_believed(railway, publisher, follow, peer):
    publisher.said("trips", time.time() + 6 * 3600, railway.late("8745", 14))
    server = follow("trips")
    answer = Customer(server, peer).asks(NEXT)
    assert ONLY_SCHEDULED in answer and "retard" not in answer, answer
    assert traffic_troubles(server)


def test_a_feed_without_entities_reports_nothing(railway, publisher, follow, peer):
    made = time.time() - 10
    publisher.said("trips", made)
    server = follow("trips")
    answer = Customer(server, peer).asks(NEXT)
    assert railway.at("8745") in answer and "retard" not in answer, answer
    assert f"temps réel à {railway.clock(made)} : rien de signalé" in answer and "Horaires théoriques" in answer, answer
    assert traffic_troubles(server) == []


def test_zero_bytes_are_no_message(railway, publisher, follow, peer):
    """Not one that says that all trains are on time: what was said last grows old."""
    publisher.gives("trips", b"")
    server = follow("trips", **SOON)
    customer = Customer(server, peer)
    assert ONLY_SCHEDULED in customer.asks(NEXT)
    publisher.keeps("trips", railway.late("8745", 14))
    until(lambda: "retard de 14 min" in customer.asks(NEXT), "the delay is known")
    publisher.gives("trips", b"")
    fades(customer, railway)
    assert traffic_troubles(server)


def fades(customer, railway):
    """A told delay is told until it is too old, and never mixed with the timetable."""
    def gone():
        answer = customer.asks(NEXT)
        live, scheduled = "retard de 14 min" in answer, ONLY_SCHEDULED in answer
        assert live != scheduled, answer
        assert (railway.at("8745", 14) in answer) == live, answer
        return scheduled
    until(gone, "only the timetable is told")


def test_of_two_feeds_that_disagree_the_newer_is_told(railway, publisher, follow, peer):
    now = time.time()
    publisher.said("one", now - 40, railway.cancelled("8745"), railway.late("8747", 20))
    publisher.said("other", now - 5, railway.late("8745", 14), railway.cancelled("8747"))
    server = follow("one", "other")
    answer = Customer(server, peer).asks(NEXT)
    assert f"retard de 14 min, prévu à {railway.at('8745')}" in answer and "20 min" not in answer, answer
    departures, _, cancelled = answer.partition("Supprimé :")
    assert "8747" in cancelled and "8745" not in cancelled and "8747" not in departures, answer
    # The age is that of the older feed: it too was asked about the others.
    assert f"Temps réel à {railway.clock(now - 40)}" in answer, answer


def test_of_two_feeds_of_the_same_second_the_cancellation_is_told(railway, publisher, follow, peer):
    """A train that is offered and does not run is the worse error."""
    now = time.time() - 5
    publisher.said("one", now, railway.late("8745", 14))
    publisher.said("other", now, railway.cancelled("8745"))
    answer = Customer(follow("one", "other"), peer).asks(NEXT)
    departures, _, cancelled = answer.partition("Supprimé :")
    assert "8745" in cancelled and "8745" not in departures and "14 min" not in answer, answer


VANISHED = {
    "refused": lambda publisher: publisher.close(),
    "not found": lambda publisher: publisher.gives("trips", b"gone", status=404),
    "broken": lambda publisher: publisher.gives("trips", b"oops", status=500),
    "a page": lambda publisher: publisher.gives("trips", b"<!doctype html><title>Maintenance</title>"),
    "silent": lambda publisher: publisher.hangs("trips"),
}


@pytest.mark.parametrize("how", VANISHED)
def test_a_feed_that_vanishes_grows_old_and_comes_back(railway, publisher, follow, peer, how):
    publisher.keeps("trips", railway.late("8745", 14))
    server = follow("trips", **SOON)
    customer = Customer(server, peer)
    assert "retard de 14 min" in customer.asks(NEXT)
    VANISHED[how](publisher)
    fades(customer, railway)
    assert traffic_troubles(server) == ["traffic: no live data; scheduled times only, which is said"]
    if publisher.closed.is_set():
        publisher.open()
    publisher.keeps("trips", railway.late("8745", 14))
    until(lambda: "retard de 14 min" in customer.asks(NEXT), "the feed is read again", within=60)
    assert traffic_troubles(server) == [] or "its age is said" in traffic_troubles(server)[0]


def test_what_does_not_run_is_never_offered(railway, publisher, follow, peer):
    publisher.keeps("trips", railway.cancelled("8745"), railway.skips("8747", 3))
    server = follow("trips")
    for question in (NEXT, "prochain train pour Rennes au départ de Vitré svp", "comment aller de Vitré à Rennes ?", "next train from Vitré to Rennes"):
        answer = Customer(server, peer).asks(question)
        offered = answer.replace("Cancelled:", "Supprimés :").partition("Supprimé")[0]
        assert railway.at("8749") in offered, answer
        for number in ("8745", "8747"):
            assert number not in offered and railway.at(number) not in offered, answer
    assert "supprimé" in Customer(server, peer).asks("le train 8745 est-il à l'heure ?")
    # It runs, and stops in Vitré: who goes there may take it.
    assert "8747" in Customer(server, peer).asks("prochain train de Laval à Vitré")


def test_a_late_train_is_remembered_when_no_feed_speaks_of_it_any_more(railway, publisher, follow, peer):
    question = "le train 8741 est arrivé très en retard, ai-je droit à une compensation ?"
    # It was due in Rennes 95 minutes ago.
    publisher.keeps("trips", railway.late("8741", 92))
    server = follow("trips")
    answer = Customer(server, peer).asks(question)
    assert "8741 est arrivé à Rennes avec 92 min de retard : 25 %" in answer, answer
    until(lambda: server.rows("SELECT 1 FROM train_history WHERE number = '8741'"), "it is kept")
    publisher.keeps("trips")
    publisher.is_read("trips")
    server.crash()
    server.start()
    publisher.is_read("trips")
    answer = Customer(server, peer).asks(question)
    assert "8741 est arrivé à Rennes avec 92 min de retard : 25 %" in answer, answer
    assert "Temps réel du " in answer and railway.LABEL in answer, answer
    # Of a train that live data never spoke of nothing is known.
    assert "pas vérifier" in Customer(server, peer).asks(question.replace("8741", "8745"))


def test_who_was_told_otherwise_is_corrected_once(railway, publisher, follow, peer, open_page):
    publisher.keeps("trips")
    server = follow("trips")
    customer = Customer(server, peer)
    page = open_page(allow_errors=True)
    page.goto(f"{server.url}/chat")
    expect(page.locator("textarea")).to_be_visible()
    welcome = from_bot(page).count()
    say(page, NEXT)
    expect(from_bot(page).nth(welcome)).to_contain_text(railway.at("8745"))
    assert railway.at("8745") in customer.asks(NEXT) and railway.at("8747") in customer.hears()[-1]

    publisher.keeps("trips", railway.cancelled("8745"))
    until(customer.corrections, "the customer is corrected")
    [first] = customer.corrections()
    assert f"8745 de {railway.at('8745')}" in first and "supprimé" in first and "8747" not in first, first
    assert f"Temps réel, {railway.clock(time.time())}" in first or f"Temps réel, {railway.clock(time.time() - 60)}" in first, first
    in_chat = from_bot(page).filter(has_text=CORRECTION)
    expect(in_chat).to_have_count(1)
    expect(in_chat).to_contain_text(f"8745 de {railway.at('8745')}")

    # The next polls say the same, before and after a power cut: no news.
    publisher.is_read("trips")
    server.crash()
    server.start()
    publisher.keeps("trips", railway.cancelled("8745"))
    publisher.is_read("trips")
    # The next correction is the second, so that none was said in between.
    publisher.keeps("trips", railway.cancelled("8745"), railway.late("8747", 15))
    until(lambda: len(customer.corrections()) > 1, "the other train is corrected too")
    expect(in_chat).to_have_count(2)
    publisher.is_read("trips")
    _, second = customer.corrections()
    assert f"8747 de {railway.at('8747')}" in second and "retard d'environ 15 min" in second and railway.at("8747", 15) in second, second
    assert "8745" not in second, second
    assert len(customer.hears()) == 3, customer.hears()
    expect(in_chat).to_have_count(2)
    told = server.rows("SELECT COUNT(*) AS n FROM messages WHERE kind = 'notice' GROUP BY conversation_id")
    assert told == [[2], [2]]


def test_an_old_feed_corrects_nothing(railway, publisher, follow, peer):
    publisher.said("trips", time.time() - 200)
    server = follow("trips")
    customer = Customer(server, peer)
    assert railway.at("8745") in customer.asks(NEXT)
    # A cache in between answers with what was said before this; a correction would be a guess.
    publisher.said("trips", time.time() - 150, railway.cancelled("8745"))
    publisher.is_read("trips")
    answer = customer.asks(NEXT)
    assert "8745" in answer.partition("Supprimé :")[2] and "peut avoir changé" in answer, answer
    assert customer.corrections() == []


def test_a_compressed_feed_is_read_and_a_bomb_is_not(railway, publisher, follow, peer):
    publisher.keeps("trips", railway.late("8745", 14), packed=True)
    server = follow("trips", traffic__max_bytes="100000", **SOON)
    customer = Customer(server, peer)
    assert "retard de 14 min" in customer.asks(NEXT)
    # A thousandth of what it unpacks to.
    publisher.gives("trips", gzip.compress(bytes(50_000_000)), **{"Content-Encoding": "gzip"})
    fades(customer, railway)
    assert "larger than traffic.max_bytes (100000)" in server.log()


def test_the_delay_of_a_whole_train_is_told(railway, publisher, follow, peer):
    publisher.keeps("trips", railway.late_as_a_whole("8745", 14))
    answer = Customer(follow("trips"), peer).asks(NEXT)
    assert f"{railway.at('8745', 14)} → {railway.at('8745', 39)} (retard de 14 min, prévu à {railway.at('8745')})" in answer, answer


def test_a_feed_that_never_came_is_said_to_be_missing(railway, publisher, follow, peer):
    publisher.keeps("there", railway.late("8745", 14))
    publisher.gives("away", b"", status=503)
    server = follow("there", "away", kinds={"there": "trips", "away": "trips"})
    answer = Customer(server, peer).asks(NEXT)
    assert "retard de 14 min" in answer and "Temps réel incomplet : des retards ou des suppressions peuvent y manquer." in answer, answer
    assert traffic_troubles(server) == ["traffic: a feed of trains is missing or cut; that delays may be missing is said"]


def test_a_strike_is_told_when_only_the_trains_are_not_known(railway, publisher, follow, peer):
    made = time.time() - 30
    publisher.said("trips", time.time() - 1200, railway.late("8745", 14))
    publisher.said("alerts", made, railway.strike("Grève des aiguilleurs : un train sur deux"))
    server = follow("trips", "alerts", kinds={"trips": "trips", "alerts": "alerts"})
    answer = Customer(server, peer).asks("y a-t-il une grève aujourd'hui ?")
    assert "Grève des aiguilleurs : un train sur deux" in answer and f"Temps réel à {railway.clock(made)}" in answer, answer
    assert ONLY_SCHEDULED in Customer(server, peer).asks(NEXT)
    customer = Customer(server, peer)
    assert "14 min" not in customer.asks("le train 8745 est-il en retard ?")
    until(customer.is_with_people, "a person takes over")


def test_without_any_word_of_strikes_a_person_is_asked(railway, publisher, follow, peer):
    publisher.keeps("trips", railway.late("8745", 14))
    publisher.gives("alerts", b"", status=500)
    server = follow("trips", "alerts", kinds={"trips": "trips", "alerts": "alerts"})
    customer = Customer(server, peer)
    assert "Aucune grève" not in customer.asks("y a-t-il une grève aujourd'hui ?")
    until(customer.is_with_people, "a person takes over")
    assert traffic_troubles(server) == ["traffic: no announcements; questions about strikes and works go to people"]
