"""docs/templates.md is true: its examples are rendered, its refusals are refused, its lists are whole."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Literal

import pytest

from hookctl.plugin import EventType
from hookctl.template import check_body, check_text, compile_body, compile_text
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


def test_every_block_is_used() -> None:
    assert len(BLOCKS) == 3 * (len(EXAMPLES) + len(LINES)) + len(REFUSED) + len(REFUSED_LINES)
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
