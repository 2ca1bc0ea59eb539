"""Secrets in bodies that are not JSON: where a reference may stand, how a secret is written, what records show."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl
from xml.parsers import expat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.errors import SecretError, TemplateError
from hookctl.model import MASK, BodyFormat, SecretReference
from hookctl.model.secret import Resolve
from hookctl.plugin import EventType
from hookctl.template import BodyTemplate, FormTemplate, check_body, compile_body, describe_body
from hookctl.template.formats.form import compile_form
from hookctl.template.rendering.escapes import one_line

ANYTHING = EventType(name="", summary="", schema={}, mock={})
NDJSON = r"""[
  {"key": "${env:KEY}", "title": "{{ data.title }}"},
  "{\"key\": \"${env:KEY}\", \"title\": \"{{ data.title }}\"}"
]"""
XML = "<a key='${env:KEY}'><title>{{ data.title }}</title>{% if data %}<b>${env:KEY}</b>{% endif %}</a>"
TEXT = "${env:KEY}\n{{ data.title }}"
FORM = {"key": "k ${env:KEY}", "title": "{{ data.title }}"}
SECRETS = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF)),
    st.sampled_from(["${env:KEY}", "</b>&amp;", "]]>", '"', "'", "\\", "a\r\nb\tc", "***", "&x=%2B+"]),
)


def read_lines(body: bytes) -> tuple[str, str]:
    first, second = (json.loads(line) for line in body.decode().split("\n") if line)
    assert json.loads(second) == first
    return first["key"], first["title"]


def read_xml(body: bytes) -> tuple[str, str]:
    names: list[str] = []
    found = {"a": "", "b": "", "title": ""}

    def start(name: str, attributes: dict[str, str]) -> None:
        names.append(name)
        found["a"] += "".join(attributes.values())

    def end(_: str) -> None:
        names.pop()

    def text_of(part: str) -> None:
        found[names[-1]] += part

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text_of
    parser.Parse(body, True)
    assert found["b"] == found["a"]
    return found["a"], found["title"]


def read_form(body: bytes) -> tuple[str, str]:
    (key, value), (name, title) = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    assert (key, value[:2], name) == ("key", "k ", "title")
    return value[2:], title


def read_text(body: bytes) -> tuple[str, str]:
    key, _, title = body.decode().rpartition("\n")
    return key, title


COMPILED: dict[str, tuple[Callable[[Resolve | None], BodyTemplate | FormTemplate], Callable[[bytes], Any]]] = {
    "ndjson": (lambda resolve: compile_body(NDJSON, {}, BodyFormat.NDJSON, resolve), read_lines),
    "xml": (lambda resolve: compile_body(XML, {}, BodyFormat.XML, resolve), read_xml),
    "text": (lambda resolve: compile_body(TEXT, {}, BodyFormat.TEXT, resolve), read_text),
    "form": (lambda resolve: compile_form(FORM, {}, resolve), read_form),
}


@pytest.mark.parametrize("name", COMPILED)
@settings(deadline=None)  # the first body imports the parser
@given(secret=SECRETS, title=SECRETS)
def test_a_secret_is_written_for_its_place_and_a_reference_in_a_value_is_text(
    name: str, secret: str, title: str
) -> None:
    compiled, opened = COMPILED[name]
    asked: list[SecretReference] = []

    def resolve(reference: SecretReference) -> str:
        asked.append(reference)
        return secret

    template = compiled(resolve)
    before = len(asked)
    body, shown = template.render_both({"data": {"title": title}})
    assert asked == [SecretReference("env", "KEY")] * before
    written = one_line(title) if name == "text" else title
    assert opened(body) == (secret, written)
    assert opened(shown) == (MASK, written)
    assert template.render({"data": {"title": title}}) == body
    assert compiled(None).render({"data": {"title": title}}) == shown


@pytest.mark.parametrize("name", COMPILED)
def test_a_template_does_not_print_its_secrets(name: str) -> None:
    assert "canary" not in repr(COMPILED[name][0](lambda _: "canary-secret"))


def test_a_form_without_secrets_is_encoded_once() -> None:
    body, shown = compile_form({"a": "{{ data.x }}"}, {}, lambda _: "secret").render_both({"data": {"x": "${env:KEY}"}})
    assert body == shown == b"a=%24%7Benv%3AKEY%7D"


@pytest.mark.parametrize(("text", "body_format"), [(NDJSON, "ndjson"), (XML, "xml"), (TEXT, "text")])
def test_a_reference_that_is_resolved_is_no_problem_and_no_expression(text: str, body_format: str) -> None:
    assert check_body(text, ANYTHING, {}, body_format=BodyFormat(body_format)) == []
    decisions = describe_body(text, BodyFormat(body_format))
    assert {decision.expression for decision in decisions} == {"data.title"}


@pytest.mark.parametrize(
    ("text", "body_format", "hint"),
    [
        ("<a><!-- ${env:A} --></a>", "xml", "between tags"),
        ("<a><![CDATA[${env:A}]]></a>", "xml", "between tags"),
        ("<a><?go ${env:A}?></a>", "xml", "between tags"),
        ("<a>{{ data.x }}<!-- ${env:A} --></a>", "xml", "between tags"),
        ("<${env:A}>x</a>", "xml", "between tags"),
        ("<a>x</${env:A}>", "xml", "between tags"),
        ("<a ${env:A}='x'/>", "xml", "between tags"),
        ("<a xmlns:b='${env:A}'/>", "xml", "between tags"),
        ("${env:A}<a/>", "xml", "between tags"),
        ("<a/>${env:A}", "xml", "between tags"),
        ("<a>{{ '${env:A}' }}</a>", "xml", "next to the expression"),
        ("<a>{# ${env:A} #}</a>", "xml", "from the comment"),
        ("[${env:A}]", "ndjson", "in double quotes"),
        ('[{"${env:A}": 1}]', "ndjson", "into its value"),
        ("{{ '${env:A}' }}", "text", "next to the expression"),
        ("a {# ${env:A} #}", "text", "from the comment"),
    ],
)
def test_anywhere_else_it_is_an_error_that_says_what_to_write(text: str, body_format: str, hint: str) -> None:
    (problem,) = check_body(text, ANYTHING, {}, body_format=BodyFormat(body_format))
    assert (problem.rule, text[problem.start : problem.end]) == ("secret-misplaced", "${env:A}")
    assert hint in problem.hint
    with pytest.raises(TemplateError):
        compile_body(text, {}, BodyFormat(body_format), lambda _: "secret")


@pytest.mark.parametrize("text", ["<a>${env:KEY}</a>", "<a b='${env:KEY}'/>"])
def test_a_secret_that_xml_cannot_hold_is_never_changed(text: str) -> None:
    with pytest.raises(SecretError) as raised:
        compile_body(text, {}, BodyFormat.XML, lambda _: "canary\x01")
    assert "canary" not in str(raised.value)
