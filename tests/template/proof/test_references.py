"""Secret references in bodies: where they may stand, how a secret is escaped, and that no event can name one."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hookctl.errors import TemplateError
from hookctl.model import MASK, SecretReference
from hookctl.plugin import EventType
from hookctl.template import check_body, compile_body, describe_body

ANYTHING = EventType(name="", summary="", schema={}, mock={})
SECRET = 'pa"ss\\w/ö\n\x01&'
PLAIN = '{"key": "${env:KEY}", "title": "{{ data.title }}"}'
TAGS = '{% if data.title %}{"key": "${env:KEY}", "title": "{{ data.title }}"}{% else %}{}{% endif %}'
IN_TEXT = r'{"text": "{\"key\": \"${env:KEY}\", \"title\": \"{{ data.title }}\"}"}'
DEEPER = r'{"text": "{\"text\": \"{\\\"key\\\": \\\"${env:KEY}\\\", \\\"title\\\": \\\"{{ data.title }}\\\"}\"}"}'
KEYS = '{"k{{ data.title }}": {"key": "${env:KEY}", "title": "{{ data.title }}"}}'
LOOP = "[{% for x in data.list %}" + PLAIN + "{% if not loop.last %},{% endif %}{% endfor %}]"
TEMPLATES = [PLAIN, TAGS, IN_TEXT, DEEPER, KEYS, LOOP]
TEXT = st.one_of(st.text(), st.sampled_from(["${env:KEY}", "${env:OTHER}", "{env:KEY}", "***", '"', "\\"]))


def opened(value: Any) -> Any:
    """The innermost object of a body."""
    while not (isinstance(value, dict) and "key" in value):
        value = value[0] if isinstance(value, list) else next(iter(value.values()))
        value = json.loads(value) if isinstance(value, str) else value
    return value


@pytest.mark.parametrize("text", TEMPLATES)
def test_a_secret_is_escaped_for_its_place(text: str) -> None:
    assert check_body(text, ANYTHING, {}) == []
    body, shown = compile_body(text, {}, resolve=lambda _: SECRET).render_both({"data": {"title": "a", "list": [1]}})
    assert opened(json.loads(body)) == {"key": SECRET, "title": "a"}
    assert opened(json.loads(shown)) == {"key": MASK, "title": "a"}


@pytest.mark.parametrize("text", TEMPLATES)
@given(secret=TEXT.filter(lambda text: text.isascii()), title=TEXT.filter(lambda text: text != ""))
def test_a_reference_in_an_event_or_in_a_secret_is_text(text: str, secret: str, title: str) -> None:
    asked: list[SecretReference] = []

    def resolve(reference: SecretReference) -> str:
        asked.append(reference)
        return secret

    template = compile_body(text, {}, resolve=resolve)
    before = len(asked)
    body, shown = template.render_both({"data": {"title": title, "list": [1]}})
    assert asked == [SecretReference("env", "KEY")] * before
    assert opened(json.loads(body)) == {"key": secret, "title": title}
    assert opened(json.loads(shown)) == {"key": MASK, "title": title}
    assert compile_body(text, {}).render({"data": {"title": title, "list": [1]}}) == shown


@given(
    pieces=st.lists(
        st.sampled_from(
            ["${env:A}", "${", "$", "{", "}", "env:A}", "{env:A}", "{{ data.x }}", "a", "\\\\", "{{ '' }}", "{# #}"]
        ),
        max_size=8,
    ),
    value=TEXT,
)
@example(pieces=["{# #}"], value="")
@example(pieces=["${", "{", "{", "}", "}", "}"], value="")
def test_an_event_never_completes_a_reference(pieces: list[str], value: str) -> None:
    text = '{"a": "' + "".join(pieces) + '"}'
    if any(problem.is_error for problem in check_body(text, ANYTHING, {})):
        return
    body = json.loads(compile_body(text, {}, resolve=lambda _: "[secret]").render({"data": {"x": value}}))["a"]
    written = "".join(pieces).replace("{{ data.x }}", "\0").replace("{{ '' }}", "\1").replace("{# #}", "\1")
    if "{{" in written:  # braces of several pieces made an expression, such as {{{}}}, an empty object
        return
    sent = re.sub(r"\$\{[a-z]+:A\}", "[secret]", written).replace("\1", "")
    expected = sent.replace("\\\\", "\\").replace("\0", value)
    assert body == expected


def test_what_has_no_reference_shows_the_same_bytes() -> None:
    body, shown = compile_body('{"a": "{{ data.x }}"}', {}, resolve=lambda _: SECRET).render_both({"data": {"x": 1}})
    assert body is shown


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('{"a": ${env:A}}', "in double quotes"),
        (r'{"a": "{\"b\": ${env:A}, \"c\": \"\"}"}', "in double quotes"),
        ('{"${env:A}": 1}', "key"),
        ('{"a ${env:A} b": {{ data.x }}}', "key"),
        ('{"{{ data.x }} ${env:A}": 1}', "key"),
        ('{"a": "{{ \'${env:A}\' }}"}', "next to the expression"),
        ('{% if data.x == "${env:A}" %}1{% else %}2{% endif %}', "next to the expression"),
        ('{"a": 1 {# ${env:A} #}}', "Remove it from the comment"),
        ('{"a": 1 {# {{ data.x }} ${env:A} #}}', "Remove it from the comment"),
        ("{\"a\": \"{{ '{#' ~ '${env:A}' }}\"}", "next to the expression"),
    ],
)
def test_anywhere_else_it_is_an_error_that_says_what_to_write(text: str, word: str) -> None:
    (problem,) = check_body(text, ANYTHING, {})
    assert (problem.rule, text[problem.start : problem.end]) == ("secret-misplaced", "${env:A}")
    assert word in f"{problem.message}; {problem.hint}"
    with pytest.raises(TemplateError):
        compile_body(text, {}, resolve=lambda _: SECRET)


@pytest.mark.parametrize("key", ['A"', "A\\\\", "A B", "A{B}"])
def test_a_key_that_a_json_string_cannot_hold_is_never_resolved(key: str) -> None:
    text = '["${env:' + key + '}"]' if '"' not in key else '["${env:A", "}"]'
    body, shown = compile_body(text, {}, resolve=lambda _: SECRET).render_both({})
    assert json.loads(body) == json.loads(shown) == json.loads(text)


def test_references_are_not_among_the_expressions_of_a_body() -> None:
    assert [decision.expression for decision in describe_body(IN_TEXT)] == ["data.title"]


def test_a_template_does_not_print_its_secrets() -> None:
    template = compile_body(TAGS, {}, resolve=lambda _: "canary-secret")
    assert "canary" not in repr(template)
