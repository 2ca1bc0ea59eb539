"""The metrics that a process counts itself, from when it starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from hookctl.delivery.metrics.counters import (
    ACCEPTED,
    DUPLICATE,
    NO_TYPE,
    REJECTED,
    UNDECIDED,
    Metrics,
    OfWebhook,
    StoreErrorKind,
    by_reason,
)
from hookctl.delivery.metrics.histogram import Histogram
from hookctl.model import DeliveryStatus

ENDED = (DeliveryStatus.DELIVERED, DeliveryStatus.DEAD)


def counted(metrics: Metrics, event_types: Sequence[str]) -> Iterator[Metric]:
    """All of them. ``event_types`` are the known ones, which are present before their first event."""
    now = metrics.copy()
    yield from _events(now, event_types)
    yield from _attempts(now)
    yield from _store(now)
    yield from _requests(now)


def _events(metrics: Metrics, event_types: Sequence[str]) -> Iterator[Metric]:
    events = CounterMetricFamily(
        "hookctl_events", "Events that were sent to this process.", labels=["event_type", "result"]
    )
    none = {(name, result): 0 for name in event_types for result in (ACCEPTED, DUPLICATE)}
    for (event_type, result), count in sorted({**none, (NO_TYPE, REJECTED): 0, **metrics.events}.items()):
        events.add_metric([event_type, result], count)
    yield events
    rejected = CounterMetricFamily(
        "hookctl_events_rejected", "Events and requests with events that were not accepted.", labels=["reason"]
    )
    for reason, count in sorted(metrics.rejected.items()):
        rejected.add_metric([reason], count)
    yield rejected


def _attempts(metrics: Metrics) -> Iterator[Metric]:
    label = ["webhook"] if metrics.by_webhook else []
    deliveries = CounterMetricFamily(
        "hookctl_deliveries", "Deliveries that this process has ended.", labels=[*label, "status"]
    )
    dead = CounterMetricFamily(
        "hookctl_deliveries_dead", "Deliveries that became dead letters.", labels=[*label, "reason"]
    )
    attempts = CounterMetricFamily(
        "hookctl_attempts", "Attempts, with what they led to and why.", labels=[*label, "outcome", "reason"]
    )
    durations = HistogramMetricFamily(
        "hookctl_attempt_duration_seconds", "The time that an attempt takes.", labels=label
    )
    latencies = HistogramMetricFamily(
        "hookctl_delivery_latency_seconds",
        "The time from when an event was accepted until it was delivered, with all retries.",
        labels=label,
    )
    webhooks = metrics.webhooks or ({} if metrics.by_webhook else {"": OfWebhook()})
    for name, of_webhook in sorted(webhooks.items()):
        values = [name] if metrics.by_webhook else []
        ended = dict.fromkeys(ENDED, 0)
        for (status, reason), count in sorted(by_reason(of_webhook).items()):
            attempts.add_metric([*values, status.value, reason], count)
            if status in ended:
                ended[status] += count
            if status is DeliveryStatus.DEAD:
                dead.add_metric([*values, reason], count)
        if of_webhook.undecided:
            ended[DeliveryStatus.DEAD] += of_webhook.undecided
            dead.add_metric([*values, UNDECIDED], of_webhook.undecided)
        for status, count in ended.items():
            deliveries.add_metric([*values, status.value], count)
        _add(durations, values, of_webhook.durations)
        _add(latencies, values, of_webhook.latencies)
    yield from (deliveries, dead, attempts, durations, latencies)
    phases = HistogramMetricFamily(
        "hookctl_attempt_phase_seconds", "The time that each phase of an attempt takes.", labels=["phase"]
    )
    for phase, histogram in metrics.phases.items():
        _add(phases, [phase], histogram)
    yield phases


def _store(metrics: Metrics) -> Iterator[Metric]:
    commits = HistogramMetricFamily("hookctl_store_commit_seconds", "The time that a commit takes.")
    _add(commits, [], metrics.commits)
    yield commits
    errors = CounterMetricFamily("hookctl_store_errors", "Errors of the store.", labels=["kind"])
    for kind in StoreErrorKind:
        errors.add_metric([kind.value], metrics.store_errors[kind])
    yield errors


def _requests(metrics: Metrics) -> Iterator[Metric]:
    family = HistogramMetricFamily(
        "hookctl_http_request_duration_seconds",
        "The time that a request to this process takes.",
        labels=["method", "route", "status"],
    )
    for (method, route, status), histogram in sorted(metrics.requests.items()):
        _add(family, [method, route, str(status)], histogram)
    yield family


def _add(family: HistogramMetricFamily, labels: Sequence[str], histogram: Histogram) -> None:
    bounds = [*map(str, histogram.bounds), "+Inf"]
    family.add_metric(labels, [*zip(bounds, accumulate(histogram.counts), strict=True)], histogram.total)
