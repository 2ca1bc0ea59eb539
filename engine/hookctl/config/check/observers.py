"""Checks the observers that ``[observers]`` in hookctl.toml turns on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hookctl.config.check.tables import checked_table, known_part
from hookctl.errors import SettingsError
from hookctl.model import Json
from hookctl.plugin import Observer
from hookctl.plugin.calls import Plugins


def checked_observers(tables: Mapping[str, Any], plugins: Plugins) -> dict[str, Mapping[str, Json]]:
    """The settings of each observer that has a table, by name.

    Raises SettingsError for a table that does not belong to an observer with settings, or whose settings are not valid.
    """
    return {
        name: checked_table("observers", "observer", name, table, _schema(name, plugins))
        for name, table in tables.items()
    }


def paths_in(tables: Mapping[str, Mapping[str, Json]], plugins: Plugins) -> Iterator[tuple[str, str]]:
    """The paths in valid settings, each with its place in hookctl.toml: those with ``x-path`` in their schema."""
    for name, table in tables.items():
        properties = _schema(name, plugins).get("properties")
        for key, rule in properties.items() if isinstance(properties, dict) else ():
            value = table.get(key)
            if isinstance(rule, dict) and rule.get("x-path") is True and isinstance(value, str):
                yield f"observers.{name}.{key}", value


def _schema(name: str, plugins: Plugins) -> Mapping[str, Json]:
    observer: Observer = known_part("observers", "observer", name, plugins.observers, plugins.failed_hint)
    if observer.build is None or observer.schema is None:
        raise SettingsError(
            f"[observers.{name}]: this observer has no settings, and is always on", hint="Remove the table."
        )
    return observer.schema
