"""``digest`` inside attempts, against a target that checks answers by the formulas of RFC 7616."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import cast

import pytest
import requests
from requests.adapters import HTTPAdapter

from hookctl.delivery.attempt.engine import AttemptEngine, Finished
from hookctl.delivery.outcomes import result_of
from hookctl.errors import SecretError
from hookctl.model import Attempt, DeliveryPlan, FailureKind, Secret
from hookctl.plugin import AuthContext, Settings
from hookctl.plugin.host import load_plugins
from hookctl.testing.answers import Answer, Misbehavior, ReceivedRequest
from hookctl.testing.receiver import Receiver
from hookctl_plugins.auth.digest import challenges

MakePlan = Callable[..., DeliveryPlan]
MakeAttempt = Callable[..., Attempt]
MakeEngine = Callable[..., AttemptEngine]
Finish = Callable[..., list[Finished]]

PASSWORD = "canary-pässword"
AUTH = {"type": "digest", "username": "hookctl", "password": "${env:PASSWORD}"}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", PASSWORD)


class Target:
    """Issues nonces, and accepts each count of a nonce once, and only if it is larger than those before."""

    def __init__(self, algorithm: str = "SHA-256", qop: str = "auth", uses: int = 1000) -> None:
        self.algorithm, self.qop, self.uses = algorithm, qop, uses
        self.counts: dict[str, int] = {}
        self.accepted = self.refused = 0

    def __call__(self, request: ReceivedRequest) -> Answer:
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', (request.header("Authorization") or "").removeprefix("Digest ")))
        if not given:
            return self.challenge()
        if self.counts.get(given["nonce"], self.uses) >= self.uses:
            return self.challenge(", stale=true")
        if given["response"] != self.response(given, request) or int(given["nc"], 16) <= self.counts[given["nonce"]]:
            self.refused += 1
            return self.challenge()
        self.counts[given["nonce"]] = int(given["nc"], 16)
        self.accepted += 1
        return Answer(200)

    def challenge(self, more: str = "") -> Answer:
        nonce = f"nonce{len(self.counts)}"
        self.counts[nonce] = 0
        value = f'realm="the, realm", nonce="{nonce}", qop="{self.qop}", algorithm={self.algorithm}, opaque="o"{more}'
        return Answer(401, headers=(("WWW-Authenticate", 'Basic realm="x"'), ("WWW-Authenticate", f"Digest {value}")))

    def response(self, given: dict[str, str], request: ReceivedRequest) -> str:
        name = {"MD5": "md5", "SHA-256": "sha256", "MD5-sess": "md5"}[self.algorithm]

        def digest(text: str) -> str:
            return hashlib.new(name, text.encode()).hexdigest()

        first = digest(f"hookctl:the, realm:{PASSWORD}")
        if self.algorithm.endswith("-sess"):
            first = digest(f"{first}:{given['nonce']}:{given['cnonce']}")
        second = digest(f"{request.method}:{request.target}")
        return digest(f"{first}:{given['nonce']}:{given['nc']}:{given['cnonce']}:auth:{second}")


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "MD5-sess"])
def test_a_challenge_is_answered_within_the_attempt(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, transport: str, algorithm: str
) -> None:
    receiver.answer("/ingest", target := Target(algorithm, "auth-int, auth"))
    made = attempt(make_plan(transport=transport, auth=(AUTH,), url="https://siem.example.com/ingest?a=b%20c"))
    assert made.succeeded
    assert (receiver.count, target.accepted) == (2, 1)
    assert receiver.requests[0].body == receiver.requests[1].body != b""
    assert receiver.requests[0].header("webhook-id") == receiver.requests[1].header("webhook-id")
    assert made.request is not None
    assert ("Authorization", "Digest ***") in made.request.headers
    assert "canary" not in repr(made)


def test_later_attempts_use_the_nonce(
    make_engine: MakeEngine, finish: Finish, make_plan: MakePlan, receiver: Receiver, transport: str
) -> None:
    receiver.answer("/ingest", target := Target())
    engine, plan = make_engine(), make_plan(transport=transport, auth=(AUTH,))
    for _ in range(4):
        assert finish(engine, plan)[0].attempt.succeeded
    assert (receiver.count, target.refused) == (5, 0)


def test_many_at_the_same_time_are_all_accepted(
    make_engine: MakeEngine, finish: Finish, make_plan: MakePlan, receiver: Receiver, transport: str
) -> None:
    """Each has a count of its own, though some must be answered again because they arrive out of order."""
    target = Target()
    target.challenge()
    receiver.answer("/ingest", target)
    finished = finish(make_engine(), *[make_plan(transport=transport, auth=(AUTH,))] * 20)
    assert [result_of(one.attempt) for one in finished] == ["200"] * 20
    assert target.accepted == 20


def test_a_stale_nonce_is_replaced(
    make_engine: MakeEngine, finish: Finish, make_plan: MakePlan, receiver: Receiver
) -> None:
    receiver.answer("/ingest", target := Target(uses=1))
    engine, plan = make_engine(), make_plan(auth=(AUTH,))
    for _ in range(3):
        assert finish(engine, plan)[0].attempt.succeeded
    assert (target.accepted, target.refused) == (3, 0)


def test_an_answer_with_a_stale_nonce_is_given_again_once(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver
) -> None:
    target = Target()
    stale = target.challenge(", stale=true")
    receiver.answer("/ingest", stale, stale, target)
    assert attempt(make_plan(auth=(AUTH,))).succeeded
    receiver.reset()
    receiver.answer("/ingest", stale)
    assert result_of(attempt(make_plan(auth=(AUTH,)))) == "401"
    assert receiver.count == 3


def test_a_401_after_the_answer_is_the_result(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", "canary-wrong")
    receiver.answer("/ingest", Target())
    made = attempt(make_plan(transport=transport, auth=(AUTH,)))
    assert (result_of(made), receiver.count) == ("401", 2)
    assert "canary" not in repr(made)


@pytest.mark.parametrize(
    "challenge",
    [
        "",
        'Basic realm="x"',
        "Digest",
        'Digest nonce="x"',
        'Digest realm="x", nonce="y", algorithm=SHA-256-sess',
        'Digest realm="x", nonce="y", qop="auth-int"',
        'Digest realm="x", nonce="y", algorithm=ROT13',
        '", Digest realm=x,',
    ],
)
def test_a_challenge_that_cannot_be_answered_is_the_result(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, challenge: str
) -> None:
    receiver.default = Answer(401, headers=(("WWW-Authenticate", challenge),))
    assert result_of(attempt(make_plan(auth=(AUTH,)))) == "401"
    assert receiver.count == 1


def test_the_first_challenge_that_is_supported_is_chosen() -> None:
    response = requests.Response()
    response.headers["WWW-Authenticate"] = (
        'Negotiate, NTLM abc==, Digest realm="a, b", qop="auth-int,auth", algorithm=SHA-256, nonce="1",'
        ' Basic realm="c", digest REALM="d", nonce="2"'
    )
    assert list(challenges(response)) == [
        {"realm": "a, b", "qop": "auth", "algorithm": "SHA-256", "nonce": "1"},
        {"realm": "d", "nonce": "2"},
    ]


def test_both_requests_share_the_time_of_one(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, transport: str
) -> None:
    receiver.answer("/ingest", Target().challenge(), Answer(misbehave=Misbehavior.NO_ANSWER))
    made = attempt(make_plan(transport=transport, auth=(AUTH,), timeout_seconds=0.5))
    assert made.failure is not None
    assert made.failure.kind is FailureKind.TIMEOUT
    assert receiver.count == 2


@pytest.mark.parametrize("username", ['a"b', "a\\b", "jürgen", "a\nb"])
def test_a_username_that_does_not_fit_is_refused(username: str) -> None:
    settings = {"username": Secret(username), "password": Secret("canary")}
    with pytest.raises(SecretError, match="username of auth digest") as caught:
        load_plugins().auth["digest"].build(cast("Settings", settings), AuthContext(HTTPAdapter(), 5.0))
    assert username not in f"{caught.value.message}{caught.value.hint}"


def test_it_goes_with_a_client_certificate(
    attempt: MakeAttempt, make_plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    import trustme

    authority = trustme.CA()
    leaf = authority.issue_cert("client@example.com")
    monkeypatch.setenv("PEM", leaf.private_key_and_cert_chain_pem.bytes().decode())
    mtls = {"type": "mtls", "certificate": "${env:PEM}", "key": "${env:PEM}"}
    with Receiver(client_authorities=authority.cert_pem.bytes()) as receiver:
        receiver.answer("/ingest", Target())
        assert attempt(make_plan(auth=(mtls, AUTH)), network=receiver.network()).succeeded
        assert [request.client_certificate is not None for request in receiver.requests] == [True, True]
