"""docs/templates.md is true: its examples are rendered, its refusals are refused, its lists are whole."""

from __future__ import annotations

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
    assert len(BLOCKS) == 3 * examples + len(REFUSED) + len(REFUSED_LINES) + len(REFUSED_BODIES)
    assert {language for language, *_ in BODIES} == {*FORMATS, "form"}
    assert len(REFUSED_BODIES) > 1
    assert {place for place, *_ in LINES} == {"url", "header"}
    assert len(REFUSED_LINES) > 1
    assert len(EXAMPLES) > 8
    assert len(REFUSED) > 4


def test_every_filter_is_on_the_page() -> None:
    section = PAGE.partition("## Filters")[2].partition("## ")[0]
    named = {
        name for cell in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)", cell)
    }
    assert named == BUILT_IN.keys()


def test_what_the_page_says_of_handlebars_is_what_the_findings_say() -> None:
    section = PAGE.partition("## If you know Handlebars")[2].partition("## ")[0]
    rows = [re.findall(r"`([^`]+)`", line) for line in section.splitlines() if line.startswith("| `")]
    assert len(rows) > 6
    for handlebars, *_ in rows:
        (problem,) = check_body(f'"{handlebars}"', ANYTHING, {})
        assert "is Handlebars" in problem.message


@pytest.mark.parametrize(
    "prose", ['"[{{ data.severity }}] {{ data.title }}"', '"[{{ data.severity }}]"', '"say \\"{{ data.title }}\\""']
)
def test_what_the_page_calls_prose_is_prose(prose: str) -> None:
    assert f"`{prose}`" in PAGE
    rendered = json.loads(compile_body(prose, {}).render({"data": {"severity": '"', "title": '"'}}))
    assert rendered == json.loads(prose.replace("{{ data.severity }}", '\\"').replace("{{ data.title }}", '\\"'))
