"""What a process counts for each attempt, commit, error and request."""

from __future__ import annotations

from typing import Any

import pytest

from hookctl.delivery.metrics import counters
from hookctl.delivery.metrics.counters import Metrics, StoreErrorKind, by_reason
from hookctl.delivery.metrics.histogram import SECONDS, Histogram
from hookctl.errors import StateError, StateLockedError, StoreError, StoreGoneError
from hookctl.model import (
    AppliedState,
    Attempt,
    Delivery,
    DeliveryStatus,
    Failure,
    FailureKind,
    Mismatch,
    Response,
    Timing,
    Verdict,
)
from hookctl.store.records import Claimed, Outcome, Result

DELIVERED, RETRYING, DEAD = DeliveryStatus.DELIVERED, DeliveryStatus.RETRYING, DeliveryStatus.DEAD


def result(
    status: DeliveryStatus = DELIVERED, answer: int | FailureKind = 200, webhook: str = "Siem", **fields: Any
) -> Result:
    """An attempt that started at 1,000, for a delivery that was made at 990."""
    response = Response(answer, "", (), b"") if isinstance(answer, int) else None
    failure = Failure(answer, "why") if isinstance(answer, FailureKind) else None
    given: dict[str, Any] = {"timing": Timing(total=2.0), "started_at": 1000.0} | fields
    attempt = Attempt(plan_digest="d", number=1, request=None, response=response, failure=failure, **given)
    delivery = Delivery("dlv_1", "evt_1", webhook, DeliveryStatus.WAITING, 0, 0.0, "", 990.0)
    return Result(Claimed(delivery, {}, 1), attempt, Outcome(status), 1)


def observed(histogram: Histogram) -> tuple[int, float]:
    return sum(histogram.counts), histogram.total


def test_attempts_are_counted_by_what_they_led_to_and_why() -> None:
    metrics = Metrics()
    rejected = Verdict("json", (Mismatch("json", "wrong"),))
    metrics.add_results([result(), result(), result(DELIVERED, 409), result(RETRYING, 503)])
    metrics.add_results([result(RETRYING, 599), result(DEAD, FailureKind.TIMEOUT), result(DEAD, verdicts=(rejected,))])
    assert by_reason(metrics.webhooks["Siem"]) == {
        (DELIVERED, "2xx"): 2,
        (DELIVERED, "4xx"): 1,
        (RETRYING, "5xx"): 2,
        (DEAD, "timeout"): 1,
        (DEAD, "mismatch"): 1,
    }


def test_a_status_that_http_does_not_define_is_no_class_of_its_own() -> None:
    metrics = Metrics()
    metrics.add_results([result(DEAD, 0), result(DEAD, 999)])
    assert set(by_reason(metrics.webhooks["Siem"])) == {(DEAD, "1xx"), (DEAD, "5xx")}


def test_only_a_delivered_delivery_has_a_latency_from_its_event_to_the_end_of_the_attempt() -> None:
    metrics = Metrics()
    metrics.add_results([result(), result(DELIVERED, 409), result(RETRYING, 503)])
    of_webhook = metrics.webhooks["Siem"]
    assert observed(of_webhook.latencies) == (2, 24.0)
    assert observed(of_webhook.durations) == (3, 6.0)


def test_a_clock_that_was_set_back_makes_no_negative_latency() -> None:
    metrics = Metrics()
    metrics.add_results([result(started_at=900.0)])
    assert observed(metrics.webhooks["Siem"].latencies) == (1, 0.0)


@pytest.mark.parametrize(
    ("timing", "phases"),
    [
        (Timing(1.0, 3.0, 6.0, 10.0, 15.0), {"name": 1.0, "connect": 2.0, "tls": 3.0, "wait": 4.0, "read": 5.0}),
        (Timing(None, None, None, 10.0, 15.0), {"wait": 10.0, "read": 5.0}),
        (Timing(1.0, 3.0, None, None, 15.0), {"name": 1.0, "connect": 2.0}),
        (Timing(total=15.0), {}),
    ],
)
def test_a_phase_is_the_time_since_the_end_of_the_one_before(timing: Timing, phases: dict[str, float]) -> None:
    metrics = Metrics()
    metrics.add_results([result(timing=timing)])
    assert {name: one.total for name, one in metrics.phases.items() if sum(one.counts)} == phases


def test_a_bound_includes_values_that_are_equal_to_it() -> None:
    histogram = Histogram(SECONDS)
    for value in (0.005, 0.0051, 300.0, 300.1):
        histogram.observe(value)
    assert (histogram.counts[0], histogram.counts[1], histogram.counts[-2], histogram.counts[-1]) == (1, 1, 1, 1)


def test_webhooks_that_are_not_applied_any_more_are_forgotten(delivery_plan: Any) -> None:
    metrics = Metrics()
    metrics.add_results([result(webhook="Siem"), result(webhook="Gone")])
    metrics.set_applied(AppliedState(1, {"Siem": delivery_plan("Siem")}))
    assert set(metrics.webhooks) == {"Siem"}


def test_webhooks_need_not_be_counted_apart() -> None:
    metrics = Metrics(by_webhook=False)
    metrics.add_results([result(webhook="Siem"), result(webhook="Other")])
    metrics.set_applied(AppliedState(1))
    assert [sum(by_reason(one).values()) for one in metrics.webhooks.values()] == [2]


def test_more_webhooks_than_monitoring_can_take_are_counted_together(
    delivery_plan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "MOST_WEBHOOKS", 1)
    one = AppliedState(1, {"Siem": delivery_plan("Siem")})
    two = AppliedState(2, {**one.plans, "Other": delivery_plan("Other")})
    metrics, chosen = Metrics(by_webhook=None), Metrics(by_webhook=True)
    for state, names in ((one, {"Siem"}), (two, {counters.ALL}), (one, {"Siem"})):
        for each in (metrics, chosen):
            each.set_applied(state)
            each.add_results([result(webhook="Siem")])
        assert set(metrics.webhooks) == set(metrics.copy().webhooks) == names
        assert (metrics.by_webhook, set(chosen.webhooks)) == (names == {"Siem"}, {"Siem"})


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (StateLockedError("busy"), StoreErrorKind.LOCKED),
        (StoreGoneError("deleted"), StoreErrorKind.GONE),
        (StoreError("the disk is full"), StoreErrorKind.FAILED),
    ],
)
def test_errors_of_the_store_are_counted_by_kind(error: StateError, kind: StoreErrorKind) -> None:
    metrics = Metrics()
    metrics.add_step(None)
    metrics.add_step(error)
    assert metrics.store_errors == {kind: 1}
