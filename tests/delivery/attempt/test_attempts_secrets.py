"""No attempt ever holds a secret: not where it was sent, and not where a target sends it back, in whatever form."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from hookctl.delivery.attempt.authenticate import Authenticated
from hookctl.delivery.attempt.engine import AttemptEngine, Finished
from hookctl.delivery.attempt.exchange import Job
from hookctl.delivery.attempt.prepare import RECENT_TOKENS, _redactors_of_recent, prepare
from hookctl.errors import TokenError
from hookctl.model import Attempt, BodyFormat, DeliveryPlan, FailureKind, Json
from hookctl.plugin import SecretSource
from hookctl.plugin.calls import Plugins
from hookctl.testing.answers import Answer, ReceivedRequest
from hookctl.testing.receiver import Receiver

MakePlan = Callable[..., DeliveryPlan]
MakeAttempt = Callable[..., Attempt]
MakeEngine = Callable[..., AttemptEngine]
Finish = Callable[..., list[Finished]]

CANARY = 'canary/7+"q&x=~'
"""Differs in every encoding."""
URL_CANARY = "canary-in-the-url"


def forms(secret: str) -> dict[str, bytes]:
    """A secret as a target may send it back."""
    raw = secret.encode()
    return {
        "raw": raw,
        "base64": b64encode(raw),
        "base64 of a pair": b64encode(b"user:" + raw),
        "base64 of a longer pair": b64encode(b"users:" + raw + b":more"),
        "percent": quote(secret, safe="").encode(),
        "percent, lower case": quote(secret, safe="").lower().encode(),
        "form": quote_plus(secret).encode(),
        "json": json.dumps({"you sent": secret}).encode(),
        "json, utf-8": json.dumps({"you sent": secret}, ensure_ascii=False).encode(),
        "json, slashes escaped": json.dumps({"you sent": secret}).replace("/", "\\/").encode(),
    }


def fragments(secret: str) -> list[str]:
    """The secret in each form, and every eight characters of its base64 wherever it may begin."""
    aligned = [b64encode(b"x" * shift + secret.encode()).decode()[4:-4] for shift in range(3)]
    return [secret, quote(secret, safe=""), *(text[at : at + 8] for text in aligned for at in range(len(text) - 7))]


def test_what_holds_a_secret_does_not_show_it(
    make_plan: MakePlan, plugins: Plugins, mock_event: Mapping[str, Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    prepared = prepare(make_plan(headers={"X-Key": "${env:CANARY}"}), plugins, None, "hookctl/test")
    unsigned = prepared.make_request(Job("msg_1", prepared.plan, mock_event, 1), 1.0)
    assert dict(unsigned.request.headers)["X-Key"] == CANARY
    for one in (prepared, unsigned, Authenticated(unsigned.request, added=(("key", CANARY),))):
        assert CANARY not in repr(one)


@pytest.mark.parametrize("form", forms(CANARY))
def test_an_echoed_secret_is_masked(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    echo = forms(CANARY)[form]
    receiver.answer("/ingest", Answer(200, headers=(("X-Echo", echo.decode()),), body=b"You sent: " + echo + b"."))
    made = attempt(make_plan(headers={"X-Key": "${env:CANARY}"}))
    assert receiver.requests[0].header("x-key") == CANARY
    assert made.response is not None
    assert made.response.body.startswith(b"You sent: ")
    assert b"***" in made.response.body
    assert "***" in dict(made.response.headers)["X-Echo"]
    assert [fragment for fragment in fragments(CANARY) if fragment in repr(made)] == []


@pytest.mark.parametrize(
    "where",
    ["header", "url", "body", "plain body", "form", "ndjson", "text", "xml", "auth", "oauth2", "basic"],
)
def test_wherever_a_secret_is_used(
    attempt: MakeAttempt,
    make_plan: MakePlan,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    *,
    where: str,
    transport: str,
) -> None:
    def echo(request: ReceivedRequest) -> Answer:
        everything = request.head + request.body
        return Answer(
            400, headers=(("X-Echo", request.header("authorization") or ""),), body=everything + b64encode(everything)
        )

    monkeypatch.setenv("CANARY", URL_CANARY)
    receiver.tokens.client_secret = URL_CANARY
    receiver.answer("/ingest", echo)
    receiver.answer(f"/ingest/{URL_CANARY}", echo)
    fields: dict[str, dict[str, Any]] = {
        "header": {"headers": {"X-Key": "key ${env:CANARY}!"}},
        "url": {"url": "https://siem.example.com/ingest/${env:CANARY}?key=${env:CANARY}"},
        "body": {
            "body_template": '{% if data.id %}{"a": "x${env:CANARY}", "b": "{{ data.id }}"}{% else %}1{% endif %}'
        },
        "plain body": {"body_template": '{"a": "x${env:CANARY}", "b": "{{ data.id }}"}'},
        "form": {"body_template": None, "form": {"a": "x${env:CANARY}", "b": "{{ data.id }}"}},
        "ndjson": {"body_format": BodyFormat.NDJSON, "body_template": '[{"a": "x${env:CANARY}"}, "{{ data.id }}"]'},
        "text": {"body_format": BodyFormat.TEXT, "body_template": "x${env:CANARY} {{ data.id }}"},
        "xml": {"body_format": BodyFormat.XML, "body_template": "<a b='${env:CANARY}'>${env:CANARY}{{ data.id }}</a>"},
        "auth": {"auth": ({"type": "bearer", "token": "${env:CANARY}"},)},
        "oauth2": {
            "auth": (
                {
                    "type": "oauth2",
                    "client_id": "client",
                    "client_secret": "${env:CANARY}",
                    "token_url": "https://login.example.com/oauth/token",
                },
            )
        },
        "basic": {"auth": ({"type": "basic", "username": "hookctl", "password": "${env:CANARY}"},)},
    }
    made = attempt(make_plan(transport=transport, **fields[where]))
    assert made.response is not None
    assert made.response.status == 400
    sent = (receiver.requests[-1].header("authorization") or "").partition(" ")[2]
    assert [
        fragment
        for secret in (URL_CANARY, sent or URL_CANARY)
        for fragment in fragments(secret)
        if fragment in repr(made)
    ] == []
    assert "***" in repr(made)


def test_a_masked_request_shows_what_is_no_secret(
    attempt: MakeAttempt, make_plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", URL_CANARY)
    made = attempt(
        make_plan(
            url="https://siem.example.com/a/${env:CANARY}?b=1&c=${env:CANARY}",
            headers={"X-Key": "key ${env:CANARY}!", "X-Plain": "plain"},
        )
    )
    assert made.request is not None
    assert made.request.url == "https://siem.example.com/a/***?b=1&c=***"
    assert {"X-Key": "key ***!", "X-Plain": "plain"}.items() <= dict(made.request.headers).items()
    assert made.request.body == b'{"severity": "High"}'


BODY = '{"key": "${env:CANARY}", "id": "{{ data.id }}", "text": "{\\"key\\": \\"${env:CANARY}\\"}"}'


@pytest.mark.parametrize("form", forms(CANARY))
def test_a_secret_of_the_body_and_of_a_parameter_is_sent_and_masked(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    receiver.answer("/ingest", Answer(200, body=b"You sent: " + forms(CANARY)[form] + b"."))
    url = "https://siem.example.com/ingest?key=${env:CANARY}&id={{ data.id }}"
    made = attempt(make_plan(url=url, body_template=BODY))
    (request,) = receiver.requests
    body = json.loads(request.body)
    assert (body["key"], json.loads(body["text"])) == (CANARY, {"key": CANARY})
    assert request.target == f"/ingest?key={quote(CANARY, safe='')}&id={body['id']}"
    assert made.request is not None
    assert made.request.url == f"https://siem.example.com/ingest?key=***&id={body['id']}"
    shown = json.loads(made.request.body or b"")
    assert shown == {"key": "***", "id": body["id"], "text": '{"key": "***"}'}
    assert [fragment for fragment in fragments(CANARY) if fragment in repr(made)] == []


def test_a_reference_in_an_event_is_sent_as_text(
    attempt: MakeAttempt,
    make_plan: MakePlan,
    receiver: Receiver,
    mock_event: Mapping[str, Json],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    attempt(make_plan(body_template=BODY), document={**mock_event, "data": {"id": "${env:CANARY}"}})
    assert json.loads(receiver.requests[0].body)["id"] == "${env:CANARY}"


@pytest.mark.parametrize(
    "fields",
    [
        {"body_template": BODY},
        {"body_template": None, "form": {"key": "${env:CANARY}"}},
        {"body_template": "<a>${env:CANARY}</a>", "body_format": BodyFormat.XML},
        {"url": "https://siem.example.com/ingest?key=${env:CANARY}"},
    ],
)
def test_a_secret_that_is_missing_or_not_text_fails_the_attempt(
    attempt: MakeAttempt,
    make_plan: MakePlan,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, Any],
) -> None:
    monkeypatch.delenv("CANARY", raising=False)
    made = attempt(make_plan(**fields))
    assert made.failure is not None
    assert made.failure.kind is FailureKind.SECRET
    monkeypatch.setenv("CANARY", "\udcff")
    made = attempt(make_plan(**fields))
    assert made.failure is not None
    assert (made.failure.kind, "not valid Unicode" in made.failure.message) == (FailureKind.SECRET, True)
    assert not receiver.requests


def test_what_validators_repeat_is_masked(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", URL_CANARY)
    body = json.dumps({"status": [f"no: {URL_CANARY}", {"deep": URL_CANARY}]}).encode()
    receiver.answer("/ingest", Answer(headers=(("X-Result", f"no: {URL_CANARY}"),), body=body))
    made = attempt(
        make_plan(
            headers={"X-Key": "${env:CANARY}"},
            validators=(
                {"json_path": "$.data.status", "expected_values": ["accepted"]},
                {"type": "jmespath", "expression": "data.status[0] == 'x'"},
                {"type": "exists", "json_path": "$.data.status[0]", "expect": "absent"},
                {"type": "regex", "pattern": 'no: [^"]*', "expect": "absent"},
                {"type": "regex", "pattern": "^yes"},
                {"type": "json_schema", "schema": {"properties": {"status": {"items": {"type": "null"}}}}},
                {"type": "header", "name": "X-Result", "expected_values": ["stored"]},
            ),
        )
    )
    assert not made.succeeded
    assert [len(verdict.mismatches) > 0 for verdict in made.verdicts] == [True] * 7
    assert URL_CANARY not in repr(made)


def test_a_short_secret_is_masked_where_it_was_sent_alone(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", "a1")
    receiver.answer("/ingest", Answer(200, body=b'{"id": "a1b2"}'))
    made = attempt(make_plan(headers={"X-Key": "${env:CANARY}"}))
    assert made.request is not None
    assert dict(made.request.headers)["X-Key"] == "***"
    assert made.response is not None
    assert made.response.body == b'{"id": "a1b2"}'


def test_a_secret_that_the_cap_cuts_is_masked(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", URL_CANARY)
    cut = 65536 - 10
    receiver.answer("/ingest", Answer(200, body=b"x" * cut + URL_CANARY.encode() + b"x" * 100))
    made = attempt(make_plan(headers={"X-Key": "${env:CANARY}"}))
    assert made.response is not None
    assert made.response.truncated
    assert made.response.body[cut:] == b"***"


@pytest.mark.parametrize(
    "secret", ["line\nbreak-canary", "line\rbreak-canary", "nul\0canary", "trailing-canary ", "canary-\u2603"]
)
@pytest.mark.parametrize(
    "fields",
    [
        {"headers": {"X-Key": "${env:SECRET}"}},
        {"url": "https://siem.example.com/${file:SECRET}"},
        {"auth": ({"type": "bearer", "token": "${env:SECRET}"},)},
    ],
    ids=["header", "url", "auth"],
)
def test_a_secret_that_cannot_be_sent(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, plugins: Any, *, secret: str, fields: dict[str, Any]
) -> None:
    sources = {scheme: SecretSource(scheme=scheme, summary="", resolve=lambda _: secret) for scheme in ("env", "file")}
    made = attempt(make_plan(**fields), plugins=replace(plugins, secret_sources=sources))
    assert made.failure is not None
    assert made.failure.kind is FailureKind.SECRET
    assert "canary" not in repr(made)
    assert receiver.connections == 0


@pytest.mark.parametrize("secret", ["a#canary", "a\\canary", "a canary", "\u00e4canary"])
def test_a_secret_that_breaks_the_url(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, *, secret: str
) -> None:
    monkeypatch.setenv("CANARY", secret)
    made = attempt(make_plan(url="https://siem.example.com/${env:CANARY}"))
    assert made.failure is not None
    assert made.failure.kind is FailureKind.SECRET
    assert "rule url-" in made.failure.message
    assert "canary" not in repr(made)
    assert receiver.connections == 0


def test_a_missing_secret_names_its_reference_alone(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver
) -> None:
    made = attempt(make_plan(headers={"X-Key": "${env:NOT_SET_ANYWHERE}"}))
    assert made.failure is not None
    assert made.failure.kind is FailureKind.SECRET
    assert "NOT_SET_ANYWHERE" in made.failure.message
    assert made.request is None
    assert receiver.connections == 0


OAUTH: dict[str, Any] = {
    "type": "oauth2",
    "client_id": "${env:CLIENT_ID}",
    "client_secret": "${env:CANARY}",
    "token_url": "https://login.example.com/oauth/token",
}


def test_what_a_token_endpoint_repeats_is_masked(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    monkeypatch.setenv("CLIENT_ID", "the-client-canary")
    words = f"no {b64encode(CANARY.encode()).decode()} of the-client\\u002dcanary"
    receiver.answer("/oauth/token", Answer.json({"error": "invalid_client", "error_description": words}, 401))
    made = attempt(make_plan(auth=(OAUTH,)))
    assert made.failure is not None
    assert made.failure.kind is FailureKind.TOKEN
    assert "***" in made.failure.message
    assert "canary" not in repr(made)
    assert [fragment for fragment in fragments(CANARY) if fragment in repr(made)] == []


def test_an_error_of_an_auth_is_masked(
    attempt: MakeAttempt, make_plan: MakePlan, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(settings: Any, _: Any) -> Any:
        def apply(_: Any) -> Any:
            raise TokenError(f"refused: {quote(settings['token'].reveal(), safe='')}")

        return apply

    monkeypatch.setenv("CANARY", CANARY)
    auth = {**plugins.auth, "bearer": replace(plugins.auth["bearer"], build=build, per_attempt=True)}
    made = attempt(make_plan(auth=({"type": "bearer", "token": "${env:CANARY}"},)), plugins=replace(plugins, auth=auth))
    assert made.failure is not None
    assert made.failure.message == "refused: ***"


def test_a_token_that_was_refused_is_masked_after_it_was_renewed(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    monkeypatch.setenv("CLIENT_ID", "client")
    tokens = [Answer.json({"access_token": token, "expires_in": 60}) for token in ("first+token", "second+token")]
    receiver.answer("/oauth/token", *tokens)
    receiver.answer("/ingest", Answer(401), Answer(400, body=b'"first\\u002btoken, second\\u002Btoken"'))
    made = attempt(make_plan(auth=(OAUTH,)))
    assert made.response is not None
    assert made.response.body == b'"***, ***"'


def test_earlier_tokens_are_masked_after_secrets_were_read_again(
    make_engine: MakeEngine, finish: Finish, make_plan: MakePlan, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    monkeypatch.setenv("CLIENT_ID", "client")
    monkeypatch.setattr("hookctl.delivery.attempt.preparations.SECRETS_SECONDS", 0.0)
    tokens = [
        Answer.json({"access_token": f"{which}+token", "expires_in": 60}) for which in ("first", "second", "third")
    ]
    refusal = Answer.json({"error": "invalid_client", "error_description": "first+token was revoked"}, 401)
    receiver.answer("/oauth/token", *tokens, refusal)
    receiver.answer(
        "/ingest", Answer(401), Answer(401), Answer(400, body=b"first+token, second+token, third+token"), Answer(401)
    )
    engine, plan = make_engine(), make_plan(auth=(OAUTH,))
    finish(engine, plan)
    answered = finish(engine, plan)[0].attempt
    assert answered.response is not None
    assert answered.response.body == b"***, ***, ***"
    refused = finish(engine, plan)[0].attempt
    assert "first+token" not in repr(refused)
    assert "***" in repr(refused.failure)


def test_tokens_that_newer_ones_replaced_stay_masked() -> None:
    redactor_for = _redactors_of_recent(RECENT_TOKENS)
    for number in range(RECENT_TOKENS + 1):
        redactor = redactor_for(frozenset({f"token-{number:02}"}))
    assert redactor.text("token-00 token-01 token-16") == "token-00 *** ***"


def test_what_each_attempt_signs_anew_is_not_kept() -> None:
    redactor_for = _redactors_of_recent(0)
    redactor_for(frozenset({"signature-1"}))
    assert redactor_for(frozenset({"signature-2"})).text("signature-1 signature-2") == "signature-1 ***"
