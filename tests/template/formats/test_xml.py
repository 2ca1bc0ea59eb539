"""Which XML templates are accepted, and what is said of the others."""

from __future__ import annotations

from typing import Any

import pytest

from hookctl.model import BodyFormat
from hookctl.plugin import EventType
from hookctl.template import Problem, check_body, compile_body, describe_body
from hookctl.template.proof.xml_structure import XmlProver

ANYTHING = EventType(name="", summary="", schema={}, mock={})


def problems(text: str) -> list[Problem]:
    return check_body(text, ANYTHING, {}, body_format=BodyFormat.XML)


@pytest.mark.parametrize(
    "text",
    [
        "<a/>",
        "  <a>\n</a>\n<!-- after --><?pi?>",
        '<?xml version="1.0"?>\n<a/>',
        "<?xml version='1.0' encoding='utf-8' standalone='yes'?><?xml-stylesheet href='a'?><a/>",
        "<a>&amp;&lt;&gt;&quot;&apos;&#160;&#x1F600;</a>",
        '<a b=\'"\' c="\'" d=">"/>',
        '<a b = "1"\n\tc="{{ data.x }}{% if data.y %}-{{ data.y }}{% endif %}" ></a >',
        '<a xml:lang="en" xmlns="urn:a" xmlns:n="urn:n"><n:b n:c="1" c="2"/></a>',
        "<a>{% for x in data.xs %}<b>{{ x }}</b>{% else %}<c/>{% endfor %}</a>",
        "{% if data.x %}<a>{{ data.x }}</a>{% else %}<b/>{% endif %}",
        "<a>{% if data.x %}<b>{% endif %}x{% if data.x %}</b>{% endif %}</a>",
        '<a{% if data.x %} b="1"{% else %} b="2" {% endif %} c="3"/>',
        '<a {% if data.x %}b="1" {% else %}{% if data.y %}d="{{ data.y }}" {% endif %}{% endif %}c="3"/>',
        "<a>{# <b> #}1 > 0 and ]] {{ data.x }} ></a>",
        "<größe>1</größe>",
    ],
)
def test_well_formed_templates_are_accepted(text: str) -> None:
    assert [problem.message for problem in problems(text)] == []


@pytest.mark.parametrize(
    ("text", "wrong", "message"),
    [
        ("", "", "there is no element"),
        ("text", "text", "text is outside the outermost element"),
        ("{{ data.x }}", "{{ data.x }}", "an expression is outside the outermost element"),
        ("<a/>{{ data.x }}", "{{ data.x }}", "an expression is outside the outermost element"),
        ("<a/><b/>", "<b", "a second element <b> follows the outermost one"),
        ("<a><b></a>", "</a>", "found </a>, expected </b>"),
        ("<a></a></b>", "</b>", "</b> closes an element that was not opened"),
        ("<a><b></b>", ">", "the element a is not closed"),
        ("<a><b</a>", "</a>", "the tag <b cannot be read here"),
        ("<a", "<a", "the tag <a is not closed"),
        ("<a b=1/>", "b=1/>", "the tag <a cannot be read here"),
        ("<a b={{ data.x }}/>", "b=", "the tag <a cannot be read here"),
        (
            "<a {{ data.x }}/>",
            "{{ data.x }}",
            "an expression is not allowed in the tag <a, except in an attribute's value",
        ),
        (
            "<a{{ data.x }}/>",
            "{{ data.x }}",
            "an expression is not allowed in the tag <a, except in an attribute's value",
        ),
        ("<{{ data.x }}/>", "<", "a < does not begin a tag"),
        ("</{{ data.x }}>", "</", "an end tag cannot be read"),
        ('<a b="1" b="2"/>', "b", "the tag <a has the attribute b twice"),
        ('<a b="1"{% if data.x %} b="2"{% endif %}/>', "b", "the tag <a has the attribute b twice"),
        ('<a b="1"c="2"/>', "c", "there is no space before the attribute c"),
        ('<a b="1"{% if data.x %} {% endif %}c="2"/>', "c", "there is no space before the attribute c"),
        ('<a b="<"/>', "<", "< is not allowed in the value of an attribute"),
        ('<a b="a & b"/>', "&", "& is not allowed in the value of an attribute"),
        ("<a>a & b</a>", "& b</a>", "a & does not begin an entity of XML"),
        ("<a>&nbsp;</a>", "&nbsp;</a>", "a & does not begin an entity of XML"),
        ("<a>&{{ data.x }};</a>", "&", "a & does not begin an entity of XML"),
        ("<a>&#0;</a>", "&#0;", "XML does not have the character &#0;"),
        ('<a b="&#xFFFF;"/>', "&#xFFFF;", "XML does not have the character &#xFFFF;"),
        ("<a>&#1114112;</a>", "&#1114112;", "XML does not have the character &#1114112;"),
        ("<a>\x0b</a>", "\x0b", "the template contains the character U+000B, which XML does not allow"),
        ("<a>]]></a>", "]]>", "]]> could occur in text, which XML does not allow"),
        ("<a>]{{ data.x }}]></a>", "]>", "]]> could occur in text, which XML does not allow"),
        ("<a>{{ data.x }}></a>", ">", "]]> could occur in text, which XML does not allow"),
        ("<!DOCTYPE a><a/>", "<!DOCTYPE a><a/>", "the template contains a document type"),
        ("<a><!-- {{ data.x }} --></a>", "<!-- ", "a comment is not closed, or contains -- or an expression"),
        ("<a><!-- -- --></a>", "<!-- -- --></a>", "a comment is not closed, or contains --"),
        ("<a><![CDATA[{{ data.x }}]]></a>", "<![CDATA[", "a CDATA section is not closed, or contains an expression"),
        ("<a><?pi {{ data.x }}?></a>", "<?pi ", "a processing instruction is not closed, or contains an expression"),
        (' <?xml version="1.0"?><a/>', '<?xml version="1.0"?', "the XML declaration cannot be read"),
        ('<?xml version="1.1"?><a/>', '<?xml version="1.1"?', "the XML declaration cannot be read"),
        ('<?xml version="1.0" encoding="latin1"?><a/>', '<?xml version="1.0" ', "the XML declaration cannot be read"),
        ("<n:a/>", "<n:a", "the prefix n is not declared"),
        ('<a n:b=""/>', "<a", "the prefix n is not declared"),
        ('<a><b xmlns:n="urn:n"/><n:c/></a>', "<n:c", "the prefix n is not declared"),
        ('<a xmlns:n="u" xmlns:m="u" n:b="" m:b=""/>', "<a", "an attribute occurs twice, with two prefixes"),
        ('<a xmlns:n=""/>', '"', "xmlns:n does not name a namespace"),
        ('<a xmlns:xml="urn:x"/>', 'urn:x"', "xmlns:xml cannot be declared"),
        ('<a xmlns="{{ data.x }}"/>', "{{ data.x }}", "a namespace is declared by an expression"),
        ('<a{% if data.x %} xmlns:n="urn:n"{% endif %}/>', "xmlns:n", "a namespace is declared in a branch"),
        ("<a>{% if data.x %}<b>{% endif %}</a>", "</a>", "found </a>, expected </b> (when data.x is true)"),
        ("{% for x in data.xs %}<a/>{% endfor %}", "<a", "a second element <a> follows the outermost one"),
    ],
)
def test_other_templates_are_refused_at_the_mistake(text: str, wrong: str, message: str) -> None:
    problem = problems(text)[0]
    assert (problem.rule, text[problem.start : problem.end]) == ("template-not-xml", wrong)
    assert problem.message.startswith(message)
    assert problem.hint


