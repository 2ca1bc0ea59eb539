"""The JSON Schemas of the settings of the built-in validators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

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
                "`expected_values`, its value must be `true` itself, as a comparison gives it."
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
EXISTS: Mapping[str, Json] = _block(
    ["json_path"],
    {
        "json_path": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_EXPRESSION,
            "description": "A JSONPath, as in the validator `json_path`. A value that is null exists.",
            "examples": ["$.data.id", "$.data.errors[*]"],
        },
        "expect": {
            "enum": ["present", "absent"],
            "default": "present",
            "description": (
                "Whether the path must select at least one value, or none. With `absent`, a body that is not JSON does "
                "not pass either."
            ),
        },
    },
)
_HEADER_NAME: dict[str, Json] = {
    "type": "string",
    "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$",
}
HEADER: Mapping[str, Json] = _block(
    ["name"],
    {
        "name": {
            **_HEADER_NAME,
            "description": "The name of a header that the response must have, in upper or lower case.",
            "examples": ["X-Request-Id"],
        },
        "expected_values": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "description": "One accepted value."},
            "description": "The accepted values, in full. Without it, every value is accepted.",
            "examples": [["stored", "queued"]],
        },
    },
)
REGEX: Mapping[str, Json] = _block(
    ["pattern"],
    {
        "pattern": {
            "type": "string",
            "minLength": 1,
            "maxLength": 1000,
            "description": (
                "A regular expression in the syntax of RE2. It may match anywhere in the text: write `^` and `$` for "
                "its start and end, and `(?i)` first to ignore case."
            ),
            "examples": ["^ok\\b", "(?i)error|exception"],
        },
        "header": {
            **_HEADER_NAME,
            "description": "The header whose value is the text. Without it, the text is the response's body.",
            "examples": ["Content-Type"],
        },
        "expect": {
            "enum": ["present", "absent"],
            "default": "present",
            "description": "Whether there must be a match, or none.",
        },
    },
)
JSON_SCHEMA: Mapping[str, Json] = _block(
    ["schema"],
    {
        "schema": {
            "type": "object",
            "description": (
                "A JSON Schema that accepts the response's body. It is of draft 2020-12, unless its `$schema` names an "
                "earlier one. It refers only to itself, as `#/$defs/NAME`, and `format` is not checked."
            ),
            "examples": [{"type": "object", "required": ["ok"], "properties": {"ok": {"const": True}}}],
        },
    },
)
