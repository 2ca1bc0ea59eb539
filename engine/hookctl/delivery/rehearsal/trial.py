"""Trials: send one event to each given webhook now, outside the queue, with the same code as deliveries."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hookctl._version import __version__
from hookctl.delivery.attempt.engine import AttemptEngine, Job
from hookctl.delivery.outcomes import is_delivered
from hookctl.errors import HookctlError
from hookctl.model import Attempt, DeliveryPlan, Json
from hookctl.network import Network
from hookctl.plugin.calls import Plugins
from hookctl.when.condition import compile_when

AT_ONCE = 100
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Trial:
    """A webhook with its test event, and the attempt that was made."""

    plan: DeliveryPlan
    document: Mapping[str, Json]
    attempt: Attempt | None
    """The attempt; None if it was interrupted."""

    @property
    def succeeded(self) -> bool:
        """Whether a delivery with this attempt would be delivered."""
        return self.attempt is not None and is_delivered(self.attempt, self.plan)

    @property
    def event_type(self) -> str:
        """The type of its test event."""
        return str(self.document.get("event_type", ""))

    @property
    def title(self) -> str:
        """The webhook, with the event type if it receives several."""
        return self.plan.name if len(self.plan.events) == 1 else f"{self.plan.name} ({self.event_type})"

    @property
    def would_be_sent(self) -> bool | None:
        """Whether a live event like this one would reach the webhook; see :func:`lets_through`."""
        return lets_through(self.plan, self.document)


def lets_through(plan: DeliveryPlan, document: Mapping[str, Json]) -> bool | None:
    """Whether the webhook's ``when`` matches the event; None if it fails on this event."""
    if plan.when is None:
        return True
    try:
        return compile_when(plan.when).matches(document)
    except HookctlError:
        return None


def send_tests(
    plans: Sequence[tuple[DeliveryPlan, Mapping[str, Json]]],
    plugins: Plugins,
    network: Network | None = None,
    *,
    stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Trial]:
    """Send each webhook its event now, even if it is inactive or its ``when`` is false, as ``hookctl test`` does.

    Args:
        plans: webhooks, each with the event to send.
        plugins: the auth types, transports, secret sources and validators to use.
        network: how to reach targets; None: with the system's resolver and the usual certificate authorities.
        stopping: called often; if it returns True, the tests end early.
        progress: called often with the number of finished tests.

    Returns:
        The result of each test, in the order of ``plans``.

    Raises:
        TypeError: ``plans`` holds something else.
    """
    if not all(isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], DeliveryPlan) for pair in plans):
        raise TypeError("plans holds pairs of a DeliveryPlan and an event")
    engine = AttemptEngine(plugins, network or Network(), f"hookctl/{__version__}")
    try:
        attempts = _attempts(engine, plans, stopping, progress)
    finally:
        engine.close()
    return [Trial(plan, document, attempt) for (plan, document), attempt in zip(plans, attempts, strict=True)]


def _attempts(
    engine: AttemptEngine,
    plans: Sequence[tuple[DeliveryPlan, Mapping[str, Json]]],
    stopping: Callable[[], bool],
    progress: Callable[[int], None],
) -> list[Attempt | None]:
    """The attempt for each webhook, in the order of ``plans``; None if it was not made."""
    attempts: dict[str, Attempt] = {}
    jobs = {f"test_{uuid.uuid4().hex}": one for one in plans}
    waiting = list(jobs.items())[::-1]
    while len(attempts) < len(jobs) and not stopping():
        while waiting and engine.in_flight < AT_ONCE:
            delivery_id, (plan, document) = waiting.pop()
            engine.start(Job(delivery_id, plan, document, 1))
        for finished in engine.poll(POLL_SECONDS):
            attempts[finished.job.delivery_id] = finished.attempt
        progress(len(attempts))
    return [attempts.get(delivery_id) for delivery_id in jobs]
