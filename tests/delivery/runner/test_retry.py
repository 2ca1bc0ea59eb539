"""What each result leads to, as a table of examples: read down the columns."""

from __future__ import annotations

import pytest

from hookctl.delivery.runner.retry import (
    MISMATCH,
    TABLE,
    TOKEN_REFUSED,
    Row,
    Signal,
    decide,
    health,
    look_up,
    retry_after,
    was_not_made,
)
from hookctl.model import Attempt, Failure, FailureKind, Mismatch, Response, Timing, Verdict
from hookctl.store.records import Outcome

NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT
SCHEDULE = (5.0, 300.0, 7200.0)
MISMATCHED = Verdict("json_path $.a", (Mismatch("json_path $.a", "got 1, expected 2"),))
FINE = Verdict("json_path $.a")


def attempt(
    status: int | None = None,
    *,
    failure: FailureKind | None = None,
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
        failure=Failure(failure, "what happened") if failure else None,
        timing=Timing(),
        verdicts=(verdict,) if verdict else (),
    )


def in_short(outcome: Outcome) -> str:
    """``delivered``, ``retry in 5`` or ``dead``; ``, suspend`` follows when the webhook is suspended."""
    what = f"retry in {outcome.due_at - NOW:g}" if outcome.due_at is not None else outcome.status.value
    return f"{what}, suspend" if outcome.suspend else what


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
    (attempt(401),                                            "dead"),
    (attempt(403),                                            "dead"),
    (attempt(404),                                            "dead"),
    (attempt(408),                                            "retry in 5"),
    (attempt(409),                                            "dead"),
    (attempt(410),                                            "dead, suspend"),
    (attempt(410, number=4),                                  "dead, suspend"),
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
    assert in_short(decide(made, SCHEDULE, NOW, jitter=0.0)) == then


def test_each_result_is_in_one_row_and_none_is_missing() -> None:
    results = [result for row in TABLE for result in row.results]
    assert len(set(results)) == len(results)
    classes = {"1xx", "2xx", "3xx", "4xx", "5xx"}
    statuses = {"408", "410", "425", "429"}
    assert set(results) == {*classes, *statuses, *(kind.value for kind in FailureKind), MISMATCH, TOKEN_REFUSED}


def test_every_status_has_a_row() -> None:
    named = {result for row in TABLE for result in row.results}
    for status in range(1000):  # a transport may return a status that HTTP does not define
        nearest = f"{min(max(status // 100, 1), 5)}xx"
        assert (str(status) if str(status) in named else nearest) in look_up(attempt(status)).results


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.results[0])
def test_the_circuit_counts_what_the_row_says(row: Row) -> None:
    for result in row.results:
        if result in {kind.value for kind in FailureKind}:
            found = health(attempt(failure=FailureKind(result)))
        elif result == MISMATCH:
            found = health(attempt(200, verdict=MISMATCHED))
        else:
            found = health(attempt(int(result[:3].replace("xx", "00"))))
        assert (None if found is None else found.is_well) == {
            Signal.SUCCESS: True,
            Signal.FAILURE: False,
            Signal.NOTHING: None,
        }[row.signal]


def test_only_what_this_machine_lacks_is_not_counted() -> None:
    assert [kind for kind in FailureKind if was_not_made(attempt(failure=kind))] == [FailureKind.LOCAL]


def test_jitter_adds_up_to_a_fifth() -> None:
    assert in_short(decide(attempt(500), SCHEDULE, NOW, jitter=0.5)) == "retry in 5.5"
    assert in_short(decide(attempt(500, number=2), SCHEDULE, NOW, jitter=1.0)) == "retry in 360"


def test_an_empty_schedule_has_one_attempt() -> None:
    assert decide(attempt(500), (), NOW, jitter=0.0).reason == "HTTP 500 Reason; schedule used up after 1 attempt"


def test_401_is_tried_again_where_a_token_may_be_at_fault() -> None:
    assert in_short(decide(attempt(401), SCHEDULE, NOW, 0.0, token_auth=True)) == "retry in 5"
    assert in_short(decide(attempt(403), SCHEDULE, NOW, 0.0, token_auth=True)) == "dead"


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
    assert decide(made, SCHEDULE, NOW, 0.0).reason == reason


def test_the_webhooks_own_words_for_a_mismatch() -> None:
    outcome = decide(
        attempt(200, verdict=MISMATCHED), SCHEDULE, NOW, 0.0, mismatch_message="The SIEM did not accept it"
    )
    assert outcome.reason == "The SIEM did not accept it (json_path $.a: got 1, expected 2)"


def test_a_reason_can_be_stored_whatever_the_target_said() -> None:
    hostile = Verdict("v", (Mismatch("v", "got \ud800" + "x" * 10_000),))
    reason = decide(attempt(200, verdict=hostile), SCHEDULE, NOW, 0.0).reason
    assert reason.startswith("v: got \\ud800xxx")
    assert len(reason.encode()) == 500


def test_a_date_without_a_zone_is_utc() -> None:
    assert retry_after(Response(503, "", (("Retry-After", "Fri, 15 Jan 2027 08:01:00 -0000"),), b""), NOW) == 60
