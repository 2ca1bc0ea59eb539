"""The filters ``default`` and ``tojson``, and the hint for wrong arguments."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hookctl.errors import RenderError
from hookctl.template import compile_body
from hookctl.template.language.values import MAX_OUTPUT

LABELS = {"team": "<ops>", "more": [1, None, "é"]}


def rendered(text: str, data: Any) -> str:
    return compile_body(text, {}).render({"data": data}).decode()


@pytest.mark.parametrize(
    "expression", ["data.x | default", "data.x | d", "data.n | default", "data.e | default(boolean=true)"]
)
def test_default_without_a_value_gives_an_empty_string(expression: str) -> None:
    assert rendered(f"{{{{ {expression} }}}}", {"n": None, "e": 0}) == '""'


def test_a_value_is_written_without_spaces_whatever_the_indent() -> None:
    expected = json.dumps(LABELS, separators=(",", ":"), ensure_ascii=False)
    assert rendered("{{ data | tojson(indent=2) }}", LABELS) == expected


@pytest.mark.parametrize("indent", [1, 4, 8])
def test_text_has_the_indent(indent: int) -> None:
    body = rendered(f'"Labels: {{{{ data | tojson({indent}) }}}}"', LABELS)
    assert json.loads(body) == "Labels: " + json.dumps(LABELS, indent=indent, ensure_ascii=False)


@pytest.mark.parametrize("indent", ["0", "none"])
def test_text_without_an_indent_has_no_line_breaks(indent: str) -> None:
    assert "\\n" not in rendered(f'"{{{{ data | tojson({indent}) }}}}"', LABELS)


def test_the_indentation_of_a_deep_list_is_limited() -> None:
    """Its items have many times more indentation than content."""
    deep: Any = [1] * 20_000
    for _ in range(90):
        deep = [deep]
    with pytest.raises(RenderError, match=f"the filter tojson returns more than {MAX_OUTPUT} characters"):
        rendered('"{{ data | tojson(8) }}"', deep)


@pytest.mark.parametrize("data", [{"x": float("nan")}, [float("inf")]])
def test_a_value_outside_json_is_refused_with_an_indent_too(data: Any) -> None:
    with pytest.raises(RenderError, match="cannot be written as JSON"):
        rendered('"{{ data | tojson(2) }}"', data)


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("data.severity | replace('a')", "Write replace(old, new, count=none)."),
        ("data.severity | upper(1)", "Write upper."),
        ("event_time | datetime(tz='UTC')", "Write datetime(format=none, zone='UTC', unit='s')."),
        ("data.groups | join(by='name')", "Write join(separator='', attribute=none)."),
    ],
)
def test_wrong_arguments_are_answered_with_the_right_ones(check: Any, expression: str, hint: str) -> None:
    problem = check(f'{{"a": "{{{{ {expression} }}}}"}}')[0]
    assert (problem.rule, problem.hint) == ("template-filter", hint)
