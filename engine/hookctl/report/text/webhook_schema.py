"""The schema of a webhook file with every plugin's settings in it, so that an editor completes them by ``type``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from hookctl.model import Json
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import DEFAULT_VALIDATOR


def with_plugins(schema: Mapping[str, Json], plugins: Plugins, event_types: Iterable[str]) -> dict[str, Json]:
    """``schema`` (of a webhook file) with the settings of every plugin, and the names of the event types."""
    whole: dict[str, Any] = deepcopy(dict(schema))
    fields, definitions = whole["properties"], whole.setdefault("$defs", {})
    one, several = fields["event"]["anyOf"]
    one["enum"] = several["items"]["enum"] = sorted(event_types)
    for kind, block, things, default in (
        ("auth", fields["auth"], plugins.auth, ""),
        ("auth", fields["auth"]["items"], plugins.auth, ""),
        ("transport", fields["transport"], plugins.transports, ""),
        ("validator", fields["response_validators"]["items"], plugins.validators, DEFAULT_VALIDATOR),
    ):
        block["properties"]["type"]["enum"] = sorted(things)
        block["allOf"] = [_when(name, f"#/$defs/{kind}-{name}", name == default) for name in sorted(things)]
        for name, thing in things.items():
            definitions[f"{kind}-{name}"] = _definition(name, thing, f"#/$defs/{kind}-{name}")
    return whole


def _when(name: str, reference: str, is_default: bool) -> dict[str, Any]:
    """``then`` holds for a block of this type; for the default type also where ``type`` is missing."""
    condition: dict[str, Any] = {"type": "object", "properties": {"type": {"const": name}}}
    if not is_default:
        condition["required"] = ["type"]
    return {"if": condition, "then": {"$ref": reference}}


def _definition(name: str, thing: Any, place: str) -> dict[str, Any]:
    schema: dict[str, Any] = _moved(thing.schema, place)
    return {
        **schema,
        "description": thing.summary,
        "properties": {"type": {"const": name, "description": thing.summary}, **schema.get("properties", {})},
    }


def _moved(schema: Any, place: str) -> Any:
    """A schema with its internal references changed to its new place."""
    if isinstance(schema, list | tuple):
        return [_moved(item, place) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    moved = {key: _moved(value, place) for key, value in schema.items()}
    reference = moved.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        moved["$ref"] = place + reference[1:]
    return moved
