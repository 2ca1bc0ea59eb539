from __future__ import annotations

import json
import re
from typing import Any

import pytest

from hookctl.errors import TemplateError
from hookctl.template import compile_body, describe_body

EVIL = 'x","admin":true,"z":"\\'


def nested(text: str, levels: int = 1) -> str:
    """A template as the JSON text of ``{"m": ...}``, nested so many times: its text escaped, its expressions as is."""
    for level in range(levels):
        text = f'{{"m": {text}}}' if level else text
        parts = re.split(r"(\{\{.*?\}\}|\{%.*?%\})", text)
        text = '"' + "".join(part if part.startswith(("{{", "{%")) else json.dumps(part)[1:-1] for part in parts) + '"'
    return text


def rendered(text: str, value: Any) -> Any:
    return json.loads(compile_body(text, {}).render({"data": {"v": value, "n": 1.5}}))


def forms(text: str) -> list[str]:
    return [str(decision.position) for decision in describe_body(text)]


@pytest.mark.parametrize("value", [EVIL, "", 1, 1.5, True, None, ["a", 1], {'k"': "\u2028"}, 10**30, -1e-300])
def test_a_value_position_keeps_the_type(value: Any) -> None:
    assert rendered('{"a": {{ data.v }}}', value) == {"a": value}
    assert rendered("{{ data.v }}", value) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (EVIL, EVIL),
        (True, "true"),
        (1.5, "1.5"),
        (None, "null"),
        ({"a": ["b"]}, '{"a":["b"]}'),
        (10**30, "1" + "0" * 30),
    ],
)
def test_a_string_takes_text_and_the_json_text_of_anything_else(value: Any, text: str) -> None:
    assert rendered('{"a": "<{{ data.v }}>"}', value) == {"a": f"<{text}>"}


def test_a_key_is_text() -> None:
    assert rendered('{"{{ data.v }}-{{ data.n }}": 1}', EVIL) == {f"{EVIL}-1.5": 1}
    assert forms('{"{{ data.v }}": "{{ data.v }}"}') == ["an object's key", "text in a string"]


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_json_text_in_strings_parses_at_every_level(levels: int) -> None:
    inner = '{"id": "{{ data.v }}", "n": {{ data.n }}, "v": {{ data.v }}, "{{ data.v }}": []}'
    value: Any = rendered('{"m": ' + nested(inner, levels) + "}", EVIL)
    for _ in range(levels):
        value = json.loads(value["m"])
    assert value == {"id": EVIL, "n": 1.5, "v": EVIL, EVIL: []}


def test_json_text_nested_deeper_than_four_strings_is_refused() -> None:
    assert compile_body(nested('{"a": "{{ data.v }}"}', 3), {})
    with pytest.raises(TemplateError) as caught:
        compile_body(nested('{"a": "{{ data.v }}"}', 4), {})
    assert caught.value.rule == "template-too-large"


@pytest.mark.parametrize(
    "content",
    [
        "[{{ data.v }}] {{ data.n }}",
        "[{{ data.v }}]",
        "{{ data.v }}",
        'say \\"{{ data.v }}\\"',
        '\\"{{ data.v }}\\"',
        "{ {{ data.v }} }",
    ],
)
def test_prose_stays_text(content: str) -> None:
    assert set(forms(f'"{content}"')) == {"text in a string"}
    expected = json.loads(f'"{content}"').replace("{{ data.v }}", EVIL).replace("{{ data.n }}", "1.5")
    assert rendered(f'"{content}"', EVIL) == expected


def test_the_decision_is_told() -> None:
    text = (
        '{"m": "{ \\"id\\": \\"{{ data.v }}\\", \\"n\\": {{ data.n }}, '
        '\\"{{ id }}\\": \\"{ \\\\\\"x\\\\\\": {{ data.n }} }\\" }"}'
    )
    assert forms(text) == [
        "text in a string of the JSON text in a string",
        "a JSON value of the JSON text in a string",
        "an object's key of the JSON text in a string",
        "a JSON value of the JSON text in a string, 2 strings deep",
    ]
    first = describe_body(text)[0]
    assert text[first.start : first.end] == "{{ data.v }}"
    assert first.expression == "data.v"


def test_what_only_looks_like_json_text_is_a_warning(check: Any) -> None:
    text = '{"m": "{ \\"a\\": \\"{{ data.severity }}\\" \\"b\\": 1 }"}'
    (problem,) = check(text)
    assert (problem.rule, problem.is_error) == ("template-not-json", False)
    assert text[problem.start :].startswith('"{ \\"a\\"')
    assert "a comma or }" in problem.message


def test_tojson_is_never_applied_twice() -> None:
    assert rendered('{"a": {{ data.v | tojson }}}', EVIL) == {"a": EVIL}
    assert rendered('{"a": {{ data.v | tojson | tojson }}}', [EVIL]) == {"a": [EVIL]}
    assert rendered('{"a": "{{ data.v | tojson }}"}', EVIL) == {"a": json.dumps(EVIL)}
    assert rendered('"{ \\"a\\": {{ data.v | tojson }} }"', EVIL) == '{ "a": ' + json.dumps(EVIL) + " }"


def test_branches_and_loops_inside_strings_and_json_text() -> None:
    loop = '[{% for x in data.v %}\\"{{ x }}\\"{% if not loop.last %},{% endif %}{% endfor %}]'
    text = '{"m": "{ \\"a\\": ' + loop + '{% if data.n %}, \\"n\\": {{ data.n }}{% endif %} }"}'
    assert json.loads(rendered(text, [EVIL, "b"])["m"]) == {"a": [EVIL, "b"], "n": 1.5}
    assert (
        rendered('"{% for x in data.v %}{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}"', [EVIL, 2])
        == f"{EVIL}, 2"
    )


def test_a_backslash_before_an_expression_is_refused() -> None:
    with pytest.raises(TemplateError, match="a backslash right before the tag") as caught:
        compile_body('{"a": "tail \\{{ data.v }}"}', {})
    assert caught.value.rule == "template-not-json"
    assert caught.value.start == 12


def test_text_without_expressions_is_a_template() -> None:
    assert compile_body('{"ping": [1, "a\\u0041"]}', {}).render({}) == b'{"ping": [1, "a\\u0041"]}'


def test_the_text_around_expressions_is_sent_as_written() -> None:
    text = '{\n  "a" : {{ data.n }} ,\t"é": [ 1.50, 1E3 ]\n}\n'
    assert compile_body(text, {}).render({"data": {"n": 1}}) == text.replace("{{ data.n }}", "1").encode()
