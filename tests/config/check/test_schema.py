"""The schema of a webhook file: valid itself, closed, and described to the last property."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest
import yaml

from hookctl.model import Finding
from hookctl.schema_files import read_schema

SCHEMA: Any = read_schema("webhook.schema.json")


def properties(schema: Any, name: str = "webhook") -> Iterator[tuple[str, Any]]:
    """Every schema of a value in ``schema``, itself included, with a name for it."""
    yield name, schema
    for key, inner in schema.get("properties", {}).items():
        yield from properties(inner, f"{name}.{key}")
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield from properties(schema[keyword], f"{name}.{keyword}")


ALL = dict(properties(SCHEMA))


def test_it_is_a_schema_of_the_draft_that_it_names() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", ALL)
def test_every_property_has_a_description_and_examples_that_hold(name: str) -> None:
    schema = ALL[name]
    assert schema["description"].endswith(".")
    assert schema["examples"]
    validator = jsonschema.Draft202012Validator(schema)
    for example in [*schema["examples"], *([schema["default"]] if "default" in schema else [])]:
        validator.validate(example)


def test_the_webhook_and_what_is_not_a_plugin_s_is_closed() -> None:
    assert SCHEMA["additionalProperties"] is False
    assert SCHEMA["properties"]["retry"]["additionalProperties"] is False


def test_the_example_of_a_whole_webhook_has_no_finding(check: Callable[..., list[Finding]]) -> None:
    for example in SCHEMA["examples"]:
        assert check(yaml.safe_dump(example)) == []


@pytest.mark.parametrize("body", ['{"a": 1}', "\n  a: 1", "[1]"])
def test_a_body_that_is_yaml_gets_the_way_to_write_text(check: Any, body: str) -> None:
    (finding,) = check(f"name: A\nevent: anomaly\nurl: https://a.example.com/\nbody_template: {body}\n")
    assert finding.rule == "wrong-type"
    assert finding.hint == "Write `body_template: |`, and the body indented on the lines below it."
