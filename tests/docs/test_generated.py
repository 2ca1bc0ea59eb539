"""Compares the generated parts of the pages with the code and the schemas that they describe.

A generated part is between ``<!-- generated: NAME -->`` and ``<!-- end -->``. ``make docs`` writes it again.
"""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from hookctl.delivery.events.rules import EVENT_RULES
from hookctl.delivery.outcomes import TABLE
from hookctl.model.api_problems import PROBLEMS
from hookctl.plugin.host import load_plugins
from hookctl.report.text.rules import rules_page
from hookctl.report.text.schema import type_name
from hookctl.schema_files import read_schema
from hookctl.serve.openapi.document import statuses
from hookctl.serve.openapi.operations import OPERATIONS
from hookctl.signatures import CONTENT_NAMES, PRESETS

ROOT = Path(__file__).parents[2]
GENERATED = re.compile(r"(?<=^<!-- generated: )(\w+)( -->\n)(.*?)(?=^<!-- end -->$)", re.DOTALL | re.MULTILINE)
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if GENERATED.search(page.read_text(encoding="utf-8"))]
Schema = Mapping[str, Any]
WIDTH = 120

CONSTRAINTS: dict[str, Callable[[Any], str]] = {
    "enum": lambda values: "one of " + ", ".join(f"`{value}`" for value in values),
    "const": lambda value: f"always `{value}`",
    "exclusiveMinimum": lambda bound: f"more than {bound}",
    "minimum": lambda bound: f"at least {bound}",
    "maximum": lambda bound: f"at most {bound:,}",
    "minLength": lambda bound: "not empty" if bound == 1 else f"at least {bound} characters",
    "maxLength": lambda bound: f"at most {bound} characters",
    "minItems": lambda bound: "not empty" if bound == 1 else f"at least {bound} items",
    "maxItems": lambda bound: f"at most {bound} items",
    "pattern": lambda pattern: f"matches `{pattern}`".replace("|", "\\|"),
}


def fields(schema: Schema, prefix: str = "") -> Iterator[tuple[str, Schema, bool]]:
    """Each field of a schema: its path, its schema, and whether it is required. Fields of an object follow it."""
    for name, field in schema["properties"].items():
        yield prefix + name, field, name in schema.get("required", ())
        if "properties" in field:
            yield from fields(field, f"{prefix}{name}.")
        elif "properties" in field.get("items", {}):
            yield from fields(field["items"], f"{prefix}{name}[].")


def kind(schema: Schema) -> str:
    return "; ".join(
        [type_name(schema, schema), *(text(schema[key]) for key, text in CONSTRAINTS.items() if key in schema)]
    )


def default(schema: Schema, *, required: bool) -> str:
    if required:
        return "none; the field is required"
    return (
        f"`{yaml.safe_dump(schema['default'], default_flow_style=True, width=1000).split(chr(10))[0]}`"
        if ("default" in schema)
        else "none"
    )


def example(path: str, schema: Schema) -> str:
    value = schema["examples"][0]
    for name in reversed(path.split(".")):
        value = {name.removesuffix("[]"): [value] if name.endswith("[]") else value}
    return yaml.safe_dump(value, sort_keys=False, width=110)


def webhook_fields() -> str:
    """A section for each field of a webhook file."""
    parts = []
    for path, field, required in fields(read_schema("webhook.schema.json")):
        each = field.get("additionalProperties") or field.get("items")
        inner = f" {each['description']}" if isinstance(each, dict) and "properties" not in each else ""
        parts.append(
            f"### `{path}`\n\n{textwrap.fill(field['description'] + inner, WIDTH)}\n\n"
            f"- Type: {kind(field)}\n- Default: {default(field, required=required)}\n\n"
            f"```yaml\n{example(path, field)}```\n"
        )
    return "\n" + "\n".join(parts) + "\n"


def plugin_settings(things: Mapping[str, Any]) -> str:
    """A table of the settings of each plugin of one kind."""
    parts = []
    for name, thing in sorted(things.items()):
        rows = [
            f"| `{path}` | {kind({key: value for key, value in field.items() if key != 'pattern'})} "
            f"| {default(field, required=required)} | {field['description']} |"
            for path, field, required in (fields(thing.schema) if thing.schema.get("properties") else ())
        ]
        head = "| setting | type | default | meaning |\n| --- | --- | --- | --- |\n"
        parts.append(
            textwrap.fill(f"`type: {name}`: {thing.summary}", WIDTH)
            + "\n"
            + (f"\n{head}" + "\n".join(rows) + "\n" if rows else "")
        )
    return "\n" + "\n".join(parts) + "\n"


