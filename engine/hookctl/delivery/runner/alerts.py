"""hookctl's own events: a delivery is dead, a webhook is held, a circuit is open. A reviewed webhook sends them on.

They are stored in the commit that stores what they are about. None is made unless an applied webhook receives it, none
is about a webhook that receives such events itself, and their rate is limited.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from hookctl.delivery.runner.route import Router
from hookctl.model import AppliedState, DeliveryStatus, Event, Json
from hookctl.store.interface import Queue
from hookctl.store.records import Circuit, Result, Routed

PREFIX = "hookctl."
DEAD = "hookctl.delivery_dead"
HELD = "hookctl.webhook_held"
OPENED = "hookctl.circuit_opened"
TYPES = (DEAD, HELD, OPENED)
WINDOW_SECONDS = 60.0
MOST_OF_ONE = 5
"""The most events of one type about one webhook in a window."""
MOST = 100
"""The most events in a window."""


class Alerts:
    """Makes the events of one process.

    ``clock`` returns epoch seconds, ``monotonic`` seconds on a clock nobody sets.
    """

    def __init__(self, queue: Queue, clock: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._queue, self._clock, self._monotonic = queue, clock, monotonic
        self._router: Router | None = None
        """None: no webhook receives any of the events."""
        self._hosts: Mapping[str, str] = {}
        """The hosts of the webhooks that events are made about, by name."""
        self._open = {name for name, circuit in queue.circuits().items() if circuit.state != "closed"}
        """The webhooks whose circuit is known to be open: a circuit that opens again after a probe is no news."""
        self._window_at = float("-inf")
        self._made: Counter[tuple[str, str]] = Counter()
        """The events of this window, by type and webhook."""
        self._suppressed: Counter[tuple[str, str]] = Counter()
        """The events that were not made since the last one of their type about their webhook."""

    def take(self, state: AppliedState, router: Router) -> None:
        """Use this applied state from now on."""
        self._router = router if any(map(router.receives, TYPES)) else None
        plans = state.plans.values() if self._router else ()
        self._hosts = {
            plan.name: _host(plan.url) for plan in plans if not any(one.startswith(PREFIX) for one in plan.events)
        }

    def of_result(self, result: Result) -> Iterator[Routed]:
        """The events about a result that is to be recorded."""
        outcome, delivery = result.outcome, result.claimed.delivery
        name = delivery.webhook
        if self._router is None or name not in self._hosts:
            return
        event_type = result.claimed.document.get("event_type")
        about: dict[str, Json] = {
            "delivery_id": delivery.id,
            "event": {"id": delivery.event_id, "type": event_type if isinstance(event_type, str) else ""},
            "reason": outcome.reason,
            "attempts": result.attempt.number,
            "status": result.attempt.response.status if result.attempt.response else None,
        }
        place = f"{delivery.id}:{result.attempt.number}"
        if outcome.status is DeliveryStatus.DEAD:
            yield from self._event(DEAD, name, place, about)
        if outcome.hold and name not in self._queue.holds():
            yield from self._event(HELD, name, place, about)

    def of_intake(self, routed: Sequence[Routed]) -> list[Routed]:
        """The events about dead letters among these deliveries, which are to be stored with them.

        A dead letter of an event that is stored already is no news.
        """
        dead = {
            delivery.id: (one.event, delivery) for one in routed for delivery in one.deliveries if delivery.dead_because
        }
        if self._router is None or not dead:
            return []
        known = self._queue.webhooks_of({event.id for event, _ in dead.values()})
        found: list[Routed] = []
        for event, delivery in dead.values():
            if event.id not in known and delivery.webhook in self._hosts:
                about: dict[str, Json] = {
                    "delivery_id": delivery.id,
                    "event": {"id": event.id, "type": event.event_type},
                    "reason": delivery.dead_because,
                    "attempts": 0,
                    "status": None,
                }
                found += self._event(DEAD, delivery.webhook, f"{delivery.id}:0", about)
        return found

    def of_circuit(self, name: str, circuit: Circuit | None) -> Iterator[Routed]:
        """The event about a circuit that is to be recorded, if it has just opened."""
        if circuit is None:
            self._open.discard(name)
        elif circuit.state == "open" and name not in self._open:
            self._open.add(name)
            if self._router is not None and name in self._hosts:
                about: dict[str, Json] = {
                    "reason": circuit.reason,
                    "opened_at": circuit.since,
                    "next_try_at": circuit.until,
                }
                yield from self._event(OPENED, name, f"{name}:{circuit.since:.3f}", about)

    def _event(self, event_type: str, webhook: str, place: str, about: Mapping[str, Json]) -> Iterator[Routed]:
        """An event, routed, unless there are too many. ``place`` makes its id, the same for the same occasion."""
        if self._router is None or not self._router.receives(event_type) or not self._may_make(event_type, webhook):
            return
        now, suppressed = self._clock(), self._suppressed.pop((event_type, webhook), 0)
        data: dict[str, Json] = {"webhook": webhook, "host": self._hosts[webhook], **about, "suppressed": suppressed}
        name = f"{event_type}:{place}"
        document: dict[str, Json] = {"id": name, "event_type": event_type, "event_time": now, "data": data}
        yield self._router.route(Event(name, event_type, now, document))

    def _may_make(self, event_type: str, webhook: str) -> bool:
        now, key = self._monotonic(), (event_type, webhook)
        if now - self._window_at >= WINDOW_SECONDS:
            self._window_at = now
            self._made.clear()
        if self._made[key] >= MOST_OF_ONE or self._made.total() >= MOST:
            self._suppressed[key] += 1
            return False
        self._made[key] += 1
        return True


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # a plugin's transport has its own rule for its URLs
        return ""
