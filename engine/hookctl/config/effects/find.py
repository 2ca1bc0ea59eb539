"""Combines the effects of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hookctl.config.effects.events import Conditions, Deliveries, Matching, Recent, bounded
from hookctl.config.effects.healing import NOTHING, STATUSES, Find, Healing, Repeating, healing_of, shares, together
from hookctl.config.effects.outcomes import Outcomes, outcomes_of
from hookctl.config.effects.payload import Break, Payload, payload_of
from hookctl.config.effects.requests import Document, Render, RequestChange, Requests, Sample, request_change, summed_up
from hookctl.config.effects.retries import Retries, retries_of
from hookctl.config.effects.targets import Leaving, Targets
from hookctl.config.effects.types import TypeEffects
from hookctl.config.effects.waiting import Waiting, waiting_of
from hookctl.model import Action, Change, Contribution, DeliveryPlan, DeliveryStatus, Plan, Status
from hookctl.plugin.added import Added, added_by
from hookctl.plugin.interfaces import AuthType, EventType

MAX_NEW_RENDERED = 200
"""The number of new webhooks that are shown in full. Nobody reads more, and rendering thousands of requests takes
long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The input of effects besides the plan."""

    event_types: Mapping[str, EventType]
    auth_types: Mapping[str, AuthType]
    render: Render
    jitter: float
    """The share of the delay by which a retry may come later than scheduled."""
    samples: Sequence[Document] = ()
    """Events to show requests for. A webhook whose event type is not among them is shown with its mock event."""
    recent: Recent | None = None
    waiting: Mapping[str, Mapping[DeliveryStatus, int]] = field(default_factory=dict)
    """The number of deliveries of each status, by webhook."""
    find: Find | None = None
    """Finds deliveries that failed; None: there is no store."""
    repeating: Repeating | None = None
    """Tries them again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEffects:
    """The effects of one change."""

    name: str
    requests: Requests | None
    """None for a removed webhook, and for new webhooks after the first :data:`MAX_NEW_RENDERED`."""
    payload: Payload
    breaks: tuple[Break, ...]
    leaving: tuple[Leaving, ...]
    """By event type; empty if nothing leaves that did not before."""
    new_hosts: tuple[str, ...]
    matching: Matching | None
    """None without recent events."""
    retries_before: Retries | None
    retries: Retries | None
    """None for a webhook that is removed."""
    outcomes_before: Outcomes | None
    outcomes: Outcomes | None
    """None for a webhook that is removed."""
    waiting: Waiting
    healing: Healing
    defaults: tuple[Contribution, ...] = ()
    """The fields that the webhook has from files of defaults."""
    is_brief: bool = False
    """True for a new webhook after the first :data:`MAX_NEW_RENDERED`: text reports show it on one line."""

    @property
    def changes_no_request(self) -> bool:
        """True when no sample's request changes."""
        return self.requests is not None and self.requests.changed == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """The effects of a plan. Unchanged webhooks have no entry."""

    changes: Mapping[str, ChangeEffects]
    looked_at: int = 0
    """The number of recent events that were tried."""
    origin: str = ""
    """The source of these events; empty without events."""
    types: tuple[TypeEffects, ...] = ()
    """What each changed event type means."""

    @property
    def leaving(self) -> tuple[Leaving, ...]:
        """The data that newly leaves, by host and event type, for all changes."""
        found: dict[tuple[str, str], list[Leaving]] = {}
        for effects in self.changes.values():
            for leaving in effects.leaving:
                found.setdefault((leaving.host, leaving.event), []).append(leaving)
        return tuple(_together(found[target]) for target in sorted(found))

    @property
    def new_hosts(self) -> tuple[str, ...]:
        """Hosts that are talked to for the first time."""
        return tuple(sorted({host for effects in self.changes.values() for host in effects.new_hosts}))

    def names(self, payload: Payload) -> tuple[str, ...]:
        """The webhooks whose payload changes in that way."""
        return tuple(name for name, effects in self.changes.items() if effects.payload is payload)

    @property
    def without_request(self) -> tuple[str, ...]:
        """The changed webhooks whose requests stay as they are."""
        return tuple(name for name, effects in self.changes.items() if effects.changes_no_request)

    def events(self, which: str) -> int:
        """How many of the recent events are ``newly``, ``no_longer`` or ``twice`` of some webhook; each once."""
        found: Iterable[frozenset[int]] = (
            getattr(effects.matching, which) for effects in self.changes.values() if effects.matching
        )
        return len(frozenset().union(*found))

    @property
    def waiting(self) -> Waiting:
        """What becomes of all that waits for a changed webhook."""
        all_waiting = [effects.waiting for effects in self.changes.values()]
        return Waiting(
            *(
                sum(getattr(waiting, name) for waiting in all_waiting)
                for name in ("sent", "released", "held", "cancelled")
            )
        )

    @property
    def healing(self) -> Healing:
        """What all changes do together to deliveries that failed, without reasons."""
        found = [healing for effects in self.changes.values() if (healing := effects.healing).tried]
        return Healing(
            tuple(together([one for healing in found for one in healing.tried])),
            tuple(repair for healing in found for repair in healing.repairs),
        )

    @property
    def longest(self) -> ChangeEffects | None:
        """The change after which a delivery is tried for the longest time."""
        found = [effects for effects in self.changes.values() if effects.retries]
        return max(found, key=lambda effects: effects.retries.last_after if effects.retries else 0.0, default=None)


