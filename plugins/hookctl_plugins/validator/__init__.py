"""Built-in checks on a response: ``json_path``, ``jmespath``, ``status``."""

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
        "The accepted values. A string also matches a number, boolean or null that has the same JSON text. "
        "A number, boolean or null matches only that value."
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
            "description": (
                "A JSONPath (RFC 9535): `$.data...` is the response's body, `$.status` its status, "
                "`$.headers['content-type']` a header."
            ),
            "examples": ["$.data.status", "$.data.results[*].ok", "$.headers['x-result']"],
        },
        "expected_values": EXPECTED_VALUES,
        "match": {
            "enum": ["all", "any"],
            "default": "all",
            "description": (
                "Whether all values that the path selects must be accepted, or any one of them. It must "
                "select at least one."
            ),
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
            "description": (
                "A JMESPath expression over `data` (the response's body), `status` and `headers`. Without "
                "`expected_values`, it must be true."
            ),
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
            "description": "The only 2xx statuses to accept. Any other status is always a failure.",
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
    """The built-in validators."""
    return (
        ValidatorType(
            name="json_path",
            summary="The values that a JSONPath selects from the response must be among the expected values.",
            schema=JSON_PATH,
            build=_json_path,
            label=lambda settings: f"json_path {settings['json_path']}",
            expression="json_path",
        ),
        ValidatorType(
            name="jmespath",
            summary="A JMESPath expression over the response must be true, or its value among the expected values.",
            schema=JMESPATH,
            build=_jmespath,
            label=lambda settings: f"jmespath {settings['expression']}",
            expression="expression",
        ),
        ValidatorType(
            name="status",
            summary="The response's status must be one of the given 2xx codes.",
            schema=STATUS,
            build=_status,
            label=lambda settings: f"status {', '.join(map(str, settings['codes']))}",  # type: ignore[arg-type]  # a list, by the schema
        ),
    )
