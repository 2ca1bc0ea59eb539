"""The types of events that an intake accepts, and the validators of their schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hookctl.delivery.events.rules import EventRule
from hookctl.errors import EventError
from hookctl.model import Json
from hookctl.model.nearest import nearest
from hookctl.plugin.contain import is_interrupt
from hookctl.plugin.raised import text_of

if TYPE_CHECKING:
    import jsonschema_rs

    from hookctl.plugin.interfaces import EventType

MAX_REASON_LENGTH = 300


class KnownTypes:
    """The types whose events are accepted. Validators are built when they are needed."""

    def __init__(self, event_types: Mapping[str, EventType]) -> None:
        self.event_types = event_types
        self._validators: dict[str, jsonschema_rs.Validator] = {}

    def type_of(self, document: Mapping[str, Json]) -> str:
        """The type of an event. Raises EventError if it is not known."""
        if "event_type" not in document:
            raise EventError("event_type is missing", rule=EventRule.UNKNOWN_TYPE)
        name = document["event_type"]
        if isinstance(name, str) and name in self.event_types:
            return name
        near = nearest(name, self.event_types)
        known = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(self.event_types))}"
        raise EventError(short(f"unknown event type {name!r}; {known}"), rule=EventRule.UNKNOWN_TYPE)

    def validator(self, name: str) -> jsonschema_rs.Validator:
        """Checks events of a known type. Raises EventError if its schema cannot be used."""
        if name not in self._validators:
            import jsonschema_rs

            try:
                self._validators[name] = jsonschema_rs.validator_for(
                    dict(self.event_types[name].schema),
                    offline=True,  # a schema must not make hookctl send a request
                )
            except (
                BaseException
            ) as error:  # the library may panic over a plugin's schema; other events must still be taken in
                if is_interrupt(error):
                    raise
                message = short(f"the schema of the event type {name!r} is not a JSON Schema: {text_of(error)}")
                raise EventError(message, hint="Fix or uninstall the plugin that adds it.") from error
        return self._validators[name]


def short(text: str) -> str:
    """A reason, cut where it is long."""
    return text if len(text) <= MAX_REASON_LENGTH else text[: MAX_REASON_LENGTH - 3] + "..."
