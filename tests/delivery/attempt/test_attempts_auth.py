"""Auth inside attempts: once or for each, on threads when it may wait, refreshed once, and shown to responses."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests.auth

from hookctl.delivery.attempt.engine import AttemptEngine, Finished, Job
from hookctl.model import Attempt, DeliveryPlan, FailureKind, Request
from hookctl.plugin import AuthContext, AuthType, Settings
from hookctl.plugin.calls import Plugins
from hookctl.testing.answers import Answer, Misbehavior, ReceivedRequest
from hookctl.testing.receiver import Receiver

MakePlan = Callable[..., DeliveryPlan]
MakeAttempt = Callable[..., Attempt]
MakeEngine = Callable[..., AttemptEngine]
Finish = Callable[..., list[Finished]]

OAUTH = {
    "type": "oauth2",
    "client_id": "client",
    "client_secret": "${env:CLIENT_SECRET}",
    "token_url": "https://login.example.com/oauth/token",
}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENT_SECRET", "secret")
    monkeypatch.setenv("TOKEN", "correct-horse")


def with_auth(plugins: Plugins, build: Callable[[Settings, AuthContext], Any], **flags: bool) -> Plugins:
    """The plugins, and an auth ``mine``."""
    mine = AuthType(name="mine", summary="", schema={}, build=build, **flags)  # type: ignore[arg-type]  # flags are of the fields that are booleans
    return replace(
        plugins, auth={**plugins.auth, "mine": mine}, origins={**plugins.origins, ("auth", "mine"): "test_plugin"}
    )


def auth(call: Callable[[requests.PreparedRequest], Any]) -> Callable[[Settings, AuthContext], Any]:
    """``call`` as the ``build`` of an auth."""

    class Mine(requests.auth.AuthBase):
        def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
            call(request)
            return request

    return lambda *_: Mine()


def test_a_bearer_token_is_sent_and_masked(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, transport: str
) -> None:
    made = attempt(make_plan(transport=transport, auth=({"type": "bearer", "token": "${env:TOKEN}"},)))
    assert receiver.requests[0].header("authorization") == "Bearer correct-horse"
    assert made.request is not None
    assert ("Authorization", "Bearer ***") in made.request.headers
    assert "correct-horse" not in repr(made)


def test_one_token_serves_all_who_wait(
    make_engine: MakeEngine, finish: Finish, make_plan: MakePlan, receiver: Receiver, transport: str
) -> None:
    receiver.require_token("/ingest")
    finished = finish(make_engine(), *[make_plan(transport=transport, auth=(OAUTH,))] * 100)
    assert all(one.attempt.succeeded for one in finished)
    assert sum(request.path == "/oauth/token" for request in receiver.requests) == 1


def test_a_stuck_token_endpoint_holds_up_nobody_else(
    make_engine: MakeEngine, make_plan: MakePlan, receiver: Receiver, mock_event: Any, transport: str
) -> None:
    receiver.answer("/oauth/token", Answer(misbehave=Misbehavior.NO_ANSWER))
    engine = make_engine()
    stuck = make_plan(name="Stuck", transport=transport, auth=(OAUTH,), timeout_seconds=1.0)
    free = [
        make_plan(name=f"W{index}", transport=transport, auth=({"type": "bearer", "token": "${env:TOKEN}"},))
        for index in range(20)
    ]
    for index, plan in enumerate([stuck, stuck, *free]):
        engine.start(Job(str(index), plan, mock_event, 1))
    order: list[Finished] = []
    while engine.in_flight:
        order += engine.poll(0.5)
    assert [one.job.plan.name for one in order[-2:]] == ["Stuck", "Stuck"]
    assert all(one.attempt.succeeded for one in order[:-2])
    for one in order[-2:]:
        assert one.attempt.failure is not None
        assert one.attempt.failure.kind is FailureKind.TOKEN
        assert one.attempt.request is None


def test_a_refused_token_is_renewed_once_within_the_attempt(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, transport: str
) -> None:
    receiver.answer("/ingest", Answer(401), Answer(200))
    made = attempt(make_plan(transport=transport, auth=(OAUTH,)))
    assert made.succeeded
    tokens = [request.header("authorization") for request in receiver.requests if request.path == "/ingest"]
    assert len(tokens) == 2
    assert tokens[0] != tokens[1]
    assert sum(request.path == "/oauth/token" for request in receiver.requests) == 2


def test_a_second_401_is_the_result(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, transport: str
) -> None:
    receiver.answer("/ingest", Answer(401))
    made = attempt(make_plan(transport=transport, auth=(OAUTH,)))
    assert made.response is not None
    assert made.response.status == 401
    assert sum(request.path == "/ingest" for request in receiver.requests) == 2


def test_a_401_without_a_token_to_renew_is_the_result(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver
) -> None:
    receiver.answer("/ingest", Answer(401))
    made = attempt(make_plan(auth=({"type": "bearer", "token": "${env:TOKEN}"},)))
    assert made.response is not None
    assert receiver.count == 1


def test_both_requests_share_the_time_of_one(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, transport: str
) -> None:
    receiver.answer("/ingest", Answer(401, delay=0.5), Answer(misbehave=Misbehavior.NO_ANSWER))
    made = attempt(make_plan(transport=transport, auth=(OAUTH,), timeout_seconds=1.0))
    assert made.failure is not None
    assert made.failure.kind is FailureKind.TIMEOUT
    left = re.search(r"within ([0-9.]+) s", made.failure.message)
    assert left is not None
    assert 0 < float(left[1]) <= 0.5  # what the first left for the second


def test_a_refused_client_is_a_token_failure(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT_SECRET", "wrong-secret")
    made = attempt(make_plan(auth=(OAUTH,)))
    assert made.failure is not None
    assert made.failure.kind is FailureKind.TOKEN
    assert "wrong-secret" not in repr(made)
    assert [request.path for request in receiver.requests] == ["/oauth/token"]


def test_auth_that_never_changes_is_called_once(
    make_engine: MakeEngine, finish: Finish, make_plan: MakePlan, plugins: Plugins, receiver: Receiver
) -> None:
    calls: list[str] = []

    def add_key(request: requests.PreparedRequest) -> None:
        calls.append("called")
        request.headers["X-Key"] = "k"

    mine = with_auth(plugins, auth(add_key))
    finish(make_engine(plugins=mine), *[make_plan(auth=({"type": "mine"},))] * 5)
    assert calls == ["called"]
    assert {request.header("x-key") for request in receiver.requests} == {"k"}


def test_auth_that_signs_sees_each_request_whole(
    make_engine: MakeEngine, finish: Finish, make_plan: MakePlan, plugins: Plugins, receiver: Receiver
) -> None:
    def sign(request: requests.PreparedRequest) -> None:
        body = request.body if isinstance(request.body, bytes) else b""
        request.headers["X-Signature"] = hashlib.sha256(request.headers["webhook-id"].encode() + body).hexdigest()

    mine = with_auth(plugins, auth(sign), per_attempt=True)
    finished = finish(
        make_engine(plugins=mine),
        *[make_plan(auth=({"type": "bearer", "token": "${env:TOKEN}"}, {"type": "mine"}))] * 3,
    )
    for request in receiver.requests:
        assert (
            request.header("x-signature")
            == hashlib.sha256((request.header("webhook-id") or "").encode() + request.body).hexdigest()
        )
        assert request.header("authorization") == "Bearer correct-horse"
    assert len({request.header("x-signature") for request in receiver.requests}) == 3
    for one in finished:
        assert one.attempt.request is not None
        assert {"Authorization": "Bearer ***", "X-Signature": "***"}.items() <= dict(
            one.attempt.request.headers
        ).items()


def test_auth_is_applied_in_the_order_of_the_webhook(
    attempt: MakeAttempt, make_plan: MakePlan, plugins: Plugins, receiver: Receiver
) -> None:
    def sign(request: requests.PreparedRequest) -> None:
        request.headers["X-Signed"] = request.headers.get("Authorization", "nothing")

    mine = with_auth(plugins, auth(sign), per_attempt=True)
    bearer = {"type": "bearer", "token": "${env:TOKEN}"}
    attempt(make_plan(auth=({"type": "mine"}, bearer)), plugins=mine)
    attempt(make_plan(auth=(bearer, {"type": "mine"})), plugins=mine)
    assert [request.header("x-signed") for request in receiver.requests] == ["nothing", "Bearer correct-horse"]


def test_auth_in_the_query_is_sent_and_masked(
    attempt: MakeAttempt, make_plan: MakePlan, plugins: Plugins, receiver: Receiver
) -> None:
    def add_key(request: requests.PreparedRequest) -> None:
        request.prepare_url(request.url, {"key": "hush-hush"})

    made = attempt(
        make_plan(url="https://siem.example.com/ingest?a=1", auth=({"type": "mine"},)),
        plugins=with_auth(plugins, auth(add_key)),
    )
    assert receiver.requests[0].target == "/ingest?a=1&key=hush-hush"
    assert made.request is not None
    assert made.request.url == "https://siem.example.com/ingest?a=1&key=***"


def test_auth_in_the_query_of_a_url_with_secrets(
    attempt: MakeAttempt, make_plan: MakePlan, plugins: Plugins, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IN_URL", "canary-in-url")

    def add_key(request: requests.PreparedRequest) -> None:
        request.prepare_url(request.url, {"my key": "hush-hush"})

    url = "https://siem.example.com/${env:IN_URL}/ingest?a=${env:IN_URL}&b=1"
    made = attempt(
        make_plan(url=url, auth=({"type": "mine"},)), plugins=with_auth(plugins, auth(add_key), per_attempt=True)
    )
    assert receiver.requests[0].target == "/canary-in-url/ingest?a=canary-in-url&b=1&my+key=hush-hush"
    assert made.request is not None
    assert made.request.url == "https://siem.example.com/***/ingest?a=***&b=1&my%20key=***"
    assert "canary-in-url" not in repr(made)


def test_auth_that_changes_the_path(
    attempt: MakeAttempt, make_plan: MakePlan, plugins: Plugins, receiver: Receiver
) -> None:
    def sign_path(request: requests.PreparedRequest) -> None:
        request.url = "https://siem.example.com/signed-path/hush-hush"

    made = attempt(make_plan(auth=({"type": "mine"},)), plugins=with_auth(plugins, auth(sign_path)))
    assert receiver.requests[0].target == "/signed-path/hush-hush"
    assert made.request is not None
    assert made.request.url == "https://siem.example.com/***"


@pytest.mark.parametrize(
    "url",
    [
        "http://siem.example.com/",
        "https://127.0.0.1/",
        "https://user@siem.example.com/",
        "https://siem.example.com:444/",
    ],
)
def test_auth_cannot_lead_past_the_rules_for_urls(
    attempt: MakeAttempt, make_plan: MakePlan, plugins: Plugins, receiver: Receiver, *, url: str, transport: str
) -> None:
    def lead_astray(request: requests.PreparedRequest) -> None:
        request.url = url

    made = attempt(
        make_plan(transport=transport, auth=({"type": "mine"},)),
        plugins=with_auth(plugins, auth(lead_astray), per_attempt=True),
    )
    assert made.failure is not None
    assert receiver.connections == 0


def test_auth_that_takes_a_header_away(
    attempt: MakeAttempt, make_plan: MakePlan, plugins: Plugins, receiver: Receiver
) -> None:
    mine = with_auth(plugins, auth(lambda request: request.headers.pop("X-Plain")))
    made = attempt(make_plan(headers={"X-Plain": "plain"}, auth=({"type": "mine"},)), plugins=mine)
    assert made.request is not None
    assert "X-Plain" not in dict(made.request.headers)
    assert receiver.requests[0].header("x-plain") is None


def test_blocking_auth_runs_on_another_thread(attempt: MakeAttempt, make_plan: MakePlan, plugins: Plugins) -> None:
    threads: list[threading.Thread] = []
    build = auth(lambda _: threads.append(threading.current_thread()))
    attempt(make_plan(auth=({"type": "mine"},)), plugins=with_auth(plugins, build, per_attempt=True, blocking=True))
    assert threads
    assert threading.main_thread() not in threads


def test_auth_that_hangs_is_given_up(attempt: MakeAttempt, make_plan: MakePlan, plugins: Plugins) -> None:
    released = threading.Event()
    build = auth(lambda _: released.wait(20))
    try:
        made = attempt(
            make_plan(auth=({"type": "mine"},), timeout_seconds=0.1),
            plugins=with_auth(plugins, build, per_attempt=True, blocking=True),
        )
    finally:
        released.set()
    assert made.failure is not None
    assert made.failure.kind is FailureKind.TOKEN
    assert made.request is None


def test_refresh_gets_the_request_that_was_refused(
    attempt: MakeAttempt, make_plan: MakePlan, plugins: Plugins, receiver: Receiver
) -> None:
    refused: list[Request] = []

    class Holder(requests.auth.AuthBase):
        token = 1

        def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers["Authorization"] = f"Bearer {self.token}"
            return request

        def refresh(self, request: Request) -> None:
            refused.append(request)
            self.token += 1

    receiver.answer("/ingest", Answer(401), Answer(200))
    made = attempt(make_plan(auth=({"type": "mine"},)), plugins=with_auth(plugins, lambda *_: Holder()))
    assert made.succeeded
    assert dict(refused[0].headers)["Authorization"] == "Bearer 1"
    assert receiver.requests[1].header("authorization") == "Bearer 2"


def test_a_secret_that_was_refused_is_read_again(
    make_engine: MakeEngine, finish: Finish, make_plan: MakePlan, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answer(
        "/ingest", lambda request: Answer(200 if request.header("authorization") == "Bearer new-secret" else 401)
    )
    engine = make_engine()
    plan = make_plan(auth=({"type": "bearer", "token": "${env:TOKEN}"},))
    assert not finish(engine, plan)[0].attempt.succeeded
    monkeypatch.setenv("TOKEN", "new-secret")
    assert not finish(engine, plan)[0].attempt.succeeded, "what was read a moment ago is not read again"
    monkeypatch.setattr("hookctl.delivery.attempt.preparations.SECRETS_SECONDS", 0.0)
    assert not finish(engine, plan)[0].attempt.succeeded
    assert finish(engine, plan)[0].attempt.succeeded


def test_a_client_secret_that_was_refused_is_read_again(
    make_engine: MakeEngine, finish: Finish, make_plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookctl.delivery.attempt.preparations.SECRETS_SECONDS", 0.0)
    monkeypatch.setenv("CLIENT_SECRET", "wrong")
    engine, plan = make_engine(), make_plan(auth=(OAUTH,))
    assert not finish(engine, plan)[0].attempt.succeeded
    monkeypatch.setenv("CLIENT_SECRET", "secret")
    assert finish(engine, plan)[0].attempt.succeeded


CHALLENGE = 'Digest realm="siem", nonce="n0nce", qop="auth", algorithm=MD5'


def digest_checked(request: ReceivedRequest) -> Answer:
    header = request.header("authorization") or ""
    given = dict(re.findall(r'(\w+)="?([^",]+)"?', header))
    if not header.startswith("Digest "):
        return Answer(401, headers=(("WWW-Authenticate", CHALLENGE),), body=b"")

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    first, second = md5("hookctl:siem:correct-horse"), md5(f"{request.method}:{request.target}")
    right = md5(f"{first}:n0nce:{given['nc']}:{given['cnonce']}:auth:{second}")
    return Answer(200 if given["response"] == right else 403)


def test_challenge_and_response_auth_of_requests_works_unchanged(
    attempt: MakeAttempt, make_plan: MakePlan, plugins: Plugins, receiver: Receiver, transport: str
) -> None:
    receiver.answer("/ingest", digest_checked)
    mine = with_auth(plugins, lambda *_: requests.auth.HTTPDigestAuth("hookctl", "correct-horse"))
    made = attempt(make_plan(transport=transport, auth=({"type": "mine"},)), plugins=mine)
    assert made.failure is None
    assert made.succeeded
    assert receiver.requests[-1].body == receiver.requests[0].body == b'{"severity": "High"}'
    assert made.request is not None
    assert dict(made.request.headers)["Authorization"] == "Digest ***"
