"""The metrics that are read from the store, the same from every process that uses it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

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


def stored(situation: Situation, applied: AppliedState, *, by_webhook: bool) -> Iterator[Metric]:
    """All of them. ``by_webhook``: whether webhooks are shown apart."""
    label = ["webhook"] if by_webhook else []
    names = sorted(applied.plans.keys() | applied.unreadable.keys())
    groups = {name: [name] for name in names} if by_webhook else {"": names}
    undelivered = GaugeMetricFamily(
        "hookctl_undelivered_deliveries", "Deliveries that are not delivered.", labels=[*label, "status"]
    )
    circuits = GaugeMetricFamily(
        "hookctl_circuit_state", "Active webhooks whose circuit is in this state.", labels=[*label, "state"]
    )
    for group, members in groups.items():
        values = [group] if by_webhook else []
        backlogs = [situation.backlogs.get(name, NO_BACKLOG) for name in members]
        for status in UNDELIVERED:
            count = sum(getattr(backlog, status.value) for backlog in backlogs)
            undelivered.add_metric([*values, status.value], count)
        states = [_circuit_of(situation, name) for name in members if name in situation.active]
        for state in CIRCUIT_STATES:
            circuits.add_metric([*values, state], states.count(state))
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
    yield InfoMetricFamily("hookctl_applied", "The applied state.", {"digest": digest_of(applied)})


def digest_of(applied: AppliedState) -> str:
    """A SHA-256 in hexadecimal of the names and digests of the applied delivery plans. Equal for equal states."""
    return hashlib.sha256(canonical_json({name: plan.digest for name, plan in applied.plans.items()})).hexdigest()


def _circuit_of(situation: Situation, name: str) -> str:
    circuit = situation.circuits.get(name)
    return circuit.state if circuit else "closed"
