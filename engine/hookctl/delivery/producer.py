"""Stores events and their deliveries, and leaves the deliveries to runners in other processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from hookctl.delivery.runner.retention import Retention, StoreLimits
from hookctl.delivery.runner.route import Router
from hookctl.errors import StateError, StateLockedError, StoreError
from hookctl.model import AppliedState, Event, Status
from hookctl.store.clock import since_boot
from hookctl.store.interface import Store
from hookctl.store.records import RequestKey, Routed


class TakenIn(NamedTuple):
    """What became of an event that is on disk."""

    is_new: bool
    """False: its id was seen before."""
    webhooks: tuple[str, ...]
    """The names of the webhooks that have a delivery of it."""


class Producer:
    """Routes events by the applied state and stores them. Needs no secret and no network, and belongs to one thread.

    ``clock`` returns epoch seconds. ``undecided`` is called with the webhooks of deliveries that are dead from the
    start, because their ``when`` could not be evaluated. Raises StateError if nothing was ever applied to the store.
    """

    def __init__(
        self,
        store: Store,
        limits: StoreLimits | None = None,
        clock: Callable[[], float] = time.time,
        *,
        undecided: Callable[[Sequence[str]], None] = lambda _: None,
    ) -> None:
        self._store, self._clock, self._undecided = store, clock, undecided
        self._retention = Retention(store, limits or StoreLimits(), clock, since_boot)
        self._take_state(store.read_state())
        if not (self.state.serial or self.state.plans or self.state.unreadable):
            raise nothing_applied()

    def accept(self, events: Sequence[Event]) -> list[bool]:
        """Route events, store them durably in one commit, and wake the runners.

        Returns one flag per event: False if its id was seen before.

        Raises:
            IntakeRefusedError: There is not enough room for all events; nothing was stored.
            StateLockedError: Another process kept the store busy; nothing was stored.
            StoreError: The store failed; nothing was stored.
        """
        return self._store_routed(self._routed(events))

    def take_in(self, events: Sequence[Event], keys: Sequence[RequestKey] = ()) -> list[TakenIn]:
        """As :meth:`accept`, with the webhooks that each event matched.

        ``keys`` are stored in the same commit. Also raises ChangedError if an event's id, or a key, was seen before
        with other content; nothing was stored.
        """
        routed = self._routed(events)
        flags = self._store_routed(routed, refuse_changed=True, keys=keys)
        if undecided := [
            delivery.webhook
            for one, is_new in zip(routed, flags, strict=True)
            if is_new
            for delivery in one.deliveries
            if delivery.dead_because
        ]:
            self._undecided(undecided)
        if all(flags):
            return [TakenIn(is_new=True, webhooks=_names(one)) for one in routed]
        return self._with_repeats(routed, flags)

    def _with_repeats(self, routed: Sequence[Routed], flags: Sequence[bool]) -> list[TakenIn]:
        """The results of events some of which were seen before: those have matched what they matched at that time."""
        repeated = {one.event.id for one, is_new in zip(routed, flags, strict=True) if not is_new}
        try:
            matched = self._store.webhooks_of(repeated)
        except (StoreError, StateLockedError):  # the events are stored; what they match now is all that is known
            matched = {one.event.id: _names(one) for one in routed}
        return [
            TakenIn(is_new=is_new, webhooks=_names(one) if is_new else (*matched.get(one.event.id, ()),))
            for one, is_new in zip(routed, flags, strict=True)
        ]

    def _routed(self, events: Sequence[Event]) -> list[Routed]:
        self._retention.admit()
        self._refresh_state()
        return [self._router.route(event) for event in events]

    def _store_routed(
        self, routed: Sequence[Routed], *, refuse_changed: bool = False, keys: Sequence[RequestKey] = ()
    ) -> list[bool]:
        is_new = self._store.enqueue(
            routed, self._clock(), self._retention.max_waiting, refuse_changed=refuse_changed, keys=keys
        )
        with suppress(StoreError, StateLockedError):  # the events are stored; a runner repeats this when it starts
            if self._refresh_state():  # an apply was committed between routing and storing
                self._store.reconcile(self.state)
        self._store.wake_runners()
        return is_new

    def receives(self, event_type: str) -> bool:
        """Whether any active webhook receives events of this type."""
        return self._router.receives(event_type)

    def active_webhooks(self) -> set[str]:
        """The names of the webhooks that are active now."""
        self._refresh_state()
        return {name for name, plan in self.state.plans.items() if plan.status is Status.ACTIVE}

    def _refresh_state(self) -> bool:
        """Read the applied state again if it has changed. Whether it has."""
        if self._store.serial() == self.state.serial:
            return False
        self._take_state(self._store.read_state())
        return True

    def _take_state(self, state: AppliedState) -> None:
        self.state, self._router = state, Router(state)


def _names(routed: Routed) -> tuple[str, ...]:
    return tuple([delivery.webhook for delivery in routed.deliveries])


def nothing_applied() -> StateError:
    """The error for a store to which no webhook was ever applied, or which does not exist."""
    return StateError(
        "no webhook is applied yet, so there is nothing to deliver to",
        hint="Review with `hookctl plan`, then `hookctl apply`.",
    )
