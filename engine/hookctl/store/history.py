"""What a store keeps of the past: events with what became of them, how webhooks were applied, and who did what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from msgspec import Struct

from hookctl.model import DeliveryStatus, Json

Where = Callable[[Mapping[str, Json]], bool]
"""Decides on a whole event. It must not use the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events; a field that is not set lets every one through."""

    id: str | None = None
    event_type: str | None = None
    since: float | None = None
    """Received at this time or later, in epoch seconds."""
    until: float | None = None
    """Received before this time, in epoch seconds."""
    matched: bool | None = None
    """True: only events with a delivery. False: only events without one."""
    unmade_for: str | None = None
    """Only events without a delivery to this webhook, whatever its status would be."""
    where: Where | None = None
    """Called last, only for events that every other field lets through."""


EVERY_EVENT = EventFilter()


class StoredEvent(Struct, frozen=True):
    """An event that was accepted."""

    id: str
    event_type: str
    event_time: float
    """Epoch seconds, as the publisher reports it."""
    received_at: float
    """Epoch seconds."""
    document: Mapping[str, Json]
    """The whole event."""
    deliveries: Mapping[DeliveryStatus, int]
    """How many deliveries of each status were made of it; no zeros."""
    position: tuple[float, int]
    """Where it stands among all events; later events have greater positions."""


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events, the newest first."""

    events: Sequence[StoredEvent]
    looked_at: int
    """How many events of the type and the time were looked at."""
    next: tuple[float, int] | None
    """The position before which to go on; None if there is nothing more."""
    next_id: str | None = None
    """The id of the event at that position."""


@dataclass(frozen=True, slots=True)
class Route:
    """The part of an applied webhook that decides which events it receives."""

    event: str
    """The event type."""
    is_active: bool
    when: str | None


@dataclass(frozen=True, slots=True)
class Routes:
    """How events were routed at one time."""

    serial: int
    """The serial of the applied state."""
    webhooks: Mapping[str, Route]
    """By the name that each webhook had then."""


class ReplayOptions(TypedDict, total=False):
    """What a replay may also be given; see :meth:`hookctl.store.interface.History.replay`."""

    as_planned: bool
    """Use the delivery plan of the last attempt instead of the one that is applied, and leave alone deliveries without
    one."""
    statuses: Collection[DeliveryStatus] | None
    """Leave alone deliveries that have none of these now. None: whatever their status."""
    audit: AuditEntry | None
    """Recorded in the same commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Something that a person did: to deliveries, to a token, or a test."""

    id: str
    """The same for all commits of one command, whose deliveries are added up."""
    at: float
    """Epoch seconds."""
    who: str
    """``user@host``, or through ``hookctl serve`` the name of the token or of who opened the one-time link."""
    action: str
    """The command, such as ``replay``."""
    what: str
    """What it was done to, as the options of the command have it."""
    reason: str = ""
    """Why, in the words of that person; empty if they gave none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One line of the log: an apply, or an :class:`AuditEntry` with what came of it."""

    at: float
    who: str
    action: str
    what: str
    reason: str
    deliveries: int | None
    """How many deliveries it changed or made; None for an apply."""
    serial: int | None = None
    """The serial that an apply led to; None for everything else."""
