"""Checks the tables of hookctl.toml that contain the settings of plugins, such as ``[policies.NAME]``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from hookctl.config.check.notes import Notes
from hookctl.config.check.schemas import Schema
from hookctl.errors import PluginError, SettingsError
from hookctl.model import Json, SourceFile, Webhook
from hookctl.model.nearest import nearest
from hookctl.model.source import NOWHERE

T = TypeVar("T")


def known_part(tables: str, what: str, name: str, known: Mapping[str, T], failed_hint: str) -> T:
    """The plugins' part that the table ``[TABLES.NAME]`` is for.

    Raises SettingsError that suggests the nearest name. ``what`` names the kind of part in messages.
    """
    if name not in known:
        plural = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
        hint = f"`hookctl plugins` lists the {plural}.{failed_hint}"
        raise SettingsError(f"[{tables}]: unknown {what} {name!r}", hint=_meant(nearest(name, known), hint))
    return known[name]


def checked_table(tables: str, what: str, name: str, table: Any, schema: Mapping[str, Json]) -> Mapping[str, Json]:
    """The table ``[TABLES.NAME]``, if it is valid by its schema.

    Raises SettingsError otherwise, and PluginError if the schema is not valid.
    """
    if not isinstance(table, dict):
        raise SettingsError(
            f"[{tables}]: {name} must be a table, not {table!r}",
            hint=f"Write [{tables}.{name}] with its settings below it.",
        )
    try:
        json.dumps(table)
    except TypeError as error:
        raise SettingsError(
            f"[{tables}.{name}]: {_a(what)} setting cannot be a date or time",
            hint="Put the value in quotes if it is text.",
        ) from error
    except ValueError as error:  # TOML allows hexadecimal numbers of any length; Python limits decimal ones
        message = f"[{tables}.{name}]: a number has too many digits"
        raise SettingsError(message, hint="Write a smaller number.") from error
    notes = Notes(Webhook(SourceFile("hookctl.toml", ""), 1, table, NOWHERE))
    _schema(what, name, schema).check(notes, table)
    for finding in notes.findings:
        raise SettingsError(f"[{tables}.{name}]: {finding.message}", hint=_meant(finding.suggestions, finding.hint))
    return table


def _schema(what: str, name: str, schema: Mapping[str, Json]) -> Schema:
    try:
        return Schema(schema, {})
    except ValueError as error:
        raise PluginError(
            f"the schema of the {what} {name!r} is not a valid JSON Schema: {error}",
            hint=f"Fix the plugin that adds the {what}.",
        ) from error


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _meant(suggestions: Sequence[str], hint: str) -> str:
    return f"Did you mean {' or '.join(suggestions)}? {hint}" if suggestions else hint
