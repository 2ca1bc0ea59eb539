"""For any event, a body that is not JSON has the shape of its template, and gives each value back to a real parser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hookctl.model import BodyFormat
from hookctl.plugin import EventType
from hookctl.template import check_body, compile_body
from hookctl.template.formats.form import compile_form

ANYTHING = EventType(name="", summary="", schema={}, mock={})
HOSTILE = st.sampled_from(
    [
        "</a><admin>true</admin><a>",
        '" admin="true',
        "' admin='true",
        "]]>",
        "]]",
        "-->",
        "<![CDATA[",
        "<?xml?>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]>",
        "&b;",
        "&#0;",
        "\x00\x01\x0b\x1f\x7f\x85",
        "\ufffe\uffff",
        "\r\n\t",
        "a\r\nb\rc\nd",
        "\u2028\u2029",
        '"}\n{"admin": true}',
        '\n{"delete": {}}\n',
        "a&admin=true#=+%26;b=c",
        "{{ data.secret }}",
        "$" + "{env:X}",
        "😀\U0010ffff",
        "",
    ]
)
TEXTS = HOSTILE | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = TEXTS | st.integers() | st.booleans() | st.none() | st.lists(TEXTS, max_size=2)
EVENTS = st.fixed_dictionaries({"s": TEXTS, "v": VALUES, "xs": st.lists(TEXTS, min_size=1, max_size=3)})
BENIGN = {"s": "a", "v": "b", "xs": ["c"]}
Render = Callable[[dict[str, Any]], str]


def renderer(text: str, body_format: BodyFormat) -> Render:
    assert check_body(text, ANYTHING, {}, body_format=body_format) == []
    template = compile_body(text, {}, body_format)
    return lambda data: template.render({"data": data}).decode()


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def in_xml(text: str) -> str:
    """What a reader of XML gets: a character that XML does not have is replaced."""
    return re.sub("[^\\t\\n\\r\\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


XML = renderer(
    '<?xml version="1.0" encoding="UTF-8"?>\n<a xmlns:n="urn:n" one="{{ data.s }}" two=\'<!{{ data.v }}\'>'.replace(
        "<!", "x"
    )
    + "<n:s>{{ data.s }}</n:s><v>{{ data.v }}{{ data.s }}</v>"
    '{% for x in data.xs %}<x{% if loop.first %} first="{{ x }}"{% endif %}>{{ x }}</x>{% endfor %}'
    "<!-- c --><![CDATA[<raw>]]></a>",
    BodyFormat.XML,
)


def shape(element: ET.Element) -> Any:
    return element.tag, sorted(element.attrib), [shape(child) for child in element if child.tag != "x"]


@given(EVENTS)
@example({"s": "]]", "v": ">", "xs": ["]]>"]})
def test_xml_keeps_its_elements_and_gives_each_value_back(data: dict[str, Any]) -> None:
    root = ET.fromstring(XML(data))  # noqa: S314 - hookctl made it
    assert shape(root) == shape(ET.fromstring(XML(BENIGN)))  # noqa: S314
    assert root.attrib == {"one": in_xml(data["s"]), "two": "x" + in_xml(as_text(data["v"]))}
    assert (root.findtext("{urn:n}s"), root.findtext("v")) == (
        in_xml(data["s"]),
        in_xml(as_text(data["v"]) + data["s"]),
    )
    assert [element.text or "" for element in root.findall("x")] == [in_xml(x) for x in data["xs"]]
    assert [element.attrib for element in root.findall("x")] == [{"first": in_xml(data["xs"][0])}] + [{}] * (
        len(data["xs"]) - 1
    )


LINES = renderer(
    '[{% for x in data.xs %}{"index": {"_id": "{{ data.s }}"}},\n {"x": {{ x }}, "v": {{ data.v }}},{% endfor %} 1.50]',
    BodyFormat.NDJSON,
)


@given(EVENTS)
def test_lines_of_json_stay_lines(data: dict[str, Any]) -> None:
    body = LINES(data)
    lines = body.splitlines()
    assert body.endswith("\n")
    assert body.count("\n") == len(lines) == 2 * len(data["xs"]) + 1
    assert [json.loads(line) for line in lines[:-1]] == [
        line for x in data["xs"] for line in ({"index": {"_id": data["s"]}}, {"x": x, "v": data["v"]})
    ]
    assert lines[-1] == "1.50"


TEXT = renderer("alert {{ data.s }}\t{{ data.v }}\n{% for x in data.xs %}- {{ x }}\n{% endfor %}", BodyFormat.TEXT)


@given(EVENTS)
def test_text_keeps_its_lines_and_columns(data: dict[str, Any]) -> None:
    body = TEXT(data)
    assert len(body.splitlines()) == 1 + len(data["xs"]) == body.count("\n")
    assert body.count("\t") == 1
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]", body)
    assert body.startswith("alert ")


@given(EVENTS)
def test_a_form_keeps_its_fields(data: dict[str, Any]) -> None:
    form = {"To": "+1 {{ data.s }}", "Body[0]": "{{ data.s }}&x=1\n", "Fixed": "", "Last": "{{ data.xs | join('=') }}"}
    body = compile_form(form, {}).render({"data": data}).decode("ascii")
    assert dict(parse_qsl(body, keep_blank_values=True, strict_parsing=True)) == {
        "To": "+1 " + data["s"],
        "Body[0]": data["s"] + "&x=1\n",
        "Fixed": "",
        "Last": "=".join(data["xs"]),
    }
    assert body.count("&") == len(form) - 1


NAMES = st.sampled_from(["a", "b", "n:c"])
OUTPUTS = st.sampled_from(["{{ data.s }}", "{{ data.v }}"])
LITERALS = st.sampled_from(
    ["x", "]", "]]", ">", "&gt;", " ", "&", "<", '"', "</a>", "<a>", "<b/>", "-->", "<!-- x -->"]
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> str:
    """XML templates, most of them well-formed, with pieces that may break them."""
    name = draw(NAMES)
    attributes = draw(
        st.sampled_from(["", ' k="{{ data.s }}"', " k='{{ data.v }}'", '{% if data.b %} k="1"{% endif %}'])
    )
    inner = "".join(draw(st.lists(parts(depth - 1), max_size=3)))
    return f"<{name}{attributes}{draw(st.sampled_from(['', ' j=' + chr(34) + 'a' + chr(34)]))}>{inner}</{name}>"


def parts(depth: int) -> st.SearchStrategy[str]:
    leaves = OUTPUTS | LITERALS
    if depth <= 0:
        return leaves
    inner = st.deferred(lambda: parts(depth - 1))
    branch = st.tuples(st.sampled_from(["data.b", "not data.b"]), inner, inner).map(
        lambda given: f"{{% if {given[0]} %}}{given[1]}{{% else %}}{given[2]}{{% endif %}}"
    )
    loop = inner.map(lambda body: f"{{% for x in data.xs %}}{body}{{% endfor %}}")
    return leaves | elements(depth) | branch | loop


@given(elements(), EVENTS, st.booleans())
def test_a_template_that_is_accepted_gives_well_formed_xml_for_every_event(
    inner: str, data: dict[str, Any], flag: bool
) -> None:
    text = f'<r xmlns:n="urn:n">{inner}</r>'
    problems = check_body(text, ANYTHING, {}, body_format=BodyFormat.XML)
    if any(problem.is_error for problem in problems):
        return
    body = compile_body(text, {}, BodyFormat.XML).render({"data": {**data, "b": flag}}).decode()
    ET.fromstring(body)  # noqa: S314 - hookctl made it


@pytest.mark.parametrize("text", ["[{{ data.s }}]", "{{ data.xs }}"])
def test_an_item_that_is_a_whole_value_is_one_line(text: str) -> None:
    render = renderer(text, BodyFormat.NDJSON)
    assert render({"s": {"a": [1, "\n"]}, "xs": [{"a": [1, "\n"]}]}) == '{"a":[1,"\\n"]}\n'