def results() -> str:
    """The table of what each result leads to."""
    rows = [
        f"| {', '.join(f'`{result}`' for result in row.results)} | {row.decision} | {row.signal} | {row.why} |"
        for row in TABLE
    ]
    return "\n".join(
        ["| result | the delivery | the circuit counts | because |", "| --- | --- | --- | --- |", *rows, ""]
    )


def constructs() -> str:
    """The table of what a template may contain, from the cases that tests/template/test_cases.py renders."""
    path = ROOT / "tests" / "template" / "cases" / "accepted.yaml"
    rows = [
        f"| {code(row.get('write') or row['body'])} | {row['says']} |"
        for row in yaml.safe_load(path.read_text(encoding="utf-8"))["accepted"]
    ]
    return "\n".join(["| form | meaning |", "| --- | --- |", *rows, ""])


def signature_presets() -> str:
    """The table of the recipes of presets."""
    rows = []
    for name, recipe in sorted(PRESETS.items()):
        headers = f"`{recipe.header}: {recipe.format}`"
        if recipe.timestamp_header:
            headers += f", `{recipe.timestamp_header}`"
        key = "as it is" if recipe.key == "utf-8" else recipe.key
        rows.append(f"| `{name}` | {headers} | `{recipe.content}` | {recipe.algorithm} | {key} | {recipe.encoding} |")
    head = "| preset | headers | content | algorithm | secret | encoding |\n| --- | --- | --- | --- | --- | --- |"
    return "\n".join(["", head, *rows, "", ""])


def signature_content() -> str:
    """The table of the names in what is signed."""
    rows = [f"| `{{{name}}}` | {meaning} |" for name, meaning in CONTENT_NAMES.items()]
    return "\n".join(["", "| name | stands for |", "| --- | --- |", *rows, "", ""])


def api_operations() -> str:
    """The table of the operations of the API, with each status and its problems."""
    rows = []
    for operation in OPERATIONS:
        found = []
        for status, (_, names) in statuses(operation).items():
            named = ", ".join(f"`{name}`" for name in names)
            found.append(f"{status}{f' ({named})' if named else ''}")
        who = f"`{operation.scope}`" if operation.scope else "a signature"
        rows.append(
            f"| `{operation.method.upper()} {operation.path}` | {operation.summary} | {who} | {', '.join(found)} |"
        )
    head = "| operation | does | requires | answers |\n| --- | --- | --- | --- |"
    return "\n".join(["", head, *rows, "", ""])


def api_problems() -> str:
    """The table of the problems of the API."""
    rows = [f"| {status} | `{name}` | {meaning} |" for name, (status, meaning) in PROBLEMS.items()]
    return "\n".join(["", "| status | type | meaning |", "| --- | --- | --- |", *rows, "", ""])


def event_rules() -> str:
    """The table of the rules that an event can break."""
    rows = [f"| `{rule}` | {meaning} |" for rule, (meaning, _) in EVENT_RULES.items()]
    return "\n".join(["", "| `rule` | the event |", "| --- | --- |", *rows, "", ""])


def code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


PLUGINS = load_plugins()
RENDERERS: dict[str, Callable[[], str]] = {
    "webhook_fields": webhook_fields,
    "auth_settings": lambda: plugin_settings(PLUGINS.auth),
    "validator_settings": lambda: plugin_settings(PLUGINS.validators),
    "results": results,
    "constructs": constructs,
    "signature_presets": signature_presets,
    "signature_content": signature_content,
    "api_operations": api_operations,
    "api_problems": api_problems,
    "event_rules": event_rules,
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_generated_parts_are_up_to_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    fresh = GENERATED.sub(lambda part: part[1] + part[2] + RENDERERS[part[1]](), text)
    if "UPDATE_DOCS" in os.environ:
        page.write_text(fresh, encoding="utf-8")
    else:
        assert text == fresh, "run `make docs`"


def test_the_page_of_rules_is_made_from_the_catalog() -> None:
    page = ROOT / "docs" / "rules.md"
    if "UPDATE_DOCS" in os.environ:
        page.write_text(rules_page(), encoding="utf-8")
    assert page.read_text(encoding="utf-8") == rules_page(), "run `make docs`"


def test_every_generated_part_is_on_one_page() -> None:
    found = [part[1] for page in PAGES for part in GENERATED.finditer(page.read_text(encoding="utf-8"))]
    assert sorted(found) == sorted(RENDERERS)


def test_examples_and_defaults_fit_the_schema() -> None:
    for path, field, _ in fields(read_schema("webhook.schema.json")):
        validator = Draft202012Validator(dict(field))
        for value in [*field["examples"], *([field["default"]] if "default" in field else [])]:
            assert validator.is_valid(value), (path, value)
