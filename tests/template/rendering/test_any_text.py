"""Whatever an author writes is a template or a finding inside it, never a traceback, and never slow."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.errors import RenderError, TemplateError
from hookctl.model.problem import Problem
from hookctl.plugin import EventType
from hookctl.template import check_body, compile_body, describe_body

DELIMITERS = ("{{", "}}", "{%", "%}", "{#", "#}", "{{-", "-%}", "#if", "@index")
EXPRESSIONS = (
    "data",
    ".severity",
    ".groups",
    ".note",
    "[0]",
    "loop",
    "|",
    " default",
    "(",
    ")",
    "'x'",
    " not ",
    " and ",
    "==",
    "~",
    " if ",
    " else ",
)
TAGS = (" for ", " in ", " endif ", " endfor ", " elif ")
JSON_TEXT = ('"', '\\"', "\\", "{", "}", "[", "]", ",", ":", " 1", " true", "\n", "é", "\u2028", "\x00", "\ud800")
WORDS = st.sampled_from(DELIMITERS + EXPRESSIONS + TAGS + JSON_TEXT)
TEXTS = st.lists(WORDS, max_size=25).map("".join) | st.text(max_size=40)
UNKNOWN = EventType(name="", summary="", schema={}, mock={})


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_any_text_is_a_template_or_a_finding(text: str) -> None:
    problems = check_body(text, UNKNOWN, {})
    for problem in problems:
        assert 0 <= problem.start <= problem.end <= len(text)
        assert problem.message
        assert problem.hint
    errors = [problem for problem in problems if problem.is_error and problem.rule != "template-unknown-path"]
    if errors:
        with pytest.raises(TemplateError) as caught:
            compile_body(text, {})
        assert caught.value.rule in {problem.rule for problem in errors}
        return
    describe_body(text)
    try:
        body = compile_body(text, {}).render({"data": {"severity": "High", "groups": ['"'], "note": None}})
    except RenderError:
        return
    json.loads(body)


@pytest.mark.parametrize(
    "text",
    [
        "{{{" + " " * 60_000,
        "{{!" + " " * 60_000,
        "{{#each a as |b|" + " " * 60_000,
        "{{ a" + "-a" * 30_000,
        "{{ data.a " * 6_000,
        '"' * 60_000,
        "1" * 60_000,
        "[" * 60_000,
        '"' + "\\\\" * 30_000,
        '"{ ' + '\\"a\\":' * 9_000 + '{{ id }}"',
        "{% if data.severity %}" * 2_500,
        "[" + "".join(f'{{% if data.severity == "{n % 700}" %}}1,{{% endif %}}' for n in range(1_400)) + "1]",
        "{% if " + " and ".join(f"(data.a{n} or data.b{n})" for n in range(40)) + " %}1{% endif %}" * 2,
    ],
)
def test_large_and_odd_templates_are_judged_with_bounded_work(check: Callable[..., list[Problem]], text: str) -> None:
    """Each would take minutes or more with a regular expression that backtracks, or a proof that follows every path."""
    for problem in check(text):
        assert problem.end <= len(text)
