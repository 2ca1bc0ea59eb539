"""Checks on a response: ``json_path``, ``jmespath``, ``status``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from hookctl.plugin import Validate, ValidatorType, hookimpl

if TYPE_CHECKING:
    from hookctl.model import Json

MAX_EXPRESSION = 1024
EXPECTED_VALUES: dict[str, Json] = {
    "type": "array",
    "minItems": 1,
    "items": {"type": ["string", "number", "boolean", "null"], "description": "One accepted value."},
    "description": (
        "The accepted values. A string matches that string, and a number, boolean or null that is written so in JSON; "
        "a number, boolean or null matches only itself."
    ),
    "examples": [["accepted", "queued"], [0]],
}


def _block(required: list[Json], properties: dict[str, Json]) -> Mapping[str, Json]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


JSON_PATH: Mapping[str, Json] = _block(
    ["json_path", "expected_values"],
    {
        "json_path": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_EXPRESSION,
            "description": "An RFC 9535 path: `$.data` is the response's body; there are `$.status` and `$.headers`.",
            "examples": ["$.data.status", "$.data.results[*].ok", "$.headers['x-result']"],
        },
        "expected_values": EXPECTED_VALUES,
        "match": {
            "enum": ["all", "any"],
            "default": "all",
            "description": "Whether all selected values must be accepted, or only one. There must be at least one.",
        },
    },
)
JMESPATH: Mapping[str, Json] = _block(
    ["expression"],
    {
        "expression": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_EXPRESSION,
            "description": "An expression over `data` (the body), `status`, `headers`; true without `expected_values`.",
            "examples": ["data.status == 'ok' && length(data.errors) == `0`", 'headers."x-result"'],
        },
        "expected_values": EXPECTED_VALUES,
    },
)
STATUS: Mapping[str, Json] = _block(
    ["codes"],
    {
        "codes": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "type": "integer",
                "minimum": 200,
                "maximum": 299,
                "description": "One accepted status, from 200 to 299.",
            },
            "description": "The only 2xx statuses to accept. Others than 2xx are failures with any validator.",
            "examples": [[202]],
        },
    },
)


def _json_path(settings: Mapping[str, Json]) -> Validate:
    from hookctl_plugins.validator.json_path import build

    return build(settings)


def _jmespath(settings: Mapping[str, Json]) -> Validate:
    from hookctl_plugins.validator.jmes_path import build

    return build(settings)


def _status(settings: Mapping[str, Json]) -> Validate:
    from hookctl_plugins.validator.status import build

    return build(settings)


@hookimpl
def hookctl_validator_types() -> Iterable[ValidatorType]:
    """The built-in checks."""
    return (
        ValidatorType(
            name="json_path",
            summary="What a JSONPath selects from the response must be among the expected values.",
            schema=JSON_PATH,
            build=_json_path,
            label=lambda settings: f"json_path {settings['json_path']}",
            expression="json_path",
        ),
        ValidatorType(
            name="jmespath",
            summary="A JMESPath expression over the response must be true, or among the expected values.",
            schema=JMESPATH,
            build=_jmespath,
            label=lambda settings: f"jmespath {settings['expression']}",
            expression="expression",
        ),
        ValidatorType(
            name="status",
            summary="The response's status must be one of these 2xx codes.",
            schema=STATUS,
            build=_status,
            label=lambda settings: f"status {', '.join(map(str, settings['codes']))}",  # type: ignore[arg-type]  # a list, by the schema
        ),
    )
