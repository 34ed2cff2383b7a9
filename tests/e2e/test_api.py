"""Programs: access tokens, the API held against its own document, and other systems that are told what happens."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import requests
import schemathesis
from playwright.sync_api import expect

from conftest import DESKTOP, PHONE, fits
from guichet_server import Server
from receiver import Receiver
from test_desk import sign_in
from test_people import add
from wait import until

# The whole of schemathesis' run, in seconds.
BUDGET_S = 40


@pytest.fixture(scope="module")
def receiver():
    system = Receiver()
    yield system
    system.close()


@pytest.fixture(scope="module")
def served(start_server, receiver):
    waits = json.dumps(["300ms"] * 100)
    return start_server(hooks__allow=json.dumps([receiver.host]), hooks__allow_private="true", hooks__retry=waits, hooks__timeout="2s", api__requests_per_minute="0")


class Program(requests.Session):
    """Has a token, and asks with it."""

    def __init__(self, server, login: str, password: str, rights: str = "full") -> None:
        super().__init__()
        self.base = server.url
        browser = requests.Session()
        browser.post(f"{server.url}/login", {"login": login, "password": password}, timeout=30)
        page = browser.get(f"{server.url}/console/me/tokens", timeout=30).text
        csrf = re.search(r'name="csrf" value="([^"]+)"', page)[1]
        form = {"csrf": csrf, "name": "e2e", "rights": rights, "until": "", "password": password}
        made = browser.post(f"{server.url}/console/me/tokens", form, timeout=30).text
        self.token = re.search(r'value="(gch_[\w-]{43})"', made)[1]
        assert self.token not in browser.get(f"{server.url}/console/me/tokens", timeout=30).text, "it is shown once"
        self.headers["Authorization"] = f"Bearer {self.token}"

    def request(self, method, path, **more):
        return super().request(method, f"{self.base}{path}", timeout=30, **more)

    def waiting(self, sender: str) -> dict | None:
        items = self.get("/api/queue", params={"q": sender, "section": "waiting"}).json()["items"]
        return items[0] if items else None

    def escalated(self, server, sender: str) -> str:
        """A customer asks for a person; the conversation."""
        server.receives_sms(sender, "je veux parler à un conseiller svp")
        return until(lambda: self.waiting(sender), "the conversation waits")["id"]


@pytest.fixture(scope="module")
def admin(served):
    return Program(served, "alix", add(served, "alix", "admin"))


def served_whole(program: Program, conversation: str) -> None:
    """Taken, answered, resolved."""
    path = f"/api/conversations/{conversation}"
    assert program.post(f"{path}/take").status_code == 204
    assert program.post(f"{path}/reply", json={"text": "Bonjour !"}, headers={"Idempotency-Key": str(uuid.uuid4())}).status_code == 202
    seen = program.get(f"{path}/messages").json()["items"][-1]["seq"]
    assert program.post(f"{path}/resolve", json={"seen": seen}).status_code == 204


def test_what_is_answered_is_what_the_document_says(served, admin, twilio):
    document = schemathesis.openapi.from_url(f"{served.url}/api/openapi.json")
    seen: dict[str, dict] = {}

    def holds(method: str, template: str, status: int, body: dict | None = None, headers: dict | None = None, params: dict | None = None, **ids: str) -> dict:
        answer = admin.request(method, template.format(**ids), json=body, headers=headers, params=params)
        assert answer.status_code == status, f"{method} {template}: {answer.status_code} {answer.text}"
        document[template][method].validate_response(answer)
        seen[f"{method} {template}"] = answer.json() if answer.content else {}
        return seen[f"{method} {template}"]

    sender = "+33622000101"
    served.receives_sms(sender, "prochain train de Paris Montparnasse pour Rennes")
    assert twilio.reply_to(sender).body
    talk = admin.escalated(served, sender)
    holds("GET", "/api/me", 200)
    holds("PUT", "/api/me/presence", 204, {"presence": "available"})
    queue = holds("GET", "/api/queue", 200, params={"section": "waiting", "q": sender})
    assert queue["counts"]["waiting"] >= 1 and queue["items"][0]["reason"] == "requested"
    whole = holds("GET", "/api/conversations/{id}", 200, id=talk)
    assert whole["contact"]["address"] == sender and whole["state"] == "queued"
    said = holds("GET", "/api/conversations/{id}/messages", 200, id=talk)["items"]
    assert said[0]["understanding"]["intents"][0]["intent"] == "schedules.next_departure"
    assert any(fact["source"] and fact["as_of"] for message in said for fact in message["facts"])
    assert "escalated" in [event["kind"] for event in holds("GET", "/api/conversations/{id}/events", 200, id=talk)["items"]]

    team = holds("POST", "/api/teams", 201, {"name": "Nuit", "languages": ["fr"]})["id"]
    holds("PUT", "/api/teams/{id}", 204, {"name": "Nuit et jour"}, id=team)
    me = seen["GET /api/me"]["id"]
    holds("PUT", "/api/teams/{id}/members/{person}", 204, {"until": "2030-01-01T00:00:00Z"}, id=team, person=me)
    assert holds("GET", "/api/teams", 200)["items"][0]["members"][0]["person"] == me
    holds("PUT", "/api/seats/{person}", 204, {"capacity": 3, "languages": ["fr"]}, person=me)
    assert any(seat["capacity"] == 3 for seat in holds("GET", "/api/seats", 200)["items"])

    assert holds("POST", "/api/queue/next", 200, {})["conversation"] == talk
    key = {"Idempotency-Key": str(uuid.uuid4())}
    for _ in range(2):
        holds("POST", "/api/conversations/{id}/reply", 202, {"text": "Bonjour !"}, key, id=talk)
    assert admin.post(f"/api/conversations/{talk}/reply", json={"text": "Autre"}, headers=key).json()["type"] == "/problems/key_reused"
    until(lambda: [reply.body for reply in twilio.to(sender)].count("Bonjour !"), "the customer reads it")
    holds("POST", "/api/conversations/{id}/snooze", 422, {"until": "2020-01-01T00:00:00Z"}, id=talk)
    holds("POST", "/api/conversations/{id}/transfer", 204, {"team": team}, id=talk)
    holds("POST", "/api/conversations/{id}/take", 204, id=talk)
    holds("POST", "/api/conversations/{id}/resolve", 409, {"seen": 0}, id=talk)
    last = admin.get(f"/api/conversations/{talk}/messages").json()["items"][-1]["seq"]
    holds("POST", "/api/conversations/{id}/resolve", 204, {"seen": last}, id=talk)
    assert [reply.body for reply in twilio.to(sender)].count("Bonjour !") == 1

    view = holds("POST", "/api/views", 201, {"name": "À moi", "filters": {"lang": "fr"}, "shared": True})["id"]
    assert holds("GET", "/api/views", 200)["items"][0]["filters"]["lang"] == "fr"
    holds("DELETE", "/api/views/{id}", 204, id=view)
    # A token opens no door to anybody: it could make itself an account that outlives it.
    assert holds("POST", "/api/invitations", 403, {"role": "agent", "email": "nour@example.org"})["type"] == "/problems/by-token"
    assert holds("GET", "/api/invitations", 200)["items"] == []
    holds("DELETE", "/api/invitations/{hash}", 404, hash="0" * 64)
    assert any(person["login"] == "alix" for person in holds("GET", "/api/people", 200)["items"])
    assert holds("PUT", "/api/people/{person}/role", 403, {"role": "agent"}, person=me)["type"] == "/problems/by-token"
    holds("GET", "/api/audit", 200, params={"limit": 3})
    holds("GET", "/api/me/sessions", 200)
    assert holds("GET", "/api/me/tokens", 200)["items"][0]["last_used_at"]
    holds("GET", "/api/reports/response-times", 200)
    holds("GET", "/api/reports/deliveries", 200)
    outbound = next(message for message in said if message["direction"] == "outbound")
    assert holds("GET", "/api/messages/{id}/trace", 200, id=outbound["id"])["calls"]
    holds("GET", "/api/conversations/{id}", 404, id=str(uuid.uuid4()))


def test_schemathesis_finds_no_server_error(start_server, tmp_path):
    # On a server of its own: it disables whom it finds. Its own token must not end the run; the stream of hints does not end.
    served = start_server(api__requests_per_minute="0", hooks__allow='["127.0.0.1:9"]', hooks__allow_private="true")
    served.receives_sms("+33622000102", "je veux parler à un conseiller svp")
    reader = Program(served, "robin", add(served, "robin", "admin"))
    until(lambda: reader.waiting("+33622000102"), "there is something to find")
    run = subprocess.run(
        [
            Path(sys.executable).with_name("st"), "run", f"{served.url}/api/openapi.json",
            "-H", f"Authorization: Bearer {reader.token}",
            "--exclude-path", "/api/events", "--exclude-path", "/api/me/tokens/{id}",
            "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance",
            "--max-examples", "12", "--max-time", str(BUDGET_S), "--workers", "2", "--request-timeout", "10",
            "--seed", "7", "--generation-database", "none", "--no-shrink", "--continue-on-failure", "--warnings", "off", "--no-color",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=BUDGET_S + 60, check=False,
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    paths = requests.get(f"{served.url}/api/openapi.json", timeout=30).json()["paths"]
    operations = sum(1 for path in paths.values() for method in path if method != "parameters")
    # Without those two, and the document itself, which it has read.
    assert re.search(rf"Tested: +{operations - 3}\b", run.stdout), run.stdout[-4000:]
    assert reader.get("/api/me").status_code == 200
    assert "panicked" not in served.log()


def test_a_token_for_reading_reads(served, admin):
    reader = Program(served, "sasha", add(served, "sasha", "manager"), "read")
    assert reader.get("/api/people").status_code == 200
    assert reader.get("/api/audit").json()["type"] == "/problems/role"
    assert reader.post("/api/teams", json={"name": "x"}).json()["type"] == "/problems/read-only"
    assert reader.token not in served.log() and admin.token not in served.log()


def test_other_systems_are_told_in_order_through_failure_and_death(served, admin, receiver):
    made = admin.post("/api/hooks", json={"url": receiver.url, "kinds": ["resolved", "escalated", "taken", "answered"]})
    assert made.status_code == 201, made.text
    hook, receiver.secret = made.json()["id"], made.json()["secret"]
    order = ["escalated", "taken", "answered", "resolved"]
    try:
        talk = admin.escalated(served, "+33622000111")
        served_whole(admin, talk)
        until(lambda: receiver.types(talk) == order, f"told: {receiver.types(talk)}")
        ids = [event["id"] for event in receiver.accepted]
        assert len(ids) == len(set(ids)) == 4, "each once"
        told = receiver.of(talk)
        assert told[0]["reason"] == "requested" and told[1]["agent"]["name"] == "Alix Test"
        assert "conseiller" not in json.dumps(receiver.accepted) and "+33622000111" not in json.dumps(receiver.accepted)

        # The receiver fails, the server is killed meanwhile, the receiver comes back: nothing is lost, the order holds.
        receiver.status = 503
        second = admin.escalated(served, "+33622000112")
        served_whole(admin, second)
        until(lambda: len({event["id"] for event in receiver.tries}) == 5, "the first of them is tried, and nothing behind it")
        served.crash()
        receiver.status = 200
        served.start()
        until(lambda: receiver.types(second) == order, f"told: {receiver.types(second)}")
        third = admin.escalated(served, "+33622000113")
        served.crash()
        served.start()
        served_whole(admin, third)
        until(lambda: receiver.types(third) == order, f"told: {receiver.types(third)}")
        assert not receiver.forged
        until(lambda: admin.get("/api/hooks").json()["items"][0]["waiting"] == 0, "all arrived")
        deliveries = admin.get(f"/api/hooks/{hook}/deliveries").json()["items"]
        assert len(deliveries) == 12 and all(delivery["delivered_at"] for delivery in deliveries)
    finally:
        admin.delete(f"/api/hooks/{hook}")


def test_two_servers_on_one_database_tell_each_thing_once(start_server, receiver, cache, twilio, peer, tmp_path):
    settings = {"hooks__allow": json.dumps([receiver.host]), "hooks__allow_private": "true", "hooks__timeout": "5s"}
    first = start_server(on="postgres", **settings)
    second = Server(tmp_path, cache, twilio, peer, first.database, {f"GUICHET__{key.upper()}": value for key, value in settings.items()}).start()
    try:
        program = Program(first, "alix", add(first, "alix", "admin"))
        receiver.accepted.clear()
        made = program.post("/api/hooks", json={"url": receiver.url, "kinds": ["escalated", "taken", "answered", "resolved"]}).json()
        receiver.secret = made["secret"]
        talks = [program.escalated(server, f"+3362200020{n}") for n, server in enumerate([first, second] * 3)]
        for n, talk in enumerate(talks):
            program.base = (first, second)[n % 2].url
            served_whole(program, talk)
        until(lambda: len(receiver.accepted) >= 24, "everything is told")
        until(lambda: program.get("/api/hooks").json()["items"][0]["waiting"] == 0, "all arrived")
        ids = [event["id"] for event in receiver.accepted]
        assert len(ids) == len(set(ids)) == 24, "each once"
        assert all(receiver.types(talk) == ["escalated", "taken", "answered", "resolved"] for talk in talks)
        assert not receiver.forged
    finally:
        program.delete(f"/api/hooks/{made['id']}")
        second.stop()


def test_the_pages_of_programs(served, open_page, picture, receiver):
    password = add(served, "andrea", "admin")
    # A refused form is a 422, which Chromium notes.
    page = open_page(DESKTOP, allow_errors=True)
    sign_in(page, served, "andrea", password)
    page.goto(f"{served.url}/console/me/tokens")
    page.locator("[name=name]").fill("Tableau de bord <b>")
    page.locator("[name=password]").fill(password)
    page.locator("#new-token button.primary").click()
    token = page.locator("#token").input_value()
    assert token.startswith("gch_")
    picture(page, "tokens-desktop")
    asked = requests.get(f"{served.url}/api/me", headers={"Authorization": f"Bearer {token}"}, timeout=30)
    assert asked.json()["read_only"] is True
    page.locator("#tokens button").click()
    expect(page.locator("#tokens li")).to_have_count(0)
    assert requests.get(f"{served.url}/api/me", headers={"Authorization": f"Bearer {token}"}, timeout=30).status_code == 401

    page.goto(f"{served.url}/console/hooks")
    page.locator("[name=url]").fill("https://evil.example/in")
    page.locator("#new-hook button.primary").click()
    expect(page.locator(".alert")).to_contain_text("hooks.allow")
    page.locator("[name=url]").fill(receiver.url)
    page.locator("#new-hook button.primary").click()
    receiver.secret = page.locator("#secret").input_value()
    assert receiver.secret.startswith("ghk_")
    program = Program(served, "andrea", password)
    talk = program.escalated(served, "+33622000121")
    until(lambda: receiver.types(talk) == ["escalated"], "it is told")
    page.goto(f"{served.url}/console/hooks")
    expect(page.locator(".hook tbody tr")).to_have_count(1)
    expect(page.locator(".hook tbody tr")).to_contain_text("reçu")
    picture(page, "hooks-desktop")
    page.locator(".hook tbody button").click()
    until(lambda: [event["conversation"]["id"] for event in receiver.accepted].count(talk) == 2, "it is sent again")
    assert receiver.types(talk) == ["escalated"], "under the same id"
    page.set_viewport_size(PHONE)
    picture(page, "hooks-phone")
    assert fits(page)
    page.emulate_media(color_scheme="dark")
    picture(page, "hooks-phone-dark")
    page.set_viewport_size(DESKTOP)
    page.locator(".hook .danger").click()
    expect(page.locator(".hook")).to_have_count(0)

    page.goto(f"{served.url}/api/docs")
    expect(page.locator("h1")).to_have_text("API de Guichet")
    page.locator("#get-api-queue summary").click()
    expect(page.locator("#get-api-queue")).to_contain_text("A part of the queue.")
    picture(page, "api-docs-dark")
    page.emulate_media(color_scheme="light")
    picture(page, "api-docs")
    page.set_viewport_size(PHONE)
    assert fits(page)
    picture(page, "api-docs-phone")


def test_no_secret_is_guessed(served):
    for token in ["", "gch_", "gch_" + secrets.token_urlsafe(32), "null", "' OR 1=1 --"]:
        answer = requests.get(f"{served.url}/api/me", headers={"Authorization": f"Bearer {token}"}, timeout=30)
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
