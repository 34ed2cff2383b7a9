"""X, Mastodon, Bluesky and YouTube: what is written in public is answered there, once, with an invitation."""

import base64
import hashlib
import hmac
import re

import pytest
import tweepy
from mastodon import Mastodon
from playwright.sync_api import expect

import fake_bluesky
import fake_mastodon
import fake_x
import fake_youtube
from conftest import DESKTOP, PHONE, fits
from fake_bluesky import FakeBluesky
from fake_mastodon import FakeMastodon
from fake_twilio import request
from fake_x import FakeX
from fake_youtube import FakeYouTube
from test_desk import sign_in
from wait import until

NEXT, PERSON = "prochain train de Vitré pour Rennes ?", "je veux parler à un conseiller"
IN_PRIVATE = "écrivez-nous en message privé"


@pytest.fixture(scope="module")
def networks():
    stand_ins = {"x": FakeX(), "mastodon": FakeMastodon(), "bluesky": FakeBluesky(), "youtube": FakeYouTube()}
    yield stand_ins
    for stand_in in stand_ins.values():
        stand_in.close()


@pytest.fixture(scope="module")
def server(start_server, networks):
    x, mastodon, bluesky, youtube = networks.values()
    running = start_server(**fake_x.keys(x.url), **fake_mastodon.keys(mastodon.url), **fake_bluesky.keys(bluesky.url), **fake_youtube.keys(youtube.url))
    # What was there before they are asked for the first time is history.
    asked = lambda stand_in, what: any(what in asked.path for asked in stand_in.asked)
    until(lambda: asked(mastodon, "notifications") and asked(bluesky, "listNotifications") and asked(youtube, "commentThreads"), "everybody is asked")
    return running


def test_x_checks_that_the_address_is_ours(server):
    answer = request("GET", f"{server.url}/webhooks/x?crc_token=MDY1NzNhYmM&nonce=MjM0")
    signed = base64.b64encode(hmac.new(fake_x.SECRET.encode(), b"MDY1NzNhYmM", hashlib.sha256).digest()).decode()
    assert (answer.status, answer.json()) == (200, {"response_token": f"sha256={signed}"})
    assert request("GET", f"{server.url}/webhooks/x?crc_token=%7B%7D").status == 400


def test_a_message_and_a_post_on_x(server, networks):
    x, url = networks["x"], f"{server.url}/webhooks/x"
    said = fake_x.message("7001", "954491830116155396", NEXT)
    assert fake_x.post(url, said).status == 200
    assert fake_x.post(url, said).status == 200, "X delivers again what it is not sure of"
    assert fake_x.post(url, fake_x.message(fake_x.OWN, "954491830116155397", "ce que nous avons écrit")).status == 200
    private = x.published(lambda: x.to("7001"), 1)["text"]
    assert "Rennes" in private and IN_PRIVATE not in private, private

    named = fake_x.mention("7001", "1800000000000000001", f"@trains {NEXT}")
    retweet = fake_x.mention("7009", "1800000000000000002", f"RT @camille: {NEXT}", retweeted_status={"id_str": "1"})
    assert fake_x.post(url, retweet).status == fake_x.post(url, named).status == 200
    public = x.published(lambda: x.under("1800000000000000001"), 1)["text"]
    assert "Rennes" in public, public
    until(lambda: IN_PRIVATE in " ".join(post["text"] for post in x.under("1800000000000000001")), "the invitation")
    assert len(x.to("7001")) == 1 and not x.under("1800000000000000002")


def test_a_post_on_x_in_doubt_is_found_and_not_published_twice(server, networks):
    x = networks["x"]
    x.faults.append("accept-then-close")
    assert fake_x.post(f"{server.url}/webhooks/x", fake_x.message("7002", "954491830116155400", NEXT)).status == 200
    until(lambda: statuses(server, "x", "7002") == ["sent"], "it is found in the list")
    assert len(x.to("7002")) == 1


def statuses(server, channel: str, address: str) -> list[str]:
    rows = server.rows(
        "SELECT m.status FROM messages m JOIN conversations c ON c.id = m.conversation_id JOIN contacts k ON k.id = c.contact_id "
        f"WHERE m.direction = 'outbound' AND k.channel = '{channel}' AND k.address LIKE '%{address}%' ORDER BY m.seq"
    )
    return [status for (status,) in rows]


@pytest.mark.parametrize("visibility", ["public", "direct"])
def test_a_mention_on_mastodon(server, networks, visibility):
    mastodon = networks["mastodon"]
    asked = mastodon.mention(f"camille_{visibility}@m.example", NEXT, visibility)
    first = mastodon.published(lambda: mastodon.under(asked), 1)
    assert first["visibility"] == visibility and f"@camille_{visibility}@m.example" in first["content"] and "Rennes" in first["content"], first
    again = mastodon.mention(f"camille_{visibility}@m.example", PERSON, visibility, under=first["id"])
    said = mastodon.published(lambda: mastodon.under(again), 1)["content"]
    assert (IN_PRIVATE in said) == (visibility == "public"), said


def test_a_status_in_doubt_is_found_and_published_once(server, networks):
    mastodon = networks["mastodon"]
    mastodon.faults.append("accept-then-close")
    asked = mastodon.mention("lea@m.example", NEXT, "direct")
    until(lambda: statuses(server, "mastodon", "lea@m.example") == ["sent"], "it is settled")
    assert len(mastodon.under(asked)) == 1


