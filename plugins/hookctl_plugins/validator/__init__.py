"""The built-in checks on a response."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from hookctl.plugin import Validate, ValidatorType, hookimpl
from hookctl_plugins.validator import settings as schemas
from hookctl_plugins.validator.labels import exists_label, header_label, regex_label, schema_label, status_label

if TYPE_CHECKING:
    from hookctl.model import Json


def _build(module: str, settings: Mapping[str, Json]) -> Validate:
    """The check of a validator. Its module is imported here, because it is not needed to start."""
    build: Callable[[Mapping[str, Json]], Validate] = import_module(f"hookctl_plugins.validator.{module}").build
    return build(settings)


@hookimpl
def hookctl_validator_types() -> Iterable[ValidatorType]:
    """The built-in validators."""
    return (
        ValidatorType(
            name="json_path",
            summary="The values that a JSONPath selects from the response must be among the expected values.",
            schema=schemas.JSON_PATH,
            build=partial(_build, "json_path"),
            label=lambda settings: f"json_path {settings['json_path']}",
            expression="json_path",
        ),
        ValidatorType(
            name="jmespath",
            summary="A JMESPath expression over the response must be true, or its value among the expected values.",
            schema=schemas.JMESPATH,
            build=partial(_build, "jmes_path"),
            label=lambda settings: f"jmespath {settings['expression']}",
            expression="expression",
        ),
        ValidatorType(
            name="json_schema",
            summary="The response's body must be JSON that a JSON Schema accepts.",
            schema=schemas.JSON_SCHEMA,
            build=partial(_build, "json_schema"),
            label=schema_label,
            expression="schema",
        ),
        ValidatorType(
            name="exists",
            summary="A JSONPath must select something from the response, or nothing.",
            schema=schemas.EXISTS,
            build=partial(_build, "exists"),
            label=exists_label,
            expression="json_path",
        ),
        ValidatorType(
            name="header",
            summary="The response must have a header, with one of the expected values if there are any.",
            schema=schemas.HEADER,
            build=partial(_build, "header"),
            label=header_label,
        ),
        ValidatorType(
            name="regex",
            summary="The response's body, or a header, must contain a match of a regular expression, or none.",
            schema=schemas.REGEX,
            build=partial(_build, "regex"),
            label=regex_label,
            expression="pattern",
        ),
        ValidatorType(
            name="status",
            summary="The response's status must be one of the given 2xx codes.",
            schema=schemas.STATUS,
            build=partial(_build, "status"),
            label=status_label,
        ),
    )
