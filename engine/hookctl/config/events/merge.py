"""Puts event types that files define among those of plugins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hookctl.model import DefinedType
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import EventType


def with_defined(plugins: Plugins, defined: Mapping[str, DefinedType]) -> Plugins:
    """The plugins with more event types, which replace those of the same name."""
    if not defined:
        return plugins
    return replace(plugins, event_types={**plugins.event_types, **types_of(defined)})


def types_of(defined: Mapping[str, DefinedType]) -> dict[str, EventType]:
    """The event types as plugins describe them."""
    return {
        name: EventType(name=name, summary=one.summary, schema=one.schema, mock=one.mock)
        for name, one in defined.items()
    }
