"""The event types by which events are checked: those that are applied, and those of plugins."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Protocol

from hookctl.delivery.events.intake import EventGate
from hookctl.model import AppliedState, Status
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import EventType

CLOUDEVENTS = "cloudevents"
"""The event type of CloudEvents whose own type is not known."""


class StateReader(Protocol):
    """What is asked of a store."""

    def serial(self) -> int:
        """The serial of the applied state."""
        ...

    def read_state(self) -> AppliedState:
        """What is applied now."""
        ...


class AppliedTypes:
    """The event types of the plugins, and those of the applied state, which the reviewed files defined.

    An event is checked by the schema that was reviewed, even if another one is in the files by now.
    """

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins
        self._serial = -1
        self._gates: list[EventGate] = []
        self.current: Mapping[str, EventType] = plugins.event_types
        """The types by name."""
        self._takes_cloudevents = False

    def follow(self, gate: EventGate) -> None:
        """Keep a gate up to date."""
        self._gates.append(gate)
        self._renew(gate)

    def take(self, state: AppliedState) -> None:
        """Use the types of this state from now on."""
        defined = {
            name: EventType(name=name, summary=one.summary, schema=one.schema, mock=one.mock)
            for name, one in state.event_types.items()
        }
        self._serial = state.serial
        self.current = {**self._plugins.event_types, **defined}
        self._takes_cloudevents = any(
            CLOUDEVENTS in plan.events for plan in state.plans.values() if plan.status is Status.ACTIVE
        )
        for gate in self._gates:
            self._renew(gate)

    def _renew(self, gate: EventGate) -> None:
        gate.renew(self.current, takes_cloudevents=self._takes_cloudevents)

    def look_again(self, gate: EventGate, store: StateReader) -> None:
        """Have a gate look for another apply before it refuses an event, on the thread of the store."""
        gate.is_renewed = partial(self._is_renewed, store)

    def _is_renewed(self, store: StateReader) -> bool:
        if store.serial() == self._serial:
            return False
        self.take(store.read_state())
        return True
