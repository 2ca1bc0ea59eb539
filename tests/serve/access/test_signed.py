"""Requests of providers, with the signatures that they make."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from hookctl.model import Event
from hookctl.model.token import Scope, token_id
from hookctl.serve.access.signed import MAX_BYTES
from hookctl.store.records import Routed

SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
Headers = dict[str, str]


def github(body: bytes, *, secret: str = SECRET) -> Headers:
    digest = hmac.digest(secret.encode(), body, "sha256").hex()
    return {"X_Hub_Signature_256": f"sha256={digest}", "X_GitHub_Delivery": "guid-1", "X_GitHub_Event": "push"}


def stripe(body: bytes, *, secret: str = SECRET, at: float | None = None) -> Headers:
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.digest(secret.encode(), f"{stamp}.".encode() + body, "sha256").hex()
    return {"Stripe_Signature": f"t={stamp},v1={'0' * 64},v1={digest}"}


def standard(body: bytes, *, secret: str = SECRET, event_id: str = "msg_1", at: float | None = None) -> Headers:
    stamp = str(int(time.time() if at is None else at))
    key = base64.b64decode(secret)
    digest = hmac.digest(key, f"{event_id}.{stamp}.".encode() + body, hashlib.sha256)
    signature = base64.b64encode(digest).decode()
    return {"webhook_id": event_id, "webhook_timestamp": stamp, "webhook_signature": f"v1,AAAA v1,{signature}"}


SCHEMES: dict[str, Callable[..., Headers]] = {"github": github, "stripe": stripe, "standard_webhooks": standard}
PAYLOAD = {"id": "evt_1", "created": 1_700_000_000, "amount": 10**30, "text": '"}, "event_type": "other'}
BODY = json.dumps(PAYLOAD, indent=1).encode()


@pytest.fixture(params=SCHEMES)
def scheme(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def source(server: Any, scheme: str, *, wrap: str = "payment", **fields: Any) -> str:
    """The path for a provider."""
    server.secrets |= {"NOW": SECRET}
    values = {"secrets": ("${env:NOW}",), "event_types": frozenset({wrap}), "wrap": wrap} | fields
    name = f"{scheme}-{len(server.tokens)}"
    return f"/v1/inbound/{token_id(server.token(Scope.INTAKE, name=name, signature=scheme, **values))}"


def post(server: Any, path: str, body: bytes, headers: Headers, **more: str) -> Any:
    return server.request("POST", path, body, **{"Content_Type": "application/json"} | headers | more)


def test_a_signed_payload_becomes_an_event(intake: Any, scheme: str) -> None:
    path = source(intake, scheme)
    answer = post(intake, path + "?dry_run=true", BODY, SCHEMES[scheme](BODY), ce_id="other", Idempotency_Key="other")
    assert answer.status == 200, answer.body
    got = json.loads(answer.body)
    event = json.loads(got["body"])
    name = got["who"]
    expected = {"github": "guid-1", "stripe": "evt_1", "standard_webhooks": "msg_1"}[scheme]
    assert event.pop("event_time") == pytest.approx(1_700_000_000 if scheme == "stripe" else time.time(), abs=60)
    assert event == {"id": f"{name}:{expected}", "event_type": "payment", "data": PAYLOAD}
    assert got["types"] == ["payment"]
    headers = {"content-type": "application/json", "content-length": str(len(got["body"]))}
    assert {name: value for name, value in got["headers"].items() if name != "accept-encoding"} == headers


def test_an_altered_body_another_secret_and_no_signature_are_refused(intake: Any, scheme: str) -> None:
    path, sign = source(intake, scheme), SCHEMES[scheme]
    other = base64.b64encode(b"another key of enough bytes").decode()
    for body, headers in (
        (BODY + b" ", sign(BODY)),
        (BODY, sign(BODY, secret=other)),
        (BODY, {}),
        (BODY, dict.fromkeys(sign(BODY), "")),
        (b"", sign(BODY)),
    ):
        answer = post(intake, path, body, headers)
        assert answer.status == 401
        assert "signature-refused" in answer.body
        assert SECRET not in answer.body


@pytest.mark.parametrize("scheme_with_clock", ["stripe", "standard_webhooks"])
@pytest.mark.parametrize("seconds", [-310, 310])
def test_old_and_future_signatures_are_refused(intake: Any, scheme_with_clock: str, seconds: int) -> None:
    path = source(intake, scheme_with_clock)
    headers = SCHEMES[scheme_with_clock](BODY, at=time.time() + seconds)
    assert post(intake, path, BODY, headers).status == 401


def test_a_replay_cannot_be_a_new_event(intake: Any) -> None:
    """The id is signed: another one needs another signature, and the same one is a duplicate for the store."""
    path, headers = source(intake, "standard_webhooks"), standard(BODY)
    ids = {json.loads(json.loads(post(intake, path, BODY, headers).body)["body"])["id"] for _ in range(2)}
    assert len(ids) == 1
    assert post(intake, path, BODY, headers | {"webhook_id": "msg_2"}).status == 401


def test_a_payload_that_comes_again_is_the_same_event(intake: Any, scheme: str) -> None:
    path = source(intake, scheme)
    event = json.loads(json.loads(post(intake, path, BODY, SCHEMES[scheme](BODY)).body)["body"])
    stored = Event(event["id"], "payment", event["event_time"] - 7, event | {"event_time": event["event_time"] - 7})
    intake.store.enqueue([Routed(stored, ())], time.time())
    again = json.loads(json.loads(post(intake, path, BODY, SCHEMES[scheme](BODY)).body)["body"])
    expected = event["event_time"] if scheme == "stripe" else stored.event_time
    assert again == event | {"event_time": expected}


def test_the_old_secret_is_accepted_while_both_are_given(intake: Any, scheme: str) -> None:
    old = base64.b64encode(b"an older key of enough bytes").decode()
    path = source(intake, scheme, secrets=("${env:GONE}", "${env:NOW}", "${env:OLD}"))
    intake.secrets |= {"OLD": old}
    assert post(intake, path, BODY, SCHEMES[scheme](BODY, secret=old)).status == 200
    assert post(intake, path, BODY, SCHEMES[scheme](BODY)).status == 200


def test_a_secret_that_cannot_be_read_is_503_and_named_in_the_log_alone(intake: Any) -> None:
    path = source(intake, "github", secrets=("${env:GONE}",))
    intake.troubles.clear()
    intake.access._reported_at = float("-inf")
    answer = post(intake, path, BODY, github(BODY))
    assert answer.status == 503
    assert "GONE" not in answer.body
    assert intake.troubles == ["${env:GONE} is not set"]
    assert "retry-after" in answer.headers


def test_a_bearer_token_that_requires_signatures_needs_both(intake: Any) -> None:
    intake.secrets |= {"NOW": SECRET}
    event = json.dumps({"id": "e1", "event_type": "payment", "event_time": 1, "data": {}}).encode()
    token = intake.token(Scope.INTAKE, name="both", signature="standard_webhooks", secrets=("${env:NOW}",))
    bearer = {"Authorization": f"Bearer {token}"}
    assert post(intake, "/v1/events", event, bearer).status == 401
    assert post(intake, "/v1/events", event, standard(event)).status == 401
    answer = post(intake, "/v1/events", event, standard(event) | bearer)
    assert json.loads(answer.body)["body"] == event.decode()  # it is not wrapped
    assert post(intake, "/sign-in", b"", bearer).status == 401


def test_ids_of_other_tokens_are_no_proof(intake: Any) -> None:
    plain = intake.token(Scope.INTAKE, Scope.OPERATE, name="plain")
    for wanted in (token_id(plain), "unknown", "", "../events"):
        assert post(intake, f"/v1/inbound/{wanted}", BODY, github(BODY)).status == 401
    path = source(intake, "github")
    intake.store.revoke_token([*intake.tokens][-1], time.time(), "ada@laptop")
    intake.forget()
    assert post(intake, path, BODY, github(BODY)).status == 401


def test_the_id_alone_is_not_a_use(intake: Any) -> None:
    path = source(intake, "github")
    post(intake, path, BODY, {})
    intake.forget()
    post(intake, path, BODY, {})
    assert intake.store.tokens()[-1].last_used_at is None


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"payload=%7B%7D", "application/x-www-form-urlencoded", 422),
        (b'{"a": 1, "a": 2}', "application/json", 422),
        (b'{}, "event_type": "other"', "application/json", 422),
        (b"\xff", "application/json", 422),
        (b"[1]", "application/cloudevents+json", 200),
        (b'"' + b"x" * MAX_BYTES + b'"', "application/json", 413),
    ],
)
def test_payloads_that_cannot_become_events(intake: Any, body: bytes, content_type: str, status: int) -> None:
    answer = post(intake, source(intake, "github"), body, github(body), Content_Type=content_type)
    assert answer.status == status


def test_a_payload_needs_an_id(intake: Any) -> None:
    body = b'{"id": 7}'
    answer = post(intake, source(intake, "stripe"), body, stripe(body))
    assert (answer.status, "member id" in answer.body) == (422, True)
    headers = {name: value for name, value in github(body).items() if name != "X_GitHub_Delivery"}
    assert post(intake, source(intake, "github"), body, headers).status == 422
