"""docs/templates.md is true: its examples are rendered, its refusals are refused, its lists are whole."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Literal

import pytest
import yaml

from hookctl.model import BodyFormat
from hookctl.plugin import EventType
from hookctl.template import CONTENT_TYPES, FORM_TYPE, check_body, check_text, compile_body, compile_text
from hookctl.template.formats.form import compile_form
from hookctl.template.language.filters import BUILT_IN
from hookctl.template.language.functions.dates import CODES
from hookctl.template.language.value_tests import WITH_OPERAND, WITHOUT_OPERAND
from hookctl.template.language.values import MISSING

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)(?: ([\w-]+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = [match.groups() for match in BLOCK.finditer(PAGE)]
EXAMPLES = [
    (text, event[2], sent[2])
    for (language, rule, text), event, sent in zip(BLOCKS, BLOCKS[1:], BLOCKS[2:], strict=False)
    if language == "jinja" and rule is None
]
REFUSED = [(text, rule) for language, rule, text in BLOCKS if language == "jinja" and rule is not None]
LINES = [
    (place, text.rstrip("\n"), event[2], sent[2].rstrip("\n"))
    for (place, rule, text), event, sent in zip(BLOCKS, BLOCKS[1:], BLOCKS[2:], strict=False)
    if place in {"url", "header"} and rule is None
]
REFUSED_LINES = [
    (place, text.rstrip("\n"), rule) for place, rule, text in BLOCKS if place in {"url", "header"} and rule is not None
]
FILTERS = PAGE.partition("\n## Filters\n")[2].partition("\n## ")[0]
FILTER_ROWS = [
    tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])
    for line in FILTERS.partition("\n### Dates and formats")[0].splitlines()
    if line.startswith("| `")
]
(FILTER_EVENT,) = [json.loads(text) for language, rule, text in BLOCKS if (language, rule) == ("json", "filters")]
FORMATS = {"ndjson": BodyFormat.NDJSON, "plain": BodyFormat.TEXT, "xml": BodyFormat.XML}
BODIES = [
    (language, text, event[2], sent[2])
    for (language, rule, text), event, sent in zip(BLOCKS, BLOCKS[1:], BLOCKS[2:], strict=False)
    if language in {*FORMATS, "form"} and rule is None
]
REFUSED_BODIES = [(FORMATS[language], text, rule) for language, rule, text in BLOCKS if language in FORMATS and rule]
ANYTHING = EventType(name="", summary="", schema={}, mock={})


@pytest.mark.parametrize(("text", "event", "sent"), EXAMPLES)
def test_an_example_is_sent_as_the_page_says(text: str, event: str, sent: str) -> None:
    assert check_body(text, ANYTHING, {}) == []
    body = compile_body(text, {}).render(json.loads(event)).decode()
    assert body == sent
    json.loads(body)


@pytest.mark.parametrize(("text", "rule"), REFUSED)
def test_what_the_page_calls_refused_is_refused(text: str, rule: str) -> None:
    assert rule in {problem.rule for problem in check_body(text, ANYTHING, {}) if problem.is_error}


@pytest.mark.parametrize(("place", "text", "event", "sent"), LINES)
def test_a_header_or_url_is_sent_as_the_page_says(
    place: Literal["url", "header"], text: str, event: str, sent: str
) -> None:
    assert check_text(text, ANYTHING, {}, place) == []
    assert compile_text(text, {}, place).render(json.loads(event)) == sent


@pytest.mark.parametrize(("place", "text", "rule"), REFUSED_LINES)
def test_what_the_page_calls_refused_in_a_header_or_url_is_refused(
    place: Literal["url", "header"], text: str, rule: str
) -> None:
    assert [problem.rule for problem in check_text(text, ANYTHING, {}, place)] == [rule]


@pytest.mark.parametrize(("language", "text", "event", "sent"), BODIES)
def test_a_body_of_another_format_is_sent_as_the_page_says(language: str, text: str, event: str, sent: str) -> None:
    if language == "form":
        form = yaml.safe_load(text)
        assert [problem for value in form.values() for problem in check_text(value, ANYTHING, {}, "form")] == []
        assert compile_form(form, {}).render(json.loads(event)).decode() == sent.rstrip("\n")
    else:
        assert check_body(text, ANYTHING, {}, body_format=FORMATS[language]) == []
        assert compile_body(text, {}, FORMATS[language]).render(json.loads(event)).decode() == sent


@pytest.mark.parametrize(("body_format", "text", "rule"), REFUSED_BODIES)
def test_what_the_page_calls_refused_in_another_format_is_refused(
    body_format: BodyFormat, text: str, rule: str
) -> None:
    assert [problem.rule for problem in check_body(text, ANYTHING, {}, body_format=body_format)] == [rule]


def test_the_table_of_formats_is_true() -> None:
    section = PAGE.partition("## Bodies that are not JSON")[2].partition("## ")[0]
    rows = dict(re.findall(r"^\| `([^`]+)`.*\| `([^`]+)` \|$", section, re.MULTILINE))
    assert rows == {f"body_format: {name}": one for name, one in CONTENT_TYPES.items()} | {"form": FORM_TYPE}


def test_every_block_is_used() -> None:
    examples = len(EXAMPLES) + len(LINES) + len(BODIES)
    assert len(BLOCKS) == 1 + 3 * examples + len(REFUSED) + len(REFUSED_LINES) + len(REFUSED_BODIES)
    assert {language for language, *_ in BODIES} == {*FORMATS, "form"}
    assert len(REFUSED_BODIES) > 1
    assert {place for place, *_ in LINES} == {"url", "header"}
    assert len(REFUSED_LINES) > 1
    assert len(EXAMPLES) > 8
    assert len(REFUSED) > 4


def test_every_filter_is_on_the_page() -> None:
    named = [name for row in FILTER_ROWS for name in re.findall(r"`(\w+)", row[0])]
    assert sorted(named) == sorted(BUILT_IN)


@pytest.mark.parametrize("row", FILTER_ROWS, ids=lambda row: row[0].split("`")[1])
def test_a_filters_row_says_what_is_true(row: tuple[str, ...]) -> None:
    cell, takes, gives, meaning, examples, results = row
    written, *aliases = re.findall(r"`([^`]+)`", cell)
    name = re.match(r"\w+", written)[0]  # type: ignore[index] # each begins with its name
    declared = BUILT_IN[name]
    assert written == signature(name)
    assert all(BUILT_IN[alias] is declared for alias in aliases)
    assert takes == (" or ".join(sorted(declared.takes)) or "any")
    own = "an item, or nothing" if declared.gives_item else "as its value" if declared.gives_input else "any"
    own = "as its value, or as `default_value`" if declared.accepts_missing else own
    assert gives == (" or ".join(sorted(declared.gives)) or own)
    assert declared.may_give_nothing == ("nothing" in gives)
    assert meaning.endswith(".")
    pairs = [*zip(codes(examples), codes(results), strict=True)]
    assert pairs
    for example, result in pairs:
        assert re.search(rf"\| {name}\b", example)
        assert check_body(f"{{{{ {example} }}}}", ANYTHING, {}) == []
        assert compile_body(f"{{{{ {example} }}}}", {}).render(FILTER_EVENT).decode() == result


def codes(cell: str) -> list[str]:
    """The code in a cell of a table, one piece for each line."""
    return [
        part.strip("`").strip().replace("\\|", "|") if "`` " in part else part[1:-1].replace("\\|", "|")
        for part in cell.split("<br>")
    ]


def signature(name: str) -> str:
    """A filter with its arguments, as the page writes it."""
    words = {None: "none", True: "true", False: "false"}
    written = []
    for parameter in [*inspect.signature(BUILT_IN[name].call).parameters.values()][1:]:
        default = parameter.default
        if parameter.kind is parameter.VAR_POSITIONAL:
            written.append("...")
        elif default is parameter.empty or default is MISSING:
            written += [parameter.name] if parameter.kind is not parameter.VAR_KEYWORD else []
        else:
            is_word = default is None or isinstance(default, bool)
            written.append(f"{parameter.name}={words[default] if is_word else repr(default)}")
    return f"{name}({', '.join(written)})" if written else name


def test_every_code_of_datetime_is_on_the_page() -> None:
    section = PAGE.partition("### Dates and formats\n")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| ((?:`%[^`]+` ?)+) \|", section, re.MULTILINE)
    assert sorted(code for cell in rows for code in re.findall(r"`(%[^`]+)`", cell)) == sorted(CODES)


def test_every_test_of_items_is_on_the_page() -> None:
    section = PAGE.partition("### Tests of items\n")[2].partition("\n## ")[0]
    named = {
        argument: {*re.findall(r"`([^`]+)`", tests)}
        for tests, argument in re.findall(r"^\| (`.*`) \| (none|one) \|$", section, re.MULTILINE)
    }
    assert named == {"none": {*WITHOUT_OPERAND}, "one": {*WITH_OPERAND}}


def test_what_the_page_says_of_handlebars_is_what_the_findings_say() -> None:
    section = PAGE.partition("## If you know Handlebars")[2].partition("## ")[0]
    rows = [re.findall(r"`([^`]+)`", line) for line in section.splitlines() if line.startswith("| `")]
    assert len(rows) > 6
    for handlebars, *_ in rows:
        problems = check_body(f'"{handlebars}"', ANYTHING, {})
        assert problems
        assert all("is Handlebars" in problem.message for problem in problems)


@pytest.mark.parametrize(
    "prose", ['"[{{ data.severity }}] {{ data.title }}"', '"[{{ data.severity }}]"', '"say \\"{{ data.title }}\\""']
)
def test_what_the_page_calls_prose_is_prose(prose: str) -> None:
    assert f"`{prose}`" in PAGE
    rendered = json.loads(compile_body(prose, {}).render({"data": {"severity": '"', "title": '"'}}))
    assert rendered == json.loads(prose.replace("{{ data.severity }}", '\\"').replace("{{ data.title }}", '\\"'))
