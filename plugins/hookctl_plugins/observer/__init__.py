"""The built-in observers, each of which is off until ``hookctl.toml`` has its table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from hookctl.plugin import Observer, hookimpl

if TYPE_CHECKING:
    from hookctl.model import Json

JSONL: Mapping[str, Json] = {
    "type": "object",
    "required": ["path"],
    "additionalProperties": False,
    "properties": {
        "path": {
            "type": "string",
            "minLength": 1,
            "x-path": True,
            "description": "The file. hookctl creates it, with mode 0600, but not its directory.",
            "examples": ["audit.jsonl"],
        },
        "size": {
            "type": "string",
            "pattern": "^[0-9]{1,15}(?:[.][0-9]{1,15})? ?(?:kB|MB|GB|TB)$",
            "default": "100MB",
            "description": "The file is rotated before a line would make it larger than this.",
            "examples": ["100MB"],
        },
        "files": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1000,
            "default": 10,
            "description": "How many rotated files to keep, as `PATH.1` (the newest), `PATH.2` and so on.",
            "examples": [10],
        },
    },
}
OPENTELEMETRY: Mapping[str, Json] = {"type": "object", "additionalProperties": False, "properties": {}}


def _jsonl(settings: Mapping[str, Json]) -> Observer:
    from hookctl_plugins.observer.jsonl import build

    return build(settings)


def _opentelemetry(settings: Mapping[str, Json]) -> Observer:  # noqa: ARG001  # the contract of Observer.build
    from hookctl_plugins.observer.otel_environment import build

    return build()


@hookimpl
def hookctl_observers() -> Iterable[Observer]:
    """The built-in observers."""
    return (
        Observer(
            name="jsonl",
            summary="Writes a line of JSON for each attempt and for the end of each delivery.",
            schema=JSONL,
            build=_jsonl,
        ),
        Observer(
            name="opentelemetry",
            summary="Sends a span for each attempt and each delivery, and a histogram of the durations of requests.",
            schema=OPENTELEMETRY,
            build=_opentelemetry,
            records_traces=True,
        ),
    )
