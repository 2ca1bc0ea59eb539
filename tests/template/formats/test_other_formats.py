"""Lines of JSON, plain text and forms: what is accepted and sent, and what a template that is not JSON is told."""

from __future__ import annotations

from typing import Any

import pytest

from hookctl.errors import RenderError
from hookctl.model import BodyFormat
from hookctl.plugin import EventType
from hookctl.template import check_body, check_text, compile_body
from hookctl.template.formats.form import compile_form

ANYTHING = EventType(name="", summary="", schema={}, mock={})


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('[1.50, "a\\n b", {"x": [1, {"y": []}]}, [], {}]', '1.50\n"a\\n b"\n{"x":[1,{"y":[]}]}\n[]\n{}\n'),
        ('{% if data.a %}[1]{% else %}[{"b": "[,]"}]{% endif %}', '{"b":"[,]"}\n'),
        ('["\u2028\\"]", "\x85"]', '"\\u2028\\"]"\n"\\u0085"\n'),
        ("[{{ data.big }}]", "1" * 400 + "\n"),
    ],
)
def test_each_item_becomes_a_line(text: str, lines: str) -> None:
    assert check_body(text, ANYTHING, {}, body_format=BodyFormat.NDJSON) == []
    assert compile_body(text, {}, BodyFormat.NDJSON).render({"data": {"big": int("1" * 400)}}).decode() == lines


@pytest.mark.parametrize(
    "text",
    ['{"a": 1}', '{"a": 1}\n{"b": 2}', '"[]"', "1", "{% if data.a %}[1]{% endif %}{% if not data.a %}{}{% endif %}"],
)
def test_lines_are_written_as_an_array(text: str) -> None:
    (problem,) = check_body(text, ANYTHING, {}, body_format=BodyFormat.NDJSON)
    assert (problem.rule, problem.is_error) == ("template-not-json", True)
    assert "must be a JSON array" in problem.message


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[{% for x in data.xs %}{{ x }}{% if not loop.last %},{% endif %}{% endfor %}]", "empty"),
        ("{{ data.o }}", "not give a JSON array"),
    ],
)
def test_no_line_and_no_array_are_not_sent(text: str, why: str) -> None:
    with pytest.raises(RenderError, match=why):
        compile_body(text, {}, BodyFormat.NDJSON).render({"data": {"xs": [], "o": {"a": 1}}})


def test_a_repeated_key_that_an_event_gives_is_refused_in_lines_too() -> None:
    with pytest.raises(RenderError, match="appear twice"):
        compile_body('[{"a": 1, "{{ data.k }}": 2}]', {}, BodyFormat.NDJSON).render({"data": {"k": "a"}})


def test_text_is_sent_as_it_is_written() -> None:
    text = '"{{ data.x }}",\t<{{ data.n }}>\n\n{% if data.x %}yes{% endif %}'
    assert check_body(text, ANYTHING, {}, body_format=BodyFormat.TEXT) == []
    body = compile_body(text, {}, BodyFormat.TEXT).render({"data": {"x": 'a"\r\nb\tc\x1b[0m\x85d', "n": None}})
    assert body.decode() == '"a" b c [0m d",\t<null>\n\nyes'


def test_half_a_surrogate_pair_is_not_sent() -> None:
    document: Any = {"data": {"x": "\ud800"}}
    with pytest.raises(RenderError, match="surrogate"):
        compile_body("{{ data.x }}", {}, BodyFormat.TEXT).render(document)
    with pytest.raises(RenderError, match="surrogate"):
        compile_form({"a": "{{ data.x }}"}, {}).render(document)
    assert compile_body("<a>{{ data.x }}</a>", {}, BodyFormat.XML).render(document).decode() == "<a>\ufffd</a>"


def test_a_form_field_is_what_its_line_gives() -> None:
    form = {"To": "+1", "b": "{{ data.n }} {{ data.z }} {{ data.t | default('-') }}", "a &=": "ü*~"}
    assert compile_form(form, {}).render({"data": {"n": 1.5, "z": None}}) == b"To=%2B1&a+%26%3D=%C3%BC*~&b=1.5+null+-"
    with pytest.raises(RenderError, match=r"the form field c: the event has no data\.gone"):
        compile_form({"c": "{{ data.gone }}"}, {}).render({"data": {}})
    with pytest.raises(RenderError, match="is an object, which is not text"):
        compile_form({"c": "{{ data.o }}"}, {}).render({"data": {"o": {}}})
    with pytest.raises(RenderError, match="larger than"):
        compile_form({"c": "{{ data.o }}"}, {}).render({"data": {"o": "%" * 400_000}})


def test_a_tag_in_a_form_field_is_refused() -> None:
    (problem,) = check_text("{% if data.x %}a{% endif %}", ANYTHING, {}, "form")
    assert problem.message == "a tag is not allowed in a header, a URL or a form field"


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("To={{ data.to }}&Body={{ data.title }}", "form: {To: '...'}"),
        ("Body=Alert: {{ data.title }} now&To=1", "form: {Body: '...'}"),
        ("payload={{ data.title }}", "form: {payload: '...'}"),
        ("a[0]=1&b=2", "form: with a line for each field"),
        ("<alert>{{ data.title }}</alert>", "body_format: xml"),
        ('<?xml version="1.0"?><a/>', "body_format: xml"),
        ("Alert: {{ data.title }}", "body_format: text"),
        ("{{ data.title }}: {{ data.severity }}", "body_format: text"),
        ("severity={{ data.severity }} title={{ data.title }}", "body_format: text"),
        ('{"a": 1}\n{"b": 2}', "body_format: ndjson"),
    ],
)
def test_a_template_that_is_not_json_is_told_the_field_it_needs(text: str, advice: str) -> None:
    problem = check_body(text, ANYTHING, {})[0]
    assert problem.rule == "template-not-json"
    assert advice in problem.hint


@pytest.mark.parametrize("text", ['{"a": foo}', "True", "'{{ data.x }}'", '{"a": 1,}', "// c\n{}", '["a" "b"]'])
def test_a_template_that_is_meant_to_be_json_keeps_its_hint(text: str) -> None:
    assert "body_format" not in check_body(text, ANYTHING, {})[0].hint
