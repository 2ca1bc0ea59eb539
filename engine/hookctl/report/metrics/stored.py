"""The metrics that are read from the store, the same from every process that uses it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from operator import attrgetter

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily

from hookctl.delivery.runner.limits import LOCAL
from hookctl.delivery.situation import Situation
from hookctl.model import AppliedState, DeliveryStatus
from hookctl.model.delivery_plan import canonical_json
from hookctl.store.records import NO_BACKLOG

UNDELIVERED = (DeliveryStatus.WAITING, DeliveryStatus.RETRYING, DeliveryStatus.HELD, DeliveryStatus.DEAD)
"""Each is the name of a field of ``Backlog``, too."""
CIRCUIT_STATES = ("closed", "half-open", "open", LOCAL)


def stored(situation: Situation, applied: AppliedState, digest: str, *, by_webhook: bool) -> Iterator[Metric]:
    """All of them.

    Args:
        situation: what was read from the store.
        applied: what is applied.
        digest: :func:`digest_of` it, which takes a while with thousands of webhooks.
        by_webhook: whether webhooks are shown apart.
    """
    label = ["webhook"] if by_webhook else []
    undelivered = GaugeMetricFamily(
        "hookctl_undelivered_deliveries", "Deliveries that are not delivered.", labels=[*label, "status"]
    )
    circuits = GaugeMetricFamily(
        "hookctl_circuit_state", "Active webhooks whose circuit is in this state.", labels=[*label, "state"]
    )
    if by_webhook:
        for name in sorted(applied.plans.keys() | applied.unreadable.keys()):
            backlog = situation.backlogs.get(name, NO_BACKLOG)
            for status in UNDELIVERED:
                undelivered.add_metric([name, status.value], getattr(backlog, status.value))
            of_webhook = _circuit_of(situation, name) if name in situation.active else ""
            for state in CIRCUIT_STATES:
                circuits.add_metric([name, state], int(state == of_webhook))
    else:
        for status in UNDELIVERED:
            undelivered.add_metric([status.value], sum(map(attrgetter(status.value), situation.backlogs.values())))
        states = Counter(circuit.state for circuit in situation.circuits.values())
        states["closed"] += len(situation.active) - len(situation.circuits)
        for state in CIRCUIT_STATES:
            circuits.add_metric([state], states[state])
    yield from (undelivered, circuits)
    yield GaugeMetricFamily(
        "hookctl_oldest_due_seconds", "The time for which the longest due delivery has been due.", situation.lag
    )
    yield GaugeMetricFamily(
        "hookctl_oldest_waiting_seconds",
        "The age of the oldest delivery that is waiting, retrying or held.",
        situation.oldest,
    )
    yield GaugeMetricFamily("hookctl_applied_serial", "The serial of the applied state.", applied.serial)
    yield InfoMetricFamily("hookctl_applied", "The applied state.", {"digest": digest})


def digest_of(applied: AppliedState) -> str:
    """A SHA-256 in hexadecimal of the names and digests of the applied delivery plans. Equal for equal states."""
    return hashlib.sha256(canonical_json({name: plan.digest for name, plan in applied.plans.items()})).hexdigest()


def _circuit_of(situation: Situation, name: str) -> str:
    circuit = situation.circuits.get(name)
    return circuit.state if circuit else "closed"
