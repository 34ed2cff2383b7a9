"""People come to the desk: an invitation, an authenticator, sessions that are ended, and a provider of OpenID Connect."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import shutil
import struct
import subprocess
import time
import urllib.parse
from pathlib import Path

import pytest
from playwright.sync_api import expect

from conftest import DESKTOP, PHONE, fits
from fake_twilio import request
from guichet_server import die_with_parent
from test_desk import sign_in

PROVIDER = Path(__file__).parent / "oidc_provider.js"


def add(server, login: str, role: str) -> str:
    password = secrets.token_urlsafe(12)
    server.command("user", "add", "--login", login, "--name", f"{login.title()} Test", "--role", role, "--password-stdin", given=f"{password}\n")
    return password


def totp(secret: str, step: int) -> str:
    """RFC 6238, in another language than the server's."""
    digest = hmac.new(base64.b32decode(secret.replace(" ", "")), struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset:offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def next_code(secret: str, used: set[str]) -> str:
    """A code that holds now and was not used; the step ahead is taken too, so that nobody waits."""
    step = int(time.time()) // 30
    code = next((c for c in (totp(secret, step), totp(secret, step + 1)) if c not in used), None)
    assert code, "both codes that hold were used"
    used.add(code)
    return code


def test_from_an_invitation_to_a_revoked_session(server, open_page, picture):
    admin = open_page(DESKTOP)
    sign_in(admin, server, "alix", add(server, "alix", "admin"))
    admin.goto(f"{server.url}/console/people")
    admin.locator("[name=email]").fill("nour@example.org")
    admin.locator("form[action$=invite] button").click()
    link = admin.locator("#link").input_value()
    assert link.startswith(f"{server.url}/invitation/")
    picture(admin, "people-desktop")

    nour = open_page(DESKTOP)
    nour.goto(link)
    nour.locator("#name").fill("Nour Test")
    nour.locator("#login").fill("nour")
    password = secrets.token_urlsafe(16)
    nour.locator("#password").fill(password)
    picture(nour, "invitation-desktop")
    nour.locator("button.primary").click()
    expect(nour.locator("[role=status]")).to_contain_text("Votre compte est prêt")
    sign_in(nour, server, "nour", password)

    nour.goto(f"{server.url}/console/me")
    nour.locator("#totp [name=password]").fill(password)
    nour.locator("#totp button.primary").click()
    expect(nour.locator("svg.qr")).to_be_visible()
    picture(nour, "totp-desktop")
    secret, used = nour.locator("#secret").inner_text(), set()
    nour.locator("#totp [name=code]").fill(next_code(secret, used))
    nour.locator("#totp button.primary").click()
    expect(nour.locator("#codes li")).to_have_count(8)

    # Elsewhere, the password alone is half the way.
    phone = open_page(PHONE)
    phone.goto(f"{server.url}/login")
    phone.locator("#login").fill("nour")
    phone.locator("#password").fill(password)
    phone.locator("button.primary").click()
    expect(phone).to_have_url(re.compile(r"/login/code$"))
    assert fits(phone)
    phone.locator("#code").fill(next_code(secret, used))
    phone.locator("button.primary").click()
    expect(phone).to_have_url(re.compile(r"/console$"))
    phone.goto(f"{server.url}/console/me")
    expect(phone.locator("#sessions li")).to_have_count(2)
    assert fits(phone)
    picture(phone, "me-phone")

    # The phone is lost: its session ends from the other one.
    nour.goto(f"{server.url}/console/me")
    nour.locator("#sessions li form button").first.click()
    expect(nour.locator("#sessions li")).to_have_count(1)
    phone.goto(f"{server.url}/console")
    expect(phone).to_have_url(re.compile(r"/login"))

    admin.goto(f"{server.url}/console/audit")
    for action in ("person.invited", "person.joined", "totp.enrolled", "session.ended"):
        expect(admin.locator("code", has_text=action).first).to_be_visible()
    picture(admin, "audit-desktop")
    used_up = open_page(DESKTOP, allow_errors=True)
    used_up.goto(link)
    expect(used_up.locator("h1")).to_have_text("Ce lien ne peut plus servir")


class Provider:
    def __init__(self) -> None:
        self.process = subprocess.Popen([shutil.which("node") or "node", str(PROVIDER)], stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        self.url = self.process.stdout.readline().strip()

    def does(self, **what: object) -> None:
        assert request("POST", f"{self.url}/next", body=json.dumps(what).encode()).status == 200

    def told(self) -> list[dict]:
        return request("GET", f"{self.url}/told").json()


@pytest.fixture(scope="module")
def provider():
    started = Provider()
    yield started
    started.process.kill()
    started.process.wait()


@pytest.fixture(scope="module")
def desk(start_server, provider):
    return start_server(
        desk__oidc__issuer=provider.url,
        desk__oidc__client_id="guichet-test",
        desk__oidc__client_secret="the secret of the tests",
        desk__oidc__name="Keycloak",
        desk__oidc__create="true",
        desk__oidc__allowed_domains='["example.org"]',
        desk__oidc__role_claim="groups",
        desk__oidc__roles='{ leads = "manager" }',
    )


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_the_provider_lets_people_in(desk, provider, open_page, alg):
    provider.does(alg=alg, claims={"groups": ["staff", "leads"]})
    page = open_page(DESKTOP)
    page.goto(f"{desk.url}/console/people")
    page.get_by_role("link", name="Se connecter avec Keycloak").click()
    # Back at the page that was asked for, which managers see.
    expect(page).to_have_url(re.compile(r"/console/people$"))
    expect(page.locator(".people")).to_contain_text("nour@example.org")
    asked = provider.told()[-1]
    assert asked["code_challenge_method"] == "S256" and asked["nonce"] and asked["state"]
    assert "openid" in asked["scope"].split()


# What the provider does, and the word of the audit log for it.
WRONG = {
    "another nonce": ({"claims": {"nonce": "another"}}, "oidc_token"),
    "no nonce": ({"claims": {"nonce": None}}, "oidc_token"),
    "another audience": ({"claims": {"aud": "another-client"}}, "oidc_token"),
    "one more audience": ({"claims": {"aud": ["guichet-test", "another-client"]}}, "oidc_token"),
    "another issuer": ({"claims": {"iss": "https://evil.example"}}, "oidc_token"),
    "an expired token": ({"claims": {"exp": 1_700_000_000}}, "oidc_token"),
    "an unsigned token": ({"alg": "none"}, "oidc_token"),
    "a token signed with our secret": ({"alg": "HS256"}, "oidc_token"),
    "a token signed by a stranger": ({"alg": "stranger"}, "oidc_token"),
    "another access token": ({"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}}, "oidc_token"),
    "another state": ({"state": "another"}, "oidc_state"),
    "a refusal": ({"error": "access_denied"}, "oidc_denied"),
    "an address that is not verified": ({"claims": {"email_verified": False, "sub": "2"}}, "oidc_stranger"),
    "another domain": ({"claims": {"email": "nour@evil.example", "sub": "2"}}, "oidc_stranger"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_refused(desk, provider, open_page, what):
    does, word = WRONG[what]
    provider.does(**does)
    page = open_page(DESKTOP, allow_errors=True)
    page.goto(f"{desk.url}/login/oidc")
    expect(page.locator(".alert")).to_be_visible()
    page.goto(f"{desk.url}/console")
    expect(page).to_have_url(re.compile(r"/login\?next="))
    [[data]] = desk.rows("SELECT data FROM audit ORDER BY seq DESC LIMIT 1")
    assert json.loads(data)["why"] == word, data


def test_the_way_back_is_for_the_browser_that_left_and_for_once(desk, provider, open_page):
    provider.does()
    page = open_page(DESKTOP, allow_errors=True)
    seen = []
    page.on("request", lambda sent: seen.append(sent.url) if "/callback" in sent.url else None)
    page.goto(f"{desk.url}/login/oidc")
    expect(page).to_have_url(re.compile(r"/console$"))
    [callback] = seen
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(callback).query)["code"]
    for again in (page, open_page(DESKTOP, allow_errors=True)):
        again.goto(callback)
        expect(again.locator(".alert")).to_be_visible()
