"""Every construct of the template language in every body format: what is sent, and that no value changes structure.

A random template is rendered twice, for events that lead to the same decisions at its branches and loops. The values
differ: one event is benign, the other hostile. The two bodies must have the same structure for an independent reader.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.template.formats.test_hostile_bodies import TEXTS, VALUES

from hookctl.errors import RenderError
from hookctl.model import BodyFormat
from hookctl.plugin import EventType
from hookctl.template import check_body, check_text, compile_body
from hookctl.template.formats.form import compile_form
from hookctl.template.rendering.body_template import BodyTemplate

ANYTHING = EventType(name="", summary="", schema={}, mock={})
BENIGN = {"s": "a", "v": "b", "n": 1}
DECISIONS = st.sampled_from(["data.b", "not data.b", "data.c == 1", "1 <= data.c < 3", "data.c is number and data.b"])
CONSTANTS = st.sampled_from(["','", "': '", "'x'", "1", "'<b>'", "'&'", "'\"'"])


def branching(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        pairs.map(" ~ ".join),
        pairs.map(lambda two: f"({two[0]}) + ({two[1]})"),
        pairs.map(lambda two: f"[{two[0]}, {two[1]}] | join('-')"),
        pairs.map(lambda two: f"{{'k': {two[0]}, 'l': {two[1]}}}"),
        pairs.map(lambda two: f"{{'a': {two[0]}}}[data.s] | default({two[1]})"),
        pairs.map(lambda two: f"({two[0]}) == ({two[1]})"),
        st.tuples(inner, DECISIONS, inner).map(lambda three: f"({three[0]}) if {three[1]} else ({three[2]})"),
        inner.map(lambda one: f"({one})[:3]"),
        inner.map(lambda one: f"[{one}]"),
        inner.map(lambda one: f"({one}) | tojson"),
        inner.map(lambda one: f"({one}) is string"),
    )


EXPRESSIONS = st.recursive(
    st.sampled_from(
        [
            "data.s",
            "data.v",
            "data.n",
            "data.n * 2 - 1",
            "data.s[:2]",
            "data.s[1:]",
            "data.s | upper",
            "data.s ~ data.v",
        ]
    )
    | CONSTANTS,
    branching,
    max_leaves=4,
)


def outputs(form: str) -> st.SearchStrategy[str]:
    """Expressions as they are written at a place for text, or (``value``) for a JSON value."""
    plain = EXPRESSIONS.map(lambda expression: f"{{{{ {expression} }}}}")
    alias = EXPRESSIONS.map(lambda expression: f"{{% set NAME = {expression} %}}{{{{ NAME }}}}")
    if form == "value":
        return plain | alias
    choice = st.tuples(CONSTANTS, DECISIONS).map(lambda two: f"{{{{ {two[0]} if {two[1]} }}}}")
    return plain | alias | choice | st.just("{% raw %}{{ raw }}{% endraw %}")


ENTITIES = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#9;", "&#10;", "&#13;"}
LOOP = "{{% for o in data.os if o.keep %}}{body}{{% else %}}{other}{{% endfor %}}"


def named(text: str) -> str:
    """The template with a name of its own for each ``set``."""
    for number in range(text.count("{% set NAME")):
        text = text.replace("{% set NAME", f"{{% set n{number}", 1).replace("{{ NAME }}", f"{{{{ n{number} }}}}", 1)
    return text


@st.composite
def events(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A benign and a hostile event for which every decision is the same."""
    keeps = draw(st.lists(st.booleans(), max_size=3))
    decisions = {"b": draw(st.booleans()), "c": draw(st.integers(0, 4))}
    hostile = {"s": draw(TEXTS), "v": draw(VALUES), "n": draw(st.integers(-5, 5))}
    benign_items = [{"keep": keep, "x": "i"} for keep in keeps]
    hostile_items = [{"keep": keep, "x": draw(TEXTS)} for keep in keeps]
    return {**BENIGN, **decisions, "os": benign_items}, {**hostile, **decisions, "os": hostile_items}


def both(text: str, body_format: BodyFormat, pair: tuple[dict[str, Any], dict[str, Any]]) -> tuple[str, str]:
    """The bodies for both events. Templates that are refused, and values that cannot be sent, are left out."""
    assume(not any(problem.is_error for problem in check_body(text, ANYTHING, {}, body_format=body_format)))
    template = compile_body(text, {}, body_format)
    return rendered(template, pair[0]), rendered(template, pair[1])


def rendered(template: BodyTemplate, data: dict[str, Any]) -> str:
    try:
        return template.render({"data": data}).decode()
    except RenderError:
        assume(False)
        raise