def test_a_thread_on_bluesky(server, networks):
    bluesky = networks["bluesky"]
    asked = bluesky.says(f"@{fake_bluesky.NAME} {NEXT}")
    uri, record = bluesky.published(lambda: bluesky.under(asked), 1)
    assert "Rennes" in record["text"] and record["reply"]["root"]["uri"] == asked, record
    until(lambda: IN_PRIVATE in " ".join(record["text"] for _, record in bluesky.under(asked)), "the invitation")
    bluesky.end_session()
    again = bluesky.says(PERSON, "reply", under=uri)
    _, record = bluesky.published(lambda: bluesky.under(again), 1)
    assert record["reply"]["root"]["uri"] == asked and IN_PRIVATE in record["text"], record
    [facet] = record["facets"]
    link = record["text"].encode()[facet["index"]["byteStart"]:facet["index"]["byteEnd"]].decode()
    assert link == facet["features"][0]["uri"] == fake_bluesky.PRIVATE, record


def test_a_record_in_doubt_is_asked_for_by_its_key(server, networks):
    bluesky = networks["bluesky"]
    bluesky.faults.append("accept-then-close")
    asked = bluesky.says(PERSON)
    until(lambda: statuses(server, "bluesky", asked) == ["sent"], "it is found by its key")
    assert len(bluesky.under(asked)) == 1


def test_comments_on_youtube(server, networks):
    youtube = networks["youtube"]
    thread = youtube.says("UCcamille", NEXT)
    until(lambda: IN_PRIVATE in " ".join(youtube.answers(thread)), "the answer and the invitation")
    assert "Rennes" in youtube.answers(thread)[0], youtube.answers(thread)
    assert f"{server.url}/chat" in " ".join(youtube.answers(thread)), "the web chat is always there"
    before = until(lambda: statuses(server, "youtube", "UCcamille"), "they are stored")
    for number in range(3):
        youtube.says("UClea", f"commentaire {number}", thread)
    youtube.says("UCcamille", PERSON, thread)
    until(lambda: statuses(server, "youtube", "UCcamille") == ["sent"] * (len(before) + 1), "answers that the list of threads leaves out are read too")


def test_an_agent_likes_a_post(server, networks, open_page, picture):
    x = networks["x"]
    password = server.add_agent("noa", "Noa Test")
    assert fake_x.post(f"{server.url}/webhooks/x", fake_x.mention("7010", "1800000000000000010", f"@trains {PERSON}")).status == 200
    for viewport, name in ((DESKTOP, "post-desktop"), (PHONE, "post-phone")):
        # What is refused is an answer that the browser notes.
        page = open_page(viewport, allow_errors=True)
        sign_in(page, server, "noa", password)
        page.locator("#s-waiting .line", has_text="post:7010").locator("a").click()
        expect(page.locator("#transcript")).to_contain_text(PERSON)
        expect(page.locator(".moderate button")).to_have_text(["J'aime", "Masquer", "Afficher"])
        picture(page, name)
        assert fits(page)
    page.locator(".moderate button", has_text="J'aime").click()
    expect(page.locator("#transcript")).to_contain_text("Publication aimée par Noa Test")
    assert x.likes == ["1800000000000000010"]
    # The stand-in knows no way to hide: the agent reads that it was not done.
    page.locator(".moderate button", has_text="Masquer").click()
    expect(page.locator("#transcript")).to_contain_text("Action demandée par Noa Test")
    picture(page, "post-refused")


def test_independent_clients_are_understood_and_understand(networks):
    """The stand-ins speak as the networks do: clients that others wrote talk to them."""
    x, mastodon = networks["x"], networks["mastodon"]
    client = tweepy.Client(consumer_key=fake_x.KEY, consumer_secret=fake_x.SECRET, access_token=fake_x.TOKEN, access_token_secret=fake_x.TOKEN_SECRET)
    ask = client.session.request
    client.session.request = lambda method, host, **more: ask(method, re.sub(r"https://api\.(x|twitter)\.com", x.url, host), **more)
    sent = client.create_direct_message(participant_id="7777", text="bonjour").data["dm_event_id"]
    listed = client.get_direct_message_events(participant_id="7777", dm_event_fields=["sender_id", "created_at"], user_auth=True)
    assert [(str(event.id), event.text, str(event.sender_id)) for event in listed.data] == [(sent, "bonjour", fake_x.OWN)]
    assert client.create_tweet(text="bonjour à vous", in_reply_to_tweet_id="7778").data["id"]
    with pytest.raises(tweepy.Forbidden, match="duplicate content"):
        client.create_tweet(text="bonjour à vous", in_reply_to_tweet_id="7778")

    asked = mastodon.mention("client@m.example", "bonjour")
    api = Mastodon(access_token=fake_mastodon.TOKEN, api_base_url=mastodon.url, version_check_mode="none")
    told = api.notifications(types=["mention"], limit=1)[0]
    assert (told.type, told.status.id, told.status.visibility, told.status.account.acct) == ("mention", asked, "public", "client@m.example")
    once, again = (api.status_post("@client bonjour", in_reply_to_id=asked, visibility="unlisted", idempotency_key="k") for _ in range(2))
    assert once.id == again.id and once.in_reply_to_id == asked and len(mastodon.under(asked)) >= 1