def _together(leaving: Sequence[Leaving]) -> Leaving:
    """What leaves for one host from several webhooks; most often there is one."""
    if len(leaving) == 1:
        return leaving[0]
    fields = {field for one in leaving for field in one.fields}
    personal = {field for one in leaving for field in one.personal}
    return Leaving(leaving[0].host, leaving[0].event, tuple(sorted(fields)), tuple(sorted(personal)))


def find_effects(plan: Plan, around: Surroundings) -> Effects:
    """What each change of a plan means: rendered and counted, nothing sent and nothing resolved."""
    if not plan.changes:
        return Effects(changes={})
    recent = bounded(around.recent, plan) if around.recent else Recent("", ())
    finder = _Finder(plan, around, Conditions(recent.documents), recent)
    new = [change.name for change in plan.changes if change.action is Action.CREATE]
    brief = frozenset(new[MAX_NEW_RENDERED:])
    return Effects(
        changes={change.name: finder.effects(change, is_brief=change.name in brief) for change in plan.changes},
        looked_at=len(recent.documents),
        origin=recent.origin,
    )


class _Finder:
    def __init__(self, plan: Plan, around: Surroundings, conditions: Conditions, recent: Recent) -> None:
        self._around = around
        self._conditions = conditions
        self._targets = Targets(plan, around.event_types, around.auth_types)
        self._deliveries = Deliveries(plan, conditions, recent) if recent.documents else None
        self._shares = shares(
            {
                (change.name, status): count
                for change in plan.changes
                for status, count in (_failed(change, around.waiting).items() if around.find else ())
            }
        )
        self._samples: dict[str, list[Document]] = {}
        for document in around.samples:
            self._samples.setdefault(str(document.get("event_type")), []).append(document)

    def effects(self, change: Change, *, is_brief: bool) -> ChangeEffects:
        """What one change means; no request is rendered for a brief one."""
        after = change.after
        mock, given = self._requests(change.before, after) if after and not is_brief else ([], [])
        payload, breaks = payload_of([*given, *mock])
        return ChangeEffects(
            name=change.name,
            requests=summed_up(given or mock) if after and not is_brief else None,
            payload=payload,
            breaks=breaks,
            leaving=self._targets.leaving(after),
            new_hosts=self._targets.new_hosts(after),
            matching=self._deliveries.matching(change) if self._deliveries else None,
            retries_before=retries_of(change.before, self._around.jitter) if change.before else None,
            retries=retries_of(after, self._around.jitter) if after else None,
            outcomes_before=outcomes_of(change.before) if change.before else None,
            outcomes=outcomes_of(after) if after else None,
            waiting=waiting_of(change, self._around.waiting),
            healing=self._healing(change),
            is_brief=is_brief,
        )

    def _requests(
        self, before: DeliveryPlan | None, after: DeliveryPlan
    ) -> tuple[list[RequestChange], list[RequestChange]]:
        """The requests for the mock events, and those for the given events that either side lets through.

        The mock event of a type that both sides have is shown for both. If they have none in common, the request of
        each side is for its own first type.
        """

        def changed(sample: Sample) -> RequestChange:
            return request_change(
                before, after, sample, render=self._around.render, adds=self._adds, lets=self._conditions.lets
            )

        both = [event for event in after.events if before is None or event in before.events]
        pairs = [(event, event) for event in both] or [((before or after).events[0], after.events[0])]
        mocks = [(self._mock(was), self._mock(becomes)) for was, becomes in pairs]
        mock = [changed(Sample(was, becomes, is_mock=True)) for was, becomes in mocks if was and becomes]
        given = (changed(Sample(one, one)) for event in both for one in self._samples.get(event, ()))
        return mock, [change for change in given if change.is_sent]

    def _healing(self, change: Change) -> Healing:
        find, repeating = self._around.find, self._around.repeating
        failed = _failed(change, self._around.waiting)
        if not (failed and find and repeating and change.after):
            return NOTHING
        name = _current_name(change)
        found = {status: find(name, status, self._shares[change.name, status]) for status in failed}
        return healing_of(change.after, found, failed, repeating=repeating, lets=self._conditions.lets)

    def _adds(self, plan: DeliveryPlan) -> Added:
        return added_by(plan.auth, self._around.auth_types)

    def _mock(self, event: str) -> Document:
        event_type = self._around.event_types.get(event)
        return event_type.mock if event_type else {}


def _failed(change: Change, counts: Mapping[str, Mapping[DeliveryStatus, int]]) -> dict[DeliveryStatus, int]:
    """How many deliveries of each status an active webhook may repair; no zeros."""
    if change.after is None or change.after.status is Status.INACTIVE:
        return {}
    count = counts.get(_current_name(change), {})
    return {status: count[status] for status in STATUSES if count.get(status)}


def _current_name(change: Change) -> str:
    return change.before.name if change.before else change.name
