"""What to check next: something for every cause."""

from __future__ import annotations

from typing import Any

import pytest

from hookctl.model import (
    CAUSES,
    Attempt,
    DeliveryPlan,
    Failure,
    FailureKind,
    Mismatch,
    PluginBlock,
    Response,
    Status,
    Timing,
    Verdict,
)
from hookctl.report.text.tips import BY_CAUSE, EXPIRED, FAILURES, UNTRUSTED, WRONG_NAME, tips_for


def plan(**fields: Any) -> DeliveryPlan:
    whole: dict[str, Any] = {
        "name": "Siem Anomalies",
        "events": ("anomaly",),
        "status": Status.ACTIVE,
        "method": "PATCH",
        "url": "https://siem.example.com/ingest/${env:KEY}",
        "headers": {},
        "auth": (),
        "transport": None,
        "when": None,
        "body_template": None,
        "timeout_seconds": 7.5,
        "response_validators": (),
        "custom_validation_error_message": None,
        "retry_schedule": (),
        "rate_limit": None,
        "description": None,
        "labels": {},
        "protected": False,
    }
    return DeliveryPlan(**{**whole, **fields})


def attempt(**fields: Any) -> Attempt:
    whole: dict[str, Any] = {
        "plan_digest": "",
        "number": 1,
        "started_at": 0.0,
        "request": None,
        "response": None,
        "failure": None,
        "timing": Timing(),
        "verdicts": (),
    }
    return Attempt(**{**whole, **fields})


@pytest.mark.parametrize("kind", FailureKind)
def test_every_kind_of_failure_has_tips(kind: FailureKind) -> None:
    tips = tips_for(attempt(failure=Failure(kind, "why")), plan())
    assert tips
    assert all(tip.endswith((".", "?", ")")) or ": " in tip for tip in tips)
    assert not [tip for tip in tips if "{" in tip]


@pytest.mark.parametrize("status", [100, *range(300, 600)])
def test_every_status_but_success_has_tips(status: int) -> None:
    tips = tips_for(attempt(response=Response(status, "", (), b"")), plan())
    assert tips
    assert not [tip for tip in tips if "{" in tip]


def test_a_target_that_hangs_up_is_not_asked_whether_it_is_there() -> None:
    failure = Failure(FailureKind.CONNECT, "")
    hung_up, refused = (
        tips_for(attempt(failure=failure, timing=timing), plan())
        for timing in (Timing(connected=0.1, tls=0.2), Timing(connected=0.1))
    )
    assert "closed it before it answered" in hung_up[0]
    assert not any("closed it" in tip or "port 443?" not in refused[0] for tip in refused)


def test_success_needs_no_tips() -> None:
    assert tips_for(attempt(response=Response(200, "OK", (), b"")), plan()) == ()


def test_statuses_of_their_own_have_tips_of_their_own() -> None:
    own = {
        status: tips_for(attempt(response=Response(status, "", (), b"")), plan())
        for status in (302, 400, 401, 403, 404, 405, 410, 415, 422, 429, 500)
    }
    assert len(set(own.values())) == len(own)


@pytest.mark.parametrize(
    ("cause", "tips"),
    [
        ("certificate_untrusted", UNTRUSTED),
        ("certificate_expired", EXPIRED),
        ("certificate_wrong_name", WRONG_NAME),
        ("", FAILURES[FailureKind.TLS]),
    ],
)
def test_tls_failures_are_told_apart(cause: str, tips: tuple[str, ...]) -> None:
    found = tips_for(attempt(failure=Failure(FailureKind.TLS, "why", cause)), plan())
    assert found == tuple(tip.replace("{host}", "siem.example.com") for tip in tips)


def test_every_cause_has_tips_of_its_own() -> None:
    assert {cause for _, cause in BY_CAUSE} == CAUSES
    assert len(set(BY_CAUSE.values())) == len(BY_CAUSE)


def test_the_text_of_a_message_decides_nothing() -> None:
    for kind in FailureKind:
        plain = tips_for(attempt(failure=Failure(kind, "why")), plan())
        for message in ("certificate has expired", "Hostname mismatch", "self-signed", "breaks the rule url-character"):
            assert tips_for(attempt(failure=Failure(kind, message)), plan()) == plain


