"""Recent events that go elsewhere: newly matched by a webhook, no longer matched, or sent twice to one target."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hookctl.config.effects.targets import target_of
from hookctl.errors import HookctlError
from hookctl.model import Change, DeliveryPlan, Json, Plan, Status
from hookctl.when.condition import When, compile_when

Document = Mapping[str, Json]
Indices = frozenset[int]
NONE: Indices = frozenset()

MAX_EVALUATIONS = 500_000
"""The maximum of conditions times events. With many different conditions, only the newest events are tried."""
FEWEST = 20


@dataclass(frozen=True, slots=True)
class Recent:
    """Recent events, the newest first. They represent the events to come."""

    origin: str
    """The source of the events, for people: ``events.jsonl``, ``the store``."""
    documents: Sequence[Document]
    received: Sequence[float] = ()
    """When each of them was received, in epoch seconds; empty if they are not in the store."""
    has_delivery: Callable[[str], Collection[str]] = lambda _: ()
    """The ids of those that have a delivery to the webhook of that name already."""


@dataclass(frozen=True, slots=True)
class Missed:
    """Recent events in the store that a webhook would have matched, had it been applied and active."""

    count: int
    since: float
    """When the oldest of them was received, in epoch seconds."""


@dataclass(frozen=True, slots=True)
class Matching:
    """The recent events that one webhook receives, by index."""

    newly: Indices
    no_longer: Indices
    still: Indices
    twice: Indices
    """Events that another webhook now also sends to the same host and path."""
    twice_with: tuple[str, ...]
    """The names of those webhooks."""
    missed: Missed | None = None
    """For a webhook that is created or activated; None for every other, and if there are no such events."""


class Conditions:
    """Compiles each condition once, and evaluates it once for each of the recent events."""

    def __init__(self, documents: Sequence[Document] = ()) -> None:
        self._by_type: dict[str, list[tuple[int, Document]]] = {}
        for index, document in enumerate(documents):
            self._by_type.setdefault(str(document.get("event_type")), []).append((index, document))
        self._compiled: dict[str, When | None] = {}
        self._received: dict[tuple[tuple[str, ...], str | None], Indices] = {}

    def received(self, plan: DeliveryPlan | None) -> Indices:
        """The recent events that a webhook receives. An event for which ``when`` cannot be evaluated does not count."""
        if plan is None or plan.status is Status.INACTIVE:
            return NONE
        key = (plan.events, plan.when)
        if key not in self._received:
            found = (pair for event in plan.events for pair in self._by_type.get(event, ()))
            self._received[key] = frozenset(index for index, document in found if self._holds(plan.when, document))
        return self._received[key]

    def lets(self, plan: DeliveryPlan, document: Document) -> bool | None:
        """True if the webhook is active and its ``when`` matches the event; None when ``when`` cannot be evaluated."""
        return plan.status is Status.ACTIVE and self._holds(plan.when, document)

    def _holds(self, when: str | None, document: Document) -> bool | None:
        if when is None:
            return True
        try:
            if when not in self._compiled:
                self._compiled[when] = compile_when(when)
            compiled = self._compiled[when]
            return None if compiled is None else compiled.matches(document)
        except HookctlError:
            self._compiled.setdefault(when, None)
            return None


def bounded(recent: Recent, plan: Plan) -> Recent:
    """The newest events, as many as can be tried in a reasonable time with this number of conditions."""
    if len(recent.documents) <= FEWEST:
        return recent
    sides = [side for change in plan.changes for side in (change.before, change.after) if side]
    conditions = len({(side.events, side.when) for side in (*sides, *plan.unchanged.values())})
    most = max(FEWEST, MAX_EVALUATIONS // max(conditions, 1))
    return replace(recent, documents=recent.documents[:most], received=recent.received[:most])


def missed(recent: Recent, change: Change, newly: Indices) -> Missed | None:
    """The events that a webhook missed which the change creates or activates; ``newly`` are those it matches now.

    An apply does not send them; ``hookctl backfill`` does.
    """
    was_active = change.before is not None and change.before.status is Status.ACTIVE
    if was_active or not newly or not recent.received:
        return None
    made = recent.has_delivery(change.before.name if change.before else change.name)
    found = [index for index in newly if recent.documents[index].get("id") not in made]
    return Missed(len(found), min(recent.received[index] for index in found)) if found else None


class Deliveries:
    """The webhooks that send to each target, before and after a plan."""

    def __init__(self, plan: Plan, conditions: Conditions, recent: Recent) -> None:
        self._conditions, self._recent = conditions, recent
        unchanged = [*plan.unchanged.values()]
        self._before = _by_target([*unchanged, *(change.before for change in plan.changes if change.before)])
        self._after = _by_target([*unchanged, *(change.after for change in plan.changes if change.after)])

    def matching(self, change: Change) -> Matching:
        """The effect of the change on the recent events."""
        was, becomes = (self._conditions.received(plan) for plan in (change.before, change.after))
        before = self._shared(change.before, self._before)
        after = self._shared(change.after, self._after)
        moved = change.before and change.after and target_of(change.before.url) != target_of(change.after.url)
        already = NONE if moved else NONE.union(*before.values())
        twice = {name: indices - already for name, indices in after.items() if indices - already}
        return Matching(
            becomes - was,
            was - becomes,
            was & becomes,
            NONE.union(*twice.values()),
            tuple(sorted(twice)),
            missed(self._recent, change, becomes - was),
        )

    def _shared(
        self, plan: DeliveryPlan | None, sides: Mapping[tuple[str, str], Sequence[DeliveryPlan]]
    ) -> dict[str, Indices]:
        """The events that other webhooks send to the same target as ``plan``, by webhook name."""
        if plan is None:
            return {}
        target = target_of(plan.url)
        others = [one for event in plan.events for one in sides.get((event, target), ()) if one.name != plan.name]
        return {other.name: self._conditions.received(plan) & self._conditions.received(other) for other in others}


def _by_target(plans: Iterable[DeliveryPlan]) -> Mapping[tuple[str, str], Sequence[DeliveryPlan]]:
    """The active webhooks by event type and target."""
    found: dict[tuple[str, str], list[DeliveryPlan]] = {}
    for plan in plans:
        if plan.status is Status.ACTIVE:
            for event in plan.events:
                found.setdefault((event, target_of(plan.url)), []).append(plan)
    return found