@pytest.mark.parametrize(
    "text",
    [
        '<a b="{% if data.x %}1" c="2{% endif %}"/>',
        '<a{% if data.x %} b="1{% endif %}"/>',
        "<a>{% if data.x %}<b {% endif %}/></a>",
    ],
)
def test_a_tag_or_value_begins_and_ends_in_one_branch(text: str) -> None:
    assert problems(text)[0].rule == "template-branch-depth"


def test_elements_have_a_limit_and_so_has_the_proof() -> None:
    assert problems("<a>" * 100 + "</a>" * 100) == []
    assert "nested deeper than 100" in problems("<a>" * 101 + "</a>" * 101)[0].message
    many = "".join(f"{{% if data.x{n} %}}<b{n}>{{% endif %}}" for n in range(40))
    assert [problem.rule for problem in problems(f"<a>{many}</a>")] == ["template-too-large"]


def test_values_are_escaped_for_where_they_stand() -> None:
    text = '<a b="{{ data.x }}">{{ data.x }}|{{ data.o }}|{{ data.x | tojson }}</a>'
    document: Any = {"data": {"x": "\"'<&>\t\n\r\x00\ufffe", "o": {"k": [1, None]}}}
    assert compile_body(text, {}, BodyFormat.XML).render(document).decode() == (
        '<a b="&quot;&apos;&lt;&amp;&gt;&#9;&#10;&#13;\ufffd\ufffd">'
        '"\'&lt;&amp;&gt;\t\n&#13;\ufffd\ufffd|{"k":[1,null]}|'
        '"\\"\'&lt;&amp;&gt;\\t\\n\\r\\u0000\ufffd"</a>'
    )
    assert [str(decision.position) for decision in describe_body(text, BodyFormat.XML)] == [
        "an XML attribute's value",
        *["text in an XML element"] * 3,
    ]


def test_paths_are_checked_and_the_mock_event_is_rendered() -> None:
    data = {"properties": {"x": {"type": "string"}}, "required": ["x"], "additionalProperties": False}
    schema: Any = {"properties": {"data": data}, "required": ["data"]}
    event_type = EventType(name="thing", summary="", schema=schema, mock={"data": {"x": "a"}})
    found = check_body("<a b='{{ data.y }}'/>", event_type, {}, body_format=BodyFormat.XML)
    assert [problem.rule for problem in found] == ["template-unknown-path"]
    found = check_body("<a>{{ data.x | round }}</a>", event_type, {}, body_format=BodyFormat.XML)
    assert "template-kind" in {problem.rule for problem in found}
    found = check_body("<a>{{ data.x | datetime('%Y') }}</a>", event_type, {}, body_format=BodyFormat.XML)
    assert "template-mock-event" in {problem.rule for problem in found}


def test_the_cost_of_namespaces_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What open elements declare is read once, not again for each element inside."""
    read = 0

    class Counting(dict[tuple[str, ...], dict[str, str]]):
        def __setitem__(self, key: tuple[str, ...], value: dict[str, str]) -> None:
            nonlocal read
            read += 1
            super().__setitem__(key, value)

    original = XmlProver.__init__

    def counted(self: XmlProver, *arguments: Any) -> None:
        original(self, *arguments)
        self._namespaces = Counting()

    monkeypatch.setattr(XmlProver, "__init__", counted)
    declared = "".join(f' xmlns:n{number}="urn:{number}"' for number in range(100))
    assert problems(f"<a{declared}>{'<n1:b/>' * 100}<n2:c n3:d='1'><n4:e/></n2:c></a>") == []
    assert read == 2