@st.composite
def xml(draw: st.DrawFn) -> str:
    one, two, three, four = (draw(outputs("text")) for _ in range(4))
    loop = LOOP.format(body=f"<i k='{{{{ o.x }}}}'>{two}</i>{{{{ ', ' if not loop.last }}}}", other="<none/>")
    attribute = draw(st.sampled_from(["", '{% if data.b %} j="{{ data.s }}"{% endif %}']))
    quote = "'" if '"' in one else '"'
    return named(f"<a k={quote}{one}{quote}{attribute}><b>{three}</b>{loop}{four}</a>")


def xml_shape(text: str) -> Any:
    def shape(element: ET.Element) -> Any:
        return element.tag, sorted(element.attrib), [shape(child) for child in element]

    return shape(ET.fromstring(text))  # noqa: S314 - hookctl made it


@given(xml(), events())
def test_no_value_adds_an_element_or_an_attribute(text: str, pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    benign, hostile = both(text, BodyFormat.XML, pair)
    assert xml_shape(benign) == xml_shape(hostile)
    assert "<!" not in hostile
    assert set(re.findall("&[^;]*;", hostile)) <= {
        "&amp;",
        "&lt;",
        "&gt;",
        "&quot;",
        "&apos;",
        "&#9;",
        "&#10;",
        "&#13;",
    }


@st.composite
def ndjson(draw: st.DrawFn) -> str:
    value, item = draw(outputs("value")), draw(outputs("value"))
    in_string = draw(outputs("text")).replace('"', "'")
    loop = LOOP.format(body=f'{{"i": {item}, "x": "{{{{ o.x }}}}"}},', other="")
    comma = "{{ ',' if data.b else ' ,' }}"
    return named(f'[{loop}{{"v": {value},\n "s": "x{in_string}"}}{comma} 2]')


@given(ndjson(), events())
def test_no_value_adds_a_line_or_a_key(text: str, pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    benign, hostile = (body.splitlines() for body in both(text, BodyFormat.NDJSON, pair))
    count = sum(item["keep"] for item in pair[0]["os"]) + 2
    assert len(benign) == len(hostile) == count
    for line, other in zip(benign[:-1], hostile[:-1], strict=True):
        assert json.loads(line).keys() == json.loads(other).keys()
    assert hostile[-1] == "2"


@st.composite
def plain_text(draw: st.DrawFn) -> str:
    one, two, three = (draw(outputs("text")) for _ in range(3))
    loop = LOOP.format(body=f"- {{{{ o.x }}}}\t{two}\n", other="none\n")
    return named(f"{one}: x\n{loop}{{{{ '\\n' if data.b }}}}{three}.")


@given(plain_text(), events())
def test_no_value_adds_a_line_or_a_column(text: str, pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    benign, hostile = both(text, BodyFormat.TEXT, pair)
    assert len(benign.splitlines()) == len(hostile.splitlines()) == hostile.count("\n") + 1
    assert benign.count("\t") == hostile.count("\t")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]", hostile)


@given(EXPRESSIONS, EXPRESSIONS, events())
def test_no_value_adds_a_field(one: str, two: str, pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    form = {"a&b": f"x {{{{ {one} }}}}&c=1", "d": f"{{{{ {two} }}}}"}
    assume(not any(problem.is_error for value in form.values() for problem in check_text(value, ANYTHING, {}, "form")))
    try:
        body = compile_form(form, {}).render({"data": pair[1]}).decode("ascii")
    except RenderError:
        assume(False)
        raise
    fields = parse_qsl(body, keep_blank_values=True, strict_parsing=True)
    assert [name for name, _ in fields] == ["a&b", "d"]
    assert body.count("&") == 1
    assert (fields[0][1].startswith("x "), fields[0][1].endswith("&c=1")) == (True, True)


EVENT: Any = {
    "event_time": 60,
    "data": {"s": "<a>\n&", "n": 5, "xs": ["a", "b", "]]>"], "os": [{"k": 1}, {"k": 2}], "t": True, "sev": "High"},
}


@pytest.mark.parametrize(
    ("construct", "text", "xml", "form"),
    [
        ("{{ data.xs[1:] | join('+') }}", "b+]]>", "b+]]&gt;", "b%2B%5D%5D%3E"),
        ("{{ data.s[:3] }}", "<a>", "&lt;a&gt;", "%3Ca%3E"),
        ("{{ (event_time + data.n) * 1000 }}", "65000", "65000", "65000"),
        ("{{ data.n ~ data.s }}", "5<a> &", "5&lt;a&gt;\n&amp;", "5%3Ca%3E%0A%26"),
        ("{{ {'High': '<1>'}[data.sev] | default('-') }}", "<1>", "&lt;1&gt;", "%3C1%3E"),
        ("{{ {'Low': 1}[data.sev] | default('-') }}", "-", "-", "-"),
        ("{{ '<, ' if data.t }}", "<, ", "&lt;, ", "%3C%2C+"),
        ("{{ ', ' if data.t else ': ' }}", ", ", ", ", "%2C+"),
        ("{{ ', ' if not data.t }}", "", "", ""),
        ("{{ '\\n' if data.t }}", "\n", "\n", "%0A"),
        ("{{ 1 < data.n < 9 }}", "true", "true", "true"),
        ("{{ data.n is integer }}", "true", "true", "true"),
        ("{{ [data.n, data.t] | tojson }}", "[5,true]", "[5,true]", "%5B5%2Ctrue%5D"),
        ("{% set low = data.sev | lower %}{{ low }}", "high", "high", None),
        ("{% raw %}{{ no }}{% endraw %}", "{{ no }}", "{{ no }}", None),
        (
            "{% for o in data.os if o.k > 1 %}{{ o.k }}{{ ',' if not loop.last }}{% else %}none{% endfor %}",
            "2",
            "2",
            None,
        ),
        ("{% for x in data.xs %}{{ x }}{{ ', ' if not loop.last }}{% endfor %}", "a, b, ]]>", "a, b, ]]&gt;", None),
    ],
)
def test_a_construct_in_each_format(construct: str, text: str, xml: str, form: str | None) -> None:
    assert send(construct, BodyFormat.TEXT) == text
    assert send(f"<a>{construct}</a>", BodyFormat.XML) == f"<a>{xml}</a>"
    in_attribute = send(f'<a k="{construct}"/>', BodyFormat.XML)
    assert ET.fromstring(in_attribute).get("k") == ET.fromstring(f"<a>{xml}</a>").text or not xml  # noqa: S314
    in_string = json.loads(send(f'["x{construct}"]', BodyFormat.NDJSON))
    assert in_string == "x" + (ET.fromstring(f"<a>{xml}</a>").text or "")  # noqa: S314
    if form is None:
        assert [problem.rule for problem in check_text(construct, ANYTHING, {}, "form")] == ["template-unsafe"]
    else:
        assert check_text(construct, ANYTHING, {}, "form") == []
        assert compile_form({"f": construct}, {}).render(EVENT).decode() == f"f={form}"


def send(text: str, body_format: BodyFormat) -> str:
    assert check_body(text, ANYTHING, {}, body_format=body_format) == []
    return compile_body(text, {}, body_format).render(EVENT).decode()


@pytest.mark.parametrize("body_format", list(BodyFormat))
def test_all_problems_are_reported_in_each_format(body_format: BodyFormat) -> None:
    text = {BodyFormat.XML: "<a>{}</a>", BodyFormat.TEXT: "{}"}.get(body_format, '["{}"]')
    wrong = "{{ data.s | nope }}{{ data.s.upper() }}{{ dato.s }}"
    found = [problem.rule for problem in check_body(text.format(wrong), ANYTHING, {}, body_format=body_format)]
    assert found == ["template-filter", "template-unsafe", "template-unknown-path"]


@pytest.mark.parametrize(
    ("construct", "instead"),
    [
        ("{% set x = data.s %}{{ x }}", "Write the expression where its name is used."),
        ("{% raw %}x{% endraw %}", "Write {{ '{{' }} for the characters {{."),
        ("{% if data.t %}x{% endif %}", "Write a choice as {{ a if condition else b }}"),
    ],
)
def test_a_tag_in_a_line_is_refused_with_what_to_write(construct: str, instead: str) -> None:
    (problem,) = check_text(construct, ANYTHING, {}, "form")
    assert "is not allowed in a header, a URL or a form field" in problem.message
    assert problem.hint.startswith(instead)


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("{{ data.xs | join('\\n') }}", ["'\\n'"]),
        ("{{ data.s ~ '\\r' }}", ["'\\r'"]),
        ("{{ {'a': '\\n'}[data.s] | default('\\n\\n') }}", ["'\\n'", "'\\n\\n'"]),
        ("{{ data.s if data.t else '\\n' }}", ["'\\n'"]),
        ("{{ data.s or ['\\n'] }}", ["'\\n'"]),
        ("{{ '\\n' if data.t else '' }}", []),
        ("{{ '\\n' }}", []),
        ("{{ data.s == '\\n' }}", []),
        ("{{ 1 if '\\n' in data.s else data.n }}", []),
    ],
)
def test_a_line_break_that_text_loses_is_a_warning(text: str, lost: list[str]) -> None:
    problems = check_body(text, ANYTHING, {}, body_format=BodyFormat.TEXT)
    assert [text[problem.start : problem.end] for problem in problems] == lost
    assert {(problem.rule, problem.is_error) for problem in problems} <= {("template-line-break", False)}
