"""What each result leads to, as a table of examples: read down the columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.delivery.outcomes import (
    CHOICES,
    DEFAULTS,
    MISMATCH,
    TABLE,
    TOKEN_REFUSED,
    Decision,
    Row,
    Signal,
    decide,
    decision_for,
    result_of,
    retry_after,
    row_of,
    signal_of,
    was_not_made,
)
from hookctl.delivery.runner.attempts import health
from hookctl.model import (
    CREDENTIALS_REFUSED,
    Attempt,
    DeliveryPlan,
    Failure,
    FailureKind,
    Mismatch,
    Response,
    Status,
    Timing,
    Verdict,
    delivery_plan,
)
from hookctl.schema_files import read_schema
from hookctl.store.records import Outcome

NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT
SCHEDULE = (5.0, 300.0, 7200.0)
MISMATCHED = Verdict("json_path $.a", (Mismatch("json_path $.a", "got 1, expected 2"),))
FINE = Verdict("json_path $.a")


def plan(outcomes: Mapping[str, str] = {}, *, schedule: tuple[float, ...] = SCHEDULE, **fields: Any) -> DeliveryPlan:
    defaults: dict[str, Any] = {
        "method": "POST",
        "url": "https://siem.example.com/",
        "headers": {},
        "auth": (),
        "transport": None,
        "when": None,
        "body_template": None,
        "timeout_seconds": 15.0,
        "response_validators": (),
        "custom_validation_error_message": None,
        "rate_limit": None,
        "description": None,
        "labels": {},
        "protected": False,
    }
    return DeliveryPlan(
        name="Siem",
        events=("anomaly",),
        status=Status.ACTIVE,
        retry_schedule=schedule,
        outcomes=outcomes,
        **(defaults | fields),
    )


def attempt(
    status: int | None = None,
    *,
    failure: FailureKind | None = None,
    cause: str = "",
    number: int = 1,
    headers: dict[str, str] | None = None,
    verdict: Verdict | None = None,
) -> Attempt:
    return Attempt(
        plan_digest="d",
        number=number,
        started_at=NOW,
        request=None,
        response=Response(status, "Reason", tuple((headers or {}).items()), b"") if status else None,
        failure=Failure(failure, "what happened", cause) if failure else None,
        timing=Timing(),
        verdicts=(verdict,) if verdict else (),
    )


def in_short(outcome: Outcome) -> str:
    """``delivered``, ``retry in 5``, ``held`` or ``dead``; ``, hold`` follows when the webhook is held."""
    what = f"retry in {outcome.due_at - NOW:g}" if outcome.due_at is not None else outcome.status.value
    return f"{what}, hold" if outcome.hold else what


# fmt: off
EXAMPLES = [
    # what came back                                          then
    (attempt(200),                                            "delivered"),
    (attempt(204),                                            "delivered"),
    (attempt(299),                                            "delivered"),
    (attempt(200, verdict=FINE),                              "delivered"),
    (attempt(200, verdict=MISMATCHED),                          "retry in 5"),
    (attempt(100),                                            "dead"),
    (attempt(301),                                            "dead"),
    (attempt(304),                                            "dead"),
    (attempt(400),                                            "dead"),
    (attempt(401),                                            "held, hold"),
    (attempt(401, number=9),                                  "held, hold"),
    (attempt(403),                                            "held, hold"),
    (attempt(403, number=9),                                  "held, hold"),
    (attempt(404),                                            "dead"),
    (attempt(408),                                            "retry in 5"),
    (attempt(409),                                            "dead"),
    (attempt(410),                                            "dead, hold"),
    (attempt(410, number=4),                                  "dead, hold"),
    (attempt(422),                                            "dead"),
    (attempt(425),                                            "retry in 5"),
    (attempt(429),                                            "retry in 5"),
    (attempt(500),                                            "retry in 5"),
    (attempt(501),                                            "retry in 5"),
    (attempt(503),                                            "retry in 5"),
    (attempt(599),                                            "retry in 5"),
    (attempt(failure=FailureKind.NAME_NOT_FOUND),             "retry in 5"),
    (attempt(failure=FailureKind.CONNECT),                    "retry in 5"),
    (attempt(failure=FailureKind.TLS),                        "retry in 5"),
    (attempt(failure=FailureKind.TIMEOUT),                    "retry in 5"),
    (attempt(failure=FailureKind.CUT_RESPONSE),               "retry in 5"),
    (attempt(failure=FailureKind.TRANSPORT),                  "retry in 5"),
    (attempt(failure=FailureKind.SECRET),                     "retry in 5"),
    (attempt(failure=FailureKind.TOKEN),                      "retry in 5"),
    (attempt(failure=FailureKind.TOKEN, cause=CREDENTIALS_REFUSED), "held, hold"),
    (attempt(failure=FailureKind.ADDRESS_BLOCKED),            "dead"),
    (attempt(failure=FailureKind.RENDER),                     "dead"),
    (attempt(failure=FailureKind.PLUGIN),                     "retry in 5"),
    # a failure beside a response wins: a deadline that fired overrides a status that was read
    (attempt(200, failure=FailureKind.TIMEOUT),               "retry in 5"),
    # the schedule
    (attempt(500, number=2),                                  "retry in 300"),
    (attempt(500, number=3),                                  "retry in 7200"),
    (attempt(500, number=4),                                  "dead"),
    (attempt(200, number=4),                                  "delivered"),
    # Retry-After: honoured when longer, at most an hour
    (attempt(503, headers={"Retry-After": "3"}),              "retry in 5"),
    (attempt(503, headers={"Retry-After": "120"}),            "retry in 120"),
    (attempt(429, headers={"retry-after": "120.1"}),          "retry in 121"),
    (attempt(503, headers={"Retry-After": "7200"}),           "retry in 3600"),
    (attempt(503, headers={"Retry-After": "9" * 400}),        "retry in 3600"),
    (attempt(503, headers={"Retry-After": "Fri, 15 Jan 2027 08:01:00 GMT"}), "retry in 60"),
    (attempt(503, headers={"Retry-After": "Fri, 15 Jan 2027 07:00:00 GMT"}), "retry in 5"),
    (attempt(503, headers={"Retry-After": "soon"}),           "retry in 5"),
    (attempt(503, headers={"Retry-After": "-60"}),            "retry in 5"),
    (attempt(503, headers={"Retry-After": "1e3"}),            "retry in 5"),
    (attempt(503, headers={"Retry-After": "inf"}),            "retry in 5"),
    (attempt(503, headers={"Retry-After": ""}),               "retry in 5"),
    (attempt(503, number=3, headers={"Retry-After": "9000"}), "retry in 7200"),
    (attempt(503, number=4, headers={"Retry-After": "60"}),   "dead"),
    (attempt(400, headers={"Retry-After": "60"}),             "dead"),
]
# fmt: on


@pytest.mark.parametrize(("made", "then"), EXAMPLES)
def test_decide(made: Attempt, then: str) -> None:
    assert in_short(decide(made, plan(), NOW, jitter=0.0)) == then


def test_each_result_is_in_one_row_and_none_is_missing() -> None:
    results = [result for row in TABLE for result in row.results]
    assert len(set(results)) == len(results)
    classes = {"1xx", "2xx", "3xx", "4xx", "5xx"}
    statuses = {"401", "403", "408", "410", "425", "429"}
    assert set(results) == {*classes, *statuses, *(kind.value for kind in FailureKind), MISMATCH, TOKEN_REFUSED}


def test_every_status_has_a_row() -> None:
    named = {result for row in TABLE for result in row.results}
    for status in range(1000):  # a transport may return a status that HTTP does not define
        nearest = f"{min(max(status // 100, 1), 5)}xx"
        assert (str(status) if str(status) in named else nearest) in row_of(str(status)).results


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.results[0])
def test_the_circuit_counts_what_the_row_says(row: Row) -> None:
    for result in row.results:
        if result in {kind.value for kind in FailureKind}:
            made = attempt(failure=FailureKind(result))
        elif result == TOKEN_REFUSED:
            made = attempt(failure=FailureKind.TOKEN, cause=CREDENTIALS_REFUSED)
        elif result == MISMATCH:
            made = attempt(200, verdict=MISMATCHED)
        else:
            made = attempt(int(result[:3].replace("xx", "99")))
        assert row_of(result_of(made)) is row
        found = health(made, plan())
        assert (None if found is None else found.is_well) == {
            Signal.SUCCESS: True,
            Signal.FAILURE: False,
            Signal.NOTHING: None,
        }[row.signal]


def test_only_what_this_machine_lacks_is_not_counted() -> None:
    assert [kind for kind in FailureKind if was_not_made(attempt(failure=kind))] == [FailureKind.LOCAL]


def test_jitter_adds_up_to_a_fifth() -> None:
    assert in_short(decide(attempt(500), plan(), NOW, jitter=0.5)) == "retry in 5.5"
    assert in_short(decide(attempt(500, number=2), plan(), NOW, jitter=1.0)) == "retry in 360"


def test_an_empty_schedule_has_one_attempt() -> None:
    assert (
        decide(attempt(500), plan(schedule=()), NOW, jitter=0.0).reason
        == "HTTP 500 Reason; schedule used up after 1 attempt"
    )


def test_a_result_that_shows_nothing_about_the_applied_webhook_holds_nothing() -> None:
    assert in_short(decide(attempt(401), plan(), NOW, 0.0, may_hold=False)) == "retry in 5"
    assert in_short(decide(attempt(401, number=4), plan(), NOW, 0.0, may_hold=False)) == "dead"
    assert in_short(decide(attempt(410), plan(), NOW, 0.0, may_hold=False)) == "dead"


# -- outcomes of the webhook

# fmt: off
CHANGED = [
    # outcomes                                  what came back                       then
    ({"409": "delivered"},                      attempt(409),                        "delivered"),
    ({"409": "delivered"},                      attempt(404),                        "dead"),
    ({"404": "retry"},                          attempt(404),                        "retry in 5"),
    ({"404": "retry"},                          attempt(404, number=4),              "dead"),
    ({"404": "hold"},                           attempt(404),                        "held, hold"),
    ({"410": "dead"},                           attempt(410),                        "dead"),
    ({"410": "hold"},                           attempt(410),                        "held, hold"),
    ({"401": "dead"},                           attempt(401),                        "dead"),
    ({"403": "retry"},                          attempt(403),                        "retry in 5"),
    ({"5xx": "dead"},                           attempt(503),                        "dead"),
    ({"5xx": "dead", "503": "retry"},           attempt(503),                        "retry in 5"),
    ({"5xx": "dead"},                           attempt(599),                        "dead"),
    ({"3xx": "delivered"},                      attempt(302),                        "delivered"),
    ({"mismatch": "dead"},                      attempt(200, verdict=MISMATCHED),    "dead"),
    ({"mismatch": "hold"},                      attempt(200, verdict=MISMATCHED),    "held, hold"),
    ({"mismatch": "dead"},                      attempt(200, verdict=FINE),          "delivered"),
    # a class leaves the statuses that the table names as they are
    ({"4xx": "retry"},                          attempt(404),                        "retry in 5"),
    ({"4xx": "dead"},                           attempt(401),                        "held, hold"),
    ({"4xx": "dead"},                           attempt(429),                        "retry in 5"),
    ({"4xx": "retry"},                          attempt(410),                        "dead, hold"),
    # a failure is not a status
    ({"5xx": "dead"},                           attempt(503, failure=FailureKind.TIMEOUT), "retry in 5"),
]
# fmt: on


@pytest.mark.parametrize(("outcomes", "made", "then"), CHANGED)
def test_a_webhook_changes_the_table(outcomes: dict[str, str], made: Attempt, then: str) -> None:
    assert in_short(decide(made, plan(outcomes), NOW, jitter=0.0)) == then


RESULTS = [*(str(status) for status in range(300, 600)), "3xx", "4xx", "5xx", MISMATCH]


@given(
    st.dictionaries(st.sampled_from(RESULTS), st.sampled_from([choice.value for choice in CHOICES])),
    st.integers(300, 599),
)
def test_the_most_specific_entry_counts(outcomes: dict[str, str], status: int) -> None:
    result, whole = str(status), f"{status // 100}xx"
    if result in outcomes:
        assert decision_for(result, outcomes) == outcomes[result]
    elif result in DEFAULTS:
        assert decision_for(result, outcomes) is DEFAULTS[result]
    else:
        assert decision_for(result, outcomes) == outcomes.get(whole, DEFAULTS[whole].value)


def test_what_counts_as_delivered_is_a_success_for_the_circuit() -> None:
    assert signal_of(attempt(503), plan()) is Signal.FAILURE
    assert signal_of(attempt(503), plan({"5xx": "delivered"})) is Signal.SUCCESS
    assert signal_of(attempt(503), plan({"5xx": "dead"})) is Signal.FAILURE


def test_the_schema_accepts_the_choices_of_the_table() -> None:
    field: Any = read_schema("webhook.schema.json")["properties"]["outcomes"]  # type: ignore[index,call-overload]
    assert [Decision(choice) for choice in field["additionalProperties"]["enum"]] == [*CHOICES]
    assert {choice.value for choice in CHOICES} == delivery_plan.CHOICES


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (attempt(500, number=4), "HTTP 500 Reason; schedule used up after 4 attempts"),
        (attempt(404), "HTTP 404 Reason"),
        (attempt(failure=FailureKind.RENDER), "render: what happened"),
        (attempt(200, verdict=MISMATCHED), "json_path $.a: got 1, expected 2"),
        (attempt(500, verdict=MISMATCHED), "HTTP 500 Reason"),
        (attempt(200), ""),
    ],
)
def test_reasons(made: Attempt, reason: str) -> None:
    assert decide(made, plan(), NOW, 0.0).reason == reason


def test_the_webhooks_own_words_for_a_mismatch() -> None:
    worded = plan(custom_validation_error_message="The SIEM did not accept it")
    outcome = decide(attempt(200, verdict=MISMATCHED), worded, NOW, 0.0)
    assert outcome.reason == "The SIEM did not accept it (json_path $.a: got 1, expected 2)"


def test_a_reason_can_be_stored_whatever_the_target_said() -> None:
    hostile = Verdict("v", (Mismatch("v", "got \ud800" + "x" * 10_000),))
    reason = decide(attempt(200, verdict=hostile), plan(), NOW, 0.0).reason
    assert reason.startswith("v: got \\ud800xxx")
    assert len(reason.encode()) == 500


def test_a_date_without_a_zone_is_utc() -> None:
    assert retry_after(Response(503, "", (("Retry-After", "Fri, 15 Jan 2027 08:01:00 -0000"),), b""), NOW) == 60
