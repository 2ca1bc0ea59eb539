"""Why a webhook has no delivery of an event, found out from how it routed events when the event came."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from hookctl.errors import HookctlError
from hookctl.model import AppliedState, Rename
from hookctl.store.history import Route, Routes, StoredEvent
from hookctl.when.explanation import why_false


class Why(StrEnum):
    """The reasons, in the order in which they are looked for."""

    NOT_APPLIED = "not_applied_yet"
    OTHER_TYPE = "another_type"
    INACTIVE = "inactive_then"
    WHEN_FALSE = "when_was_false"
    UNKNOWN = "unknown"
    """It would have matched by what is recorded. A runner reads an apply up to half a second later, and what an older
    hookctl applied was not recorded."""


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A webhook that has no delivery of the event."""

    webhook: str
    why: Why
    detail: str = ""
    """For :attr:`Why.OTHER_TYPE` the types that it received, for :attr:`Why.WHEN_FALSE` the part that was false."""


def unmatched(
    event: StoredEvent, delivered_to: Collection[str], applied: AppliedState, then: Routes
) -> Iterable[Unmatched]:
    """Why each webhook that is applied now has no delivery of an event, in order of name.

    Args:
        event: the event.
        delivered_to: the names of the webhooks with a delivery, which are left out.
        applied: what is applied now.
        then: how events were routed when it was received.
    """
    later = _later(applied, then)
    for name in sorted(applied.plans.keys() - set(delivered_to), key=lambda name: (name.casefold(), name)):
        yield _unmatched(name, event, then.webhooks.get(_name_then(name, later)))


def receivers_of_others(event: StoredEvent, applied: AppliedState, then: Routes) -> set[str]:
    """The webhooks that are applied now and received another event type then. Takes little time for each webhook."""
    later = _later(applied, then)
    found = ((name, then.webhooks.get(_name_then(name, later))) for name in applied.plans)
    return {name for name, route in found if route is not None and event.event_type not in route.events}


def _later(applied: AppliedState, then: Routes) -> list[Rename]:
    return [rename for rename in reversed(applied.renames) if rename.serial > then.serial]


def _name_then(name: str, later: Iterable[Rename]) -> str:
    """The name that a webhook had before some renames, the latest of which comes first."""
    for rename in later:
        if rename.new == name:
            name = rename.old
    return name


def _unmatched(name: str, event: StoredEvent, route: Route | None) -> Unmatched:
    if route is None:
        return Unmatched(name, Why.NOT_APPLIED)
    if event.event_type not in route.events:
        return Unmatched(name, Why.OTHER_TYPE, ", ".join(route.events))
    if not route.is_active:
        return Unmatched(name, Why.INACTIVE)
    try:
        why = why_false(route.when, event.document) if route.when is not None else ""
    except HookctlError as error:
        return Unmatched(name, Why.UNKNOWN, error.message)
    return Unmatched(name, Why.WHEN_FALSE, why) if why else Unmatched(name, Why.UNKNOWN)
