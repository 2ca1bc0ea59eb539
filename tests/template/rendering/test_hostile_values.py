"""For any event, the body parses, has the shape of the template, and gives each value back."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hookctl.errors import RenderError
from hookctl.template import compile_body

HOSTILE = st.sampled_from(
    [
        'x","admin":true,"z":"',
        "\\",
        '\\"',
        '\\\\"}',
        "\\u0022",
        "\x00\x01\x1f\x7f",
        "\r\n\t\b\f",
        "\u2028\u2029",
        "{{ data.secret }}",
        "{% raw %}%}",
        "{#",
        "</script>",
        "$" + "{env:X}",
        "😀\U0010ffff",
        "x" * 10_000 + '"',
        "\\" * 1001,
        "",
        "true",
        "null",
        "-0",
    ]
)
TEXTS = HOSTILE | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBERS = (
    st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([10**400, -(10**400), 1e308, -5e-324, 2**53 + 1, -0.0])
)
VALUES = st.recursive(
    TEXTS | NUMBERS | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def nested(text: str, levels: int) -> str:
    """``{"m": "..."}`` around a template, so many times, with the template as JSON text in the string."""
    for _ in range(levels):
        parts = re.split(r"(\{\{.*?\}\}|\{%.*?%\})", text)
        text = (
            '{"m": "'
            + "".join(part if part.startswith(("{{", "{%")) else json.dumps(part)[1:-1] for part in parts)
            + '"}'
        )
    return text


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def same(left: Any, right: Any) -> bool:
    """Equal as JSON: of the same types too, and -0.0 is not 0."""
    return json.dumps(left) == json.dumps(right)


TEMPLATE = (
    '{"text": "<{{ data.s }}|{{ data.v }}>", "value": {{ data.v }}, "{{ data.s }}!": {{ data.n }}, '
    '"list": [{% for x in data.xs %}{"i": {{ loop.index }}, "t": "{{ x }}", "v": {{ x }}}'
    "{% if not loop.last %},{% endif %}{% endfor %}]"
    '{% if data.b %}, "yes": "{{ data.n }}"{% else %}, "no": [{{ data.s }}]{% endif %}, '
    '"joined": "{% for x in data.xs %}{{ x }};{% endfor %}", "default": {{ data.gone | default(data.s) }} }'
)


@pytest.mark.parametrize("levels", [0, 1, 2, 3])
@settings(max_examples=60, deadline=None)
@given(
    data=st.fixed_dictionaries(
        {"s": TEXTS, "v": VALUES, "n": NUMBERS, "b": st.booleans(), "xs": st.lists(VALUES, max_size=4)}
    )
)
@example(data={"s": '"', "v": {"\\": '"'}, "n": 10**400, "b": True, "xs": ['","', "\\"]})
def test_every_value_comes_back_and_changes_nothing_else(levels: int, data: dict[str, Any]) -> None:
    document = {"data": data}
    s, v, n, b, xs = (data[key] for key in ("s", "v", "n", "b", "xs"))
    got: Any = compile_body(nested(TEMPLATE, levels), {}).render(document).decode()
    for _ in range(levels):
        outer = json.loads(got)
        assert list(outer) == ["m"]
        got = outer["m"]
    expected: dict[str, Any] = {
        "text": f"<{s}|{as_text(v)}>",
        "value": v,
        f"{s}!": n,
        "list": [{"i": number, "t": as_text(x), "v": x} for number, x in enumerate(xs, 1)],
    }
    expected |= {"yes": as_text(n)} if b else {"no": [s]}
    expected |= {"joined": "".join(f"{as_text(x)};" for x in xs), "default": s}
    assert same(json.loads(got), expected)


@settings(max_examples=100, deadline=None)
@given(s=TEXTS, v=VALUES)
def test_the_short_way_and_the_full_parser_write_the_same(s: str, v: Any) -> None:
    """A comment sends the same template through the full parser."""
    text = '{"a": "{{ data.s }} {{ data.v }}", "b": [{{ data.v }}, {{ data.s }}], "{{ data.s }}x": {{ data }}}'
    document = {"data": {"s": s, "v": v}}
    body = compile_body(text, {}).render(document)
    assert body == compile_body(text + "{# full #}", {}).render(document)
    assert same(json.loads(body), {"a": f"{s} {as_text(v)}", "b": [v, s], f"{s}x": {"s": s, "v": v}})


@pytest.mark.parametrize(
    "text", ["{{ data.v }}", '"{{ data.v }}"', '"{{ data.v | default(1) }}"', '{"{{ data.v }}": 1}']
)
@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        -float("inf"),
        [float("nan")],
        {"a": float("inf")},
        "\ud800",
        "x\udfff",
        ["\udc80"],
        {"\ud800": 1},
        pytest.param(10**5000, id="5000 digits"),
    ],
)
def test_what_json_or_utf8_does_not_have_is_never_sent(text: str, value: Any) -> None:
    with pytest.raises(RenderError):
        compile_body(text, {}).render({"data": {"v": value}})


def test_a_value_nested_too_deep_is_never_sent() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(RenderError):
        compile_body("{{ data }}", {}).render({"data": value})
    assert compile_body("{% if data == data %}1{% else %}2{% endif %}", {}).render({"data": value}) == b"1"
    assert compile_body("{{ data | length | tojson if 1 in data else 2 }}", {}).render({"data": value}) == b"2"


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "{{ data.x.y }}"}',
        '{"a": {{ data.x.y }}}',
        '{"a": "{{ data.x.y | upper }}"}',
        '{"a": {{ data.x.y | join(",") }}}',
        '{"a": [{% for z in data.x.y %}{% endfor %}]}',
    ],
)
@pytest.mark.parametrize("data", [{}, {"x": None}, {"x": {}}, {"x": "text"}, {"x": []}])
def test_what_is_missing_is_named_and_never_an_empty_string(text: str, data: Any) -> None:
    with pytest.raises(RenderError, match=r"the event has no data\.x\.y") as caught:
        compile_body(text, {}).render({"data": data})
    assert "default" in caught.value.hint


def test_null_is_a_value() -> None:
    template = compile_body('{"a": "{{ data.x }}", "b": {{ data.x }}, "c": {{ data.x | default("d") }}}', {})
    assert json.loads(template.render({"data": {"x": None}})) == {"a": "null", "b": None, "c": "d"}


def test_an_error_knows_its_expression() -> None:
    text = '{"a": [{% for x in data.xs %}{{ x.y | upper }},{% endfor %} 1], "b": 2}'
    with pytest.raises(RenderError) as caught:
        compile_body(text, {}).render({"data": {"xs": [{"y": "a"}, {}]}})
    assert text[caught.value.start : caught.value.end] == "x.y | upper"
