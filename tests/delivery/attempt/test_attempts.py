"""Attempts as a whole: what is sent, what comes back, and every way in which that fails."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hookctl.delivery.attempt.engine import AttemptEngine, Finished, Job
from hookctl.model import Attempt, DeliveryPlan, FailureKind
from hookctl.network import Network
from hookctl.plugin.calls import Plugins
from hookctl.testing.answers import Answer, Misbehavior
from hookctl.testing.receiver import Receiver

MakePlan = Callable[..., DeliveryPlan]
MakeAttempt = Callable[..., Attempt]


def test_sends_what_the_plan_says(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, transport: str
) -> None:
    plan = make_plan(transport=transport, headers={"X-Source": "hookctl"})
    made = attempt(plan, clock=lambda: 1_700_000_000.9)
    assert made.succeeded
    assert made.failure is None
    assert (made.plan_digest, made.number, made.started_at) == (plan.digest, 1, 1_700_000_000.9)
    received = receiver.requests[0]
    assert (received.method, received.target, received.body) == ("POST", "/ingest", b'{"severity": "High"}')
    assert received.header("x-source") == "hookctl"
    assert received.header("content-type") == "application/json"
    assert received.header("user-agent") == "hookctl/test"
    assert received.header("webhook-id") == "delivery-0"
    assert received.header("webhook-timestamp") == "1700000000"
    assert made.request is not None
    assert set(made.request.headers) <= set(received.headers)
    assert made.request.body == received.body
    assert made.response is not None
    assert (made.response.status, made.response.body) == (200, b'{"status":"accepted"}')
    assert made.timing.total > 0


def test_headers_of_the_webhook_win(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, transport: str
) -> None:
    attempt(
        make_plan(transport=transport, headers={"content-type": "application/cloudevents+json", "user-agent": "mine"})
    )
    received = receiver.requests[0]
    assert [value for name, value in received.headers if name.lower() == "content-type"] == [
        "application/cloudevents+json"
    ]
    assert [value for name, value in received.headers if name.lower() == "user-agent"] == ["mine"]


def test_no_body_no_content_type(attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, transport: str) -> None:
    made = attempt(make_plan(transport=transport, method="GET", body_template=None))
    assert made.succeeded
    assert (receiver.requests[0].method, receiver.requests[0].body) == ("GET", b"")
    assert receiver.requests[0].header("content-type") is None


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 405, 410, 415, 422, 429, 500, 503])
def test_other_statuses_fail_and_are_kept(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, status: int, transport: str
) -> None:
    receiver.answer("/ingest", Answer(status, headers=(("Location", "https://siem.example.com/other"),), body=b"why"))
    made = attempt(make_plan(transport=transport, validators=({"json_path": "$.data.a", "expected_values": [1]},)))
    assert not made.succeeded
    assert made.failure is None
    assert made.response is not None
    assert (made.response.status, made.response.body) == (status, b"why")
    assert made.verdicts == ()
    assert receiver.count == 1


def test_validators_judge_the_response(attempt: MakeAttempt, make_plan: MakePlan, transport: str) -> None:
    right = {"json_path": "$.data.status", "expected_values": ["accepted"]}
    wrong = {"json_path": "$.data.status", "expected_values": ["queued"]}
    made = attempt(make_plan(transport=transport, validators=(right, wrong)))
    assert not made.succeeded
    assert [verdict.passed for verdict in made.verdicts] == [True, False]
    assert made.verdicts[1].mismatches[0].path == "$.data.status"
    assert made.verdicts[1].mismatches[0].got == "accepted"


@pytest.mark.parametrize(
    ("misbehavior", "kind"),
    [
        (Misbehavior.TRICKLE_HEADERS, FailureKind.TIMEOUT),
        (Misbehavior.TRICKLE_BODY, FailureKind.TIMEOUT),
        (Misbehavior.NO_ANSWER, FailureKind.TIMEOUT),
        (Misbehavior.CUT_BODY, FailureKind.CUT_RESPONSE),
        (Misbehavior.NOT_HTTP, FailureKind.CUT_RESPONSE),
    ],
)
def test_misbehaving_targets(
    attempt: MakeAttempt,
    make_plan: MakePlan,
    receiver: Receiver,
    *,
    misbehavior: Misbehavior,
    kind: FailureKind,
    transport: str,
) -> None:
    receiver.answer("/ingest", Answer(misbehave=misbehavior))
    made = attempt(make_plan(transport=transport, timeout_seconds=0.3))
    assert made.failure is not None
    assert made.failure.kind is kind
    assert made.response is None
    assert made.request is not None


def test_a_body_without_end_fails_its_validator(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, transport: str
) -> None:
    receiver.answer("/ingest", Answer(misbehave=Misbehavior.UNFRAMED))
    made = attempt(
        make_plan(transport=transport, validators=({"json_path": "$.data.status", "expected_values": ["accepted"]},))
    )
    assert made.response is not None
    assert not made.succeeded
    assert "not marked" in made.verdicts[0].mismatches[0].message


def refusing() -> Network:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return Network(connect_to={"siem.example.com": ("127.0.0.1", port)})


def resolving_to(address: str) -> Network:
    return Network(getaddrinfo=lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))])


def unknown(*_: Any, **__: Any) -> Any:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize(
    ("network", "kind"),
    [
        (refusing(), FailureKind.CONNECT),
        (resolving_to("169.254.169.254"), FailureKind.ADDRESS_BLOCKED),
        (Network(getaddrinfo=unknown), FailureKind.NAME_NOT_FOUND),
    ],
    ids=["refused", "blocked", "unknown"],
)
def test_unreachable_targets(
    attempt: MakeAttempt, make_plan: MakePlan, network: Network, kind: FailureKind, transport: str
) -> None:
    made = attempt(make_plan(transport=transport), network=network)
    assert made.failure is not None
    assert made.failure.kind is kind


def test_an_untrusted_authority(attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, transport: str) -> None:
    made = attempt(make_plan(transport=transport), network=Network(connect_to=receiver.connect_to))
    assert made.failure is not None
    assert made.failure.kind is FailureKind.TLS
    assert receiver.count == 0


def test_a_template_that_cannot_be_rendered(attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver) -> None:
    made = attempt(make_plan(body_template='{"a": {{ data.nothing }}}'))
    assert made.failure is not None
    assert made.failure.kind is FailureKind.RENDER
    assert "nothing" in made.failure.message
    assert made.request is None
    assert receiver.connections == 0


def test_many_at_once_each_get_their_own_answer(
    make_engine: Callable[..., AttemptEngine],
    finish: Callable[..., list[Finished]],
    make_plan: MakePlan,
    receiver: Receiver,
    transport: str,
) -> None:
    receiver.answer("/ingest", lambda request: Answer.json({"id": request.header("webhook-id")}))
    finished = finish(make_engine(), *[make_plan(transport=transport)] * 200)
    for one in finished:
        assert one.attempt.response is not None
        assert one.job.delivery_id.encode() in one.attempt.response.body


def test_several_transports_at_once(
    make_engine: Callable[..., AttemptEngine],
    finish: Callable[..., list[Finished]],
    make_plan: MakePlan,
    receiver: Receiver,
) -> None:
    plans = [make_plan(name=f"W{index}", transport=("curl", "requests")[index % 2]) for index in range(40)]
    assert all(one.attempt.succeeded for one in finish(make_engine(), *plans))
    assert receiver.count == 40


def test_an_edited_plan_is_used_at_once(
    make_engine: Callable[..., AttemptEngine],
    finish: Callable[..., list[Finished]],
    make_plan: MakePlan,
    receiver: Receiver,
) -> None:
    engine = make_engine()
    before, same, after = make_plan(), make_plan(), make_plan(url="https://siem.example.com/v2")
    digests = [finish(engine, plan)[0].attempt.plan_digest for plan in (before, same, after)]
    assert digests == [before.digest, before.digest, after.digest]
    assert [request.path for request in receiver.requests] == ["/ingest", "/ingest", "/v2"]


def test_close_gives_up_what_is_under_way(
    make_engine: Callable[..., AttemptEngine], make_plan: MakePlan, receiver: Receiver, mock_event: Any, transport: str
) -> None:
    receiver.answer("/ingest", Answer(misbehave=Misbehavior.NO_ANSWER))
    engine = make_engine()
    for index in range(3):
        engine.start(Job(str(index), make_plan(transport=transport, timeout_seconds=1.5), mock_event, 1))
    engine.poll(0.2)
    engine.close()
    assert engine.in_flight == 0
    assert engine.poll(0) == []


def test_transports_that_must_be_driven_take_turns(
    make_engine: Callable[..., AttemptEngine],
    finish: Callable[..., list[Finished]],
    make_plan: MakePlan,
    plugins: Plugins,
    receiver: Receiver,
) -> None:
    second = replace(plugins.transports["curl"], name="second")
    engine = make_engine(plugins=replace(plugins, transports={**plugins.transports, "second": second}))
    receiver.answer("/slow", Answer(delay=0.3))
    slow = make_plan(name="Slow", transport="second", url="https://siem.example.com/slow")
    fast = [make_plan(name=f"W{index}", transport=("curl", "second", "requests")[index % 3]) for index in range(30)]
    assert all(one.attempt.succeeded for one in finish(engine, slow, *fast))


def test_wake_ends_a_wait(
    make_engine: Callable[..., AttemptEngine],
    make_plan: MakePlan,
    receiver: Receiver,
    mock_event: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hookctl.delivery.attempt.engine.WATCH", 60.0)
    receiver.answer("/ingest", Answer(misbehave=Misbehavior.NO_ANSWER))
    engine = make_engine()
    engine.start(Job("waiting", make_plan(transport="curl", timeout_seconds=8.0), mock_event, 1))
    while not receiver.count:
        engine.poll(0.05)
    timer = threading.Timer(0.1, engine.wake)
    timer.start()
    assert engine.poll(60) == [], "it waited until the request had timed out"
    timer.join()
    assert engine.in_flight == 1


def test_close_does_not_wait_for_a_token_endpoint_that_hangs(
    make_engine: Callable[..., AttemptEngine],
    make_plan: MakePlan,
    receiver: Receiver,
    mock_event: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET", "secret")
    receiver.answer("/oauth/token", Answer(misbehave=Misbehavior.NO_ANSWER))
    auth = {
        "type": "oauth2",
        "client_id": "client",
        "client_secret": "${env:SECRET}",
        "token_url": "https://login.example.com/oauth/token",
    }
    engine = make_engine()
    engine.start(Job("waiting", make_plan(auth=(auth,), timeout_seconds=2.5), mock_event, 1))
    while not receiver.count:
        engine.poll(0.1)
    engine.close()
    assert engine.in_flight == 0