def test_tips_name_what_they_are_about() -> None:
    refused = tips_for(attempt(response=Response(405, "", (), b"")), plan())
    assert "PATCH" in refused[0]
    slow = tips_for(attempt(failure=Failure(FailureKind.TIMEOUT, ""), timing=Timing(connected=0.1)), plan())
    assert "7.5 s" in slow[0]
    unnamed = tips_for(attempt(failure=Failure(FailureKind.NAME_NOT_FOUND, "")), plan())
    assert "siem.example.com" in unnamed[0]
    broken = tips_for(attempt(failure=Failure(FailureKind.RENDER, "")), plan())
    assert 'hookctl render "Siem Anomalies"' in broken[0]
    moved = tips_for(attempt(response=Response(308, "", (("location", "https://new.example.com/"),), b"")), plan())
    assert any("https://new.example.com/" in tip for tip in moved)


def test_a_mismatch_and_a_body_that_is_cut_differ() -> None:
    verdicts = (Verdict("json_path $.data.status", (Mismatch("json_path $.data.status", "it is not"),)),)
    whole = tips_for(attempt(response=Response(200, "", (), b""), verdicts=verdicts), plan())
    cut = tips_for(attempt(response=Response(200, "", (), b"", truncated=True), verdicts=verdicts), plan())
    assert "expected_values" in whole[1]
    assert whole != cut


def test_a_secret_that_fits_into_no_url() -> None:
    header = tips_for(
        attempt(
            failure=Failure(
                FailureKind.SECRET, "the value of the header X-Key contains a character that cannot be sent"
            )
        ),
        plan(),
    )
    url = tips_for(
        attempt(
            failure=Failure(
                FailureKind.SECRET, "with its secret inserted, the URL breaks the rule url-character", "url"
            )
        ),
        plan(),
    )
    assert any("line break" in tip for tip in header)
    assert "%20" in url[0]


def test_a_failed_plugin_leads_to_its_traceback() -> None:
    tips = tips_for(attempt(failure=Failure(FailureKind.PLUGIN, "")), plan())
    assert any("hookctl --debug test" in tip for tip in tips)


OAUTH2 = {"client_id": "hookctl", "client_secret": "${env:S}", "token_url": "https://login.example.com/token"}


@pytest.mark.parametrize("cause", ["", "credentials_refused"])
@pytest.mark.parametrize(
    ("settings", "shown", "hidden"),
    [
        ({}, ["sets no scopes", "neither audience nor resource", "auth_method: client_secret_post"], ["the audience"]),
        (
            {"scopes": ["ingest.write", "{name}"], "audience": "https://siem.example.com/"},
            ["the scopes ingest.write, {name}:", "the audience https://siem.example.com/:"],
            ["sets no scopes", "neither"],
        ),
        ({"scopes": ["a"]}, ["the scope a:"], []),
        ({"resource": ["urn:a", "urn:b"]}, ["the resource urn:a, urn:b:"], ["neither"]),
        ({"endpoint_params": {"organization": "${env:ORG}"}}, ["parameters organization."], ["ORG"]),
        (
            {"token_endpoint_auth_method": "client_secret_post"},
            ["auth_method: client_secret_basic"],
            ["only in the form"],
        ),
    ],
)
def test_tips_about_a_token_name_its_settings(
    cause: str, settings: dict[str, Any], shown: list[str], hidden: list[str]
) -> None:
    failed = attempt(failure=Failure(FailureKind.TOKEN, "why", cause))
    text = "\n".join(tips_for(failed, plan(auth=(PluginBlock("oauth2", {**OAUTH2, **settings}),))))
    assert "check client_id, client_secret and token_url in the auth block" in text.replace("Check", "check")
    assert [part for part in shown if part not in text] == []
    assert [part for part in hidden if part in text] == []


def test_tips_about_the_token_of_another_auth_name_its_own_settings() -> None:
    block = PluginBlock("assertion", {"issuer": "a", "private_key": "${env:K}", "token_url": "https://x.example/"})
    text = "\n".join(tips_for(attempt(failure=Failure(FailureKind.TOKEN, "why")), plan(auth=(block,))))
    assert "issuer, private_key and token_url" in text
    assert "client_secret" not in text
    assert "sets neither" not in text


def test_a_long_list_of_scopes_is_cut() -> None:
    block = PluginBlock("oauth2", {**OAUTH2, "scopes": [f"scope-{n}" for n in range(500)]})
    tips = tips_for(attempt(failure=Failure(FailureKind.TOKEN, "why")), plan(auth=(block,)))
    assert max(map(len, tips)) < 400
