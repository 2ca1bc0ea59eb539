"""Other template languages are recognized by name, and valid templates are not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.errors import TemplateError
from hookctl.template.language.foreign import MAX_LENGTH, explain
from hookctl.template.language.parser import read
from hookctl.template.language.replacements import offers_only_filters

ROOT = Path(__file__).parents[3]
EXAMPLES = [
    ("Go", "{{ .Status }}", "{{ data.Status }}"),
    ("Go", "{{.Labels.team}}", "{{ data.Labels.team }}"),
    ("Go", "{{- .Labels.foo | toUpper -}}", "{{ data.Labels.foo | upper }}"),
    ("Go", '{{ .Note | default "none" }}', '{{ data.Note | default("none") }}'),
    ("Go", "{{ $.data.title }}", "{{ data.title }}"),
    ("Go", "{{ .data.title | toUpper }}", "{{ data.title | upper }}"),
    ("Go", "{{ .event_time }}", "{{ event_time }}"),
    ("Go", "{{ .database.name }}", "{{ data.database.name }}"),
    ("n8n", "{{ $json.data.title }}", "{{ data.title }}"),
    ("JavaScript", "{{ !data.ok }}", "{{ not data.ok }}"),
    ("Handlebars", "{{! data.ok is not sent }}", "{# data.ok is not sent #}"),
    ("Go", "{{ range .Alerts }}", "{% for item in data.Alerts %}"),
    ("Go", "{{ range $i, $alert := .Alerts }}", "{% for alert in data.Alerts %}"),
    ("Go", '{{ if eq .Status "firing" }}', '{% if data.Status == "firing" %}'),
    ("Go", '{{ else if ne .Status "firing" }}', '{% elif data.Status != "firing" %}'),
    ("Go", "{{ if and .A .B }}", "{% if data.A and data.B %}"),
    ("Go", "{{ if not .A }}", "{% if not data.A %}"),
    ("Go", "{{if .A}}", "{% if data.A %}"),
    ("Go", "{{ with .Note }}", "{% if data.Note %}"),
    ("Go", "{{ len .Alerts }}", "{{ data.Alerts | length }}"),
    ("Go", '{{ index .Labels "team" }}', '{{ data.Labels["team"] }}'),
    ("Go", "{{ $x := .Title }}", "{% set x = data.Title %}"),
    ("Go", '{{ printf "%s!" .Title }}', "{{ 'text ' ~ data.Title }}"),
    ("Go", '{{ template "x" . }}', "a body is a single template"),
    ("Go", "{{/* a note */}}", "{# a note #}"),
    ("Handlebars", "{{#if data.note}}", "{% if data.note %}"),
    ("Handlebars", "{{#each data.groups as |group|}}", "{% for group in data.groups %}"),
    ("Handlebars", "{{{data.note}}}", "{{ data.note }}"),
    ("Handlebars", "{{else}}", "{% else %}"),
    ("Handlebars", "{{@key}}", "{{ key }}"),
    ("Liquid", "{% assign x = data.title | upcase %}", "{% set x = data.title | upper %}"),
    ("Liquid", '{{ data.time | date: "%Y" }}', '{{ data.time | datetime("%Y") }}'),
    ("Liquid", "{{ data.title | truncate: 10 | upcase }}", "{{ data.title | truncate(10) | upper }}"),
    ("Liquid", "{{ data.count | plus: 1 }}", "{{ (data.count + 1) }}"),
    (
        "Liquid",
        "{{ data.groups | map: 'name' | join: ', ' }}",
        "{{ data.groups | map(attribute='name') | join(', ') }}",
    ),
    ("Liquid", "{% unless data.ok %}", "{% if not data.ok %}"),
    ("Liquid", "{% elsif data.ok %}", "{% elif data.ok %}"),
    ("Liquid", "{% capture x %}", "{% set name = 'text ' ~ value %}"),
    ("Liquid", "{% case data.severity %}", "{% if data.severity == 'x' %}"),
    ("Liquid", "{% when 'High' %}", "{% elif data.name == 'High' %}"),
    ("Liquid", "{%- if data.tags contains 'x' -%}", "{% if 'x' in data.tags %}"),
    ("Liquid", "{% for t in data.tags limit:3 %}", "{% for t in data.tags[:3] %}"),
    ("Liquid", "{% comment %}", "{# the comment #}"),
    ("Liquid", "{% endunless %}", "{% endif %}"),
    ("n8n", "{{ $json.title }}", "{{ data.title }}"),
    ("n8n", '{{ $json["user id"].name }}', '{{ data["user id"].name }}'),
    ("n8n", "{{ $json.title.toUpperCase() }}", "{{ data.title | upper }}"),
    ("n8n", "{{ $json.title || 'none' }}", "{{ data.title | default('none') }}"),
    ("n8n", '{{ $node["Fetch"].json.id }}', "{{ data.id }}"),
    ("n8n", "{{ $('Fetch').item.json.id }}", "{{ data.id }}"),
    ("n8n", "{{ $input.first().json.id }}", "{{ data.id }}"),
    ("n8n", "{{ $now.toISO() }}", "{{ event_time | datetime }}"),
    ("n8n", "{{ $env.TOKEN }}", "${env:TOKEN}"),
    ("JavaScript", "{{ data.ok ? 'a' : 'b' }}", "{{ 'a' if data.ok else 'b' }}"),
    ("JavaScript", "{{ data.note || 'none' }}", "{{ data.note | default('none') }}"),
    ("JavaScript", "{{ data.note ?? 'none' }}", "{{ data.note | default('none') }}"),
    ("JavaScript", "{{ data?.note?.text }}", "{{ data.note.text | default('none') }}"),
    ("JavaScript", "{{ data.ok && !data.note }}", "{{ data.ok and not data.note }}"),
    ("JavaScript", "{% if data.a === 'x' %}", "{% if data.a == 'x' %}"),
    ("JavaScript", "{% else if data.ok %}", "{% elif data.ok %}"),
]
ENDS = {"{% if": "{% endif %}", "{% elif": "", "{% for": "{% endfor %}"}


@pytest.mark.parametrize(("language", "written", "here"), EXAMPLES)
def test_each_form_has_a_name_and_a_replacement(language: str, written: str, here: str) -> None:
    error = explain(f"text {written} text", 5)
    assert error is not None
    assert (error.message, error.start, error.end) == (f"{written} is {language}", 5, 5 + len(written))
    assert (here if offers_only_filters(here) else "Filters have their arguments in parentheses") in error.hint


def test_a_filter_that_does_not_exist_is_not_offered() -> None:
    error = explain("{{ data.count | money_with_currency: 2 }}", 0)
    assert error is not None
    assert error.hint == "Filters have their arguments in parentheses: {{ data.name | default('none') }}."


@pytest.mark.parametrize("here", sorted({here for _, _, here in EXAMPLES if here.startswith("{")}))
def test_each_replacement_can_be_read(here: str) -> None:
    text = here
    if here.startswith(("{% elif", "{% else")):
        text = "{% if data.x %}" + here + "{% endif %}"
    elif here == "{% endif %}":
        text = "{% if data.x %}" + here
    elif here.startswith("{% set"):
        text = here + "{{ " + here.split()[2] + " }}"
    elif here.startswith("{% "):
        text = here + ENDS[here[: here.index(" ", 3)]]
    assert read(text).problems == ()


LIKE_JINJA = {"{{ range .Alerts }}", "{{ with .Note }}", "{{ len .Alerts }}", "{{if .A}}"}
"""Jinja reads ``range .Alerts`` as ``range.Alerts``."""


@pytest.mark.parametrize(("language", "written"), [one[:2] for one in EXAMPLES if one[1] not in LIKE_JINJA])
def test_it_is_reported_in_a_body(language: str, written: str, check: Any) -> None:
    before, after = ("{% if data.note %}", "{% endif %}") if written.startswith("{% else if") else ("", "")
    problems = check('{"a": "' + before + written + after + '"}')
    assert any(problem.message.endswith(f" is {language}") for problem in problems), problems


@pytest.mark.parametrize(("word", "advice"), [("range", "{% for item in"), ("with", "In Go"), ("len", "| length")])
def test_a_word_of_go_that_jinja_reads_as_a_name_has_advice(word: str, advice: str, check: Any) -> None:
    (problem,) = check('{"a": "{{ ' + word + ' .Alerts }}"}')
    assert advice in problem.hint


def test_else_is_of_the_language_around_it() -> None:
    text = "{{ if .A }}1{{ else }}2{{ end }}"
    assert "is Go" in str(explain(text, text.index("{{ else")))
    assert "is Handlebars" in str(explain("{{#if a}}1{{ else }}", 10))


def test_inside_of_a_go_loop_the_item_is_meant() -> None:
    text = "{{ range .Alerts }}{{ .Name }}{{ end }}"
    error = explain(text, text.index("{{ .Name"))
    assert error is not None
    assert error.hint == "Write {{ item.Name }}."


def test_the_equals_sign_of_n8n_is_mentioned() -> None:
    error = explain("={{ $json.x }}", 1)
    assert error is not None
    assert "Remove the = before it" in error.hint


def test_the_end_of_a_go_block_is_named(check: Any) -> None:
    (problem,) = check('{"a": "{{ end }}"}')
    assert "In Go" in problem.hint


def valid_templates() -> Iterator[str]:
    """Every template in the documentation and in the tests of templates that can be read."""
    for path in (ROOT / "docs").glob("*.md"):
        yield from re.findall(r"^```jinja\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    for path in (ROOT / "tests" / "template").rglob("*.py"):
        for node in () if path.name == Path(__file__).name else ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"\{[{%]", node.value):
                yield node.value


VALID = sorted({text for text in valid_templates() if not re.search(r"\{#|raw %", text)})


def is_valid(text: str) -> bool:
    try:
        return not read(text).problems
    except TemplateError:
        return False


def test_no_valid_template_is_foreign() -> None:
    valid = [text for text in VALID if is_valid(text)]
    assert len(valid) > 100
    for text in valid:
        for match in re.finditer(r"\{[{%]", text):
            if text[match.start() - 1 : match.end()] == "{{{":
                continue  # an object around an expression
            found = explain(text, match.start())
            assert found is None or is_ambiguous(found), (text, found and found.message)


def is_ambiguous(error: TemplateError) -> bool:
    """What is valid and still looks foreign: a name with a hyphen, a word that ends a block elsewhere."""
    return re.search(r"[\w]-[A-Za-z]|\{\{ ?end ?\}\}", error.message) is not None


@given(st.text("{}%$.#|:?&!= 'abifrange-", max_size=60), st.integers(0, 60))
def test_any_text_is_accepted(text: str, start: int) -> None:
    explain("{{" + text, 0)
    explain("{%" + text + "%}", 0)
    explain(text, min(start, len(text)))


@pytest.mark.usefixtures("cpu_limit")
@pytest.mark.parametrize(
    "start", [".a", "$x", "$json", "a", "a.b", "if .a", "#each a", "range .a", "!", "assign x = a"]
)
def test_a_form_that_does_not_match_takes_no_time(start: str) -> None:
    """Each way to read a repeated piece doubles the time of a pattern that can read it in two ways."""
    pieces = [
        "| b c",
        "|bbb",
        " | b",
        "|b : c",
        " ",
        "a-b",
        ".[a]",
        "?.a",
        " contains a",
        "- ",
        "$",
        ".a()",
        " limit: 1",
    ]
    for piece in pieces:
        for end in ("||", "?", "\0", " |"):
            inside = start + piece * ((MAX_LENGTH - len(start) - len(end)) // len(piece)) + end
            for text in (f"{{{{{inside}}}}}", f"{{%{inside}%}}"):
                explained = explain(text, 0)
                assert explained is None or explained.end <= len(text)
