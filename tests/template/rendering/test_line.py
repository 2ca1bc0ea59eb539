"""Expressions in headers and URLs: whatever an event holds, it stays where it was put."""

from __future__ import annotations

import re
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hookctl.errors import RenderError, TemplateError
from hookctl.network import check_url
from hookctl.plugin import EventType, FilterType
from hookctl.template import TextTemplate, blanked, check_text, compile_text

HOST = "https://tickets.example.com"
HOSTILE = [
    "../../admin",
    "a/b?c#d",
    "\r\nX-Evil: 1",
    "%2e%2e",
    "..",
    ".",
    "",
    "\\..\\",
    "a&admin=true",
    "a;b=c",
    "@evil.example.com/",
    "$" + "{env:SECRET}",
    "{{ data.secret }}",
    "Zoë 😀 \u2028",
    "\0",
    "\ud800",
    " x ",
    "x" * 10_000,
]
VALUES = (
    st.sampled_from(HOSTILE)
    | st.text(max_size=20)
    | st.text("./%2eE;", max_size=6)
    | st.integers()
    | st.booleans()
    | st.none()
)
URL = compile_text(
    HOST + "/v1/{{ data.a }}/x-{{ data.b }}/{{ data.a }}{{ data.b }}/;v=1?q={{ data.c }}&fixed=1&r=a{{ data.a }}",
    {},
    "url",
)
HEADER = compile_text("id={{ data.a }}; {{ data.b }}", {}, "header")


def document(**data: Any) -> dict[str, Any]:
    return {"id": "evt_1", "event_type": "access", "event_time": 1.5, "data": data}


def text_of(value: object) -> str:
    return (
        value
        if isinstance(value, str)
        else {True: "true", False: "false", None: "null"}[value]
        if value is None or isinstance(value, bool)
        else str(value)
    )


@given(a=VALUES, b=VALUES, c=VALUES)
@example(a=".", b=".", c="")
@example(a="%2e", b="%2E", c="?")
@settings(max_examples=400, deadline=None)
def test_no_event_changes_the_structure_of_a_url(a: object, b: object, c: object) -> None:
    try:
        url = URL.render(document(a=a, b=b, c=c))
    except RenderError:
        return
    assert check_url(url) == ()
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "tickets.example.com", "")
    segments = parts.path.split("/")
    assert [unquote(segment) for segment in segments] == [
        "",
        "v1",
        text_of(a),
        f"x-{text_of(b)}",
        text_of(a) + text_of(b),
        ";v=1",
    ]
    assert not {"", ".", ".."} & {unquote(segment) for segment in segments[2:5]}
    assert parse_qsl(parts.query, keep_blank_values=True) == [
        ("q", text_of(c)),
        ("fixed", "1"),
        ("r", "a" + text_of(a)),
    ]


@given(a=VALUES, b=VALUES)
@settings(max_examples=200, deadline=None)
def test_no_event_adds_a_line_or_a_header(a: object, b: object) -> None:
    try:
        value = HEADER.render(document(a=a, b=b))
    except RenderError:
        assert any(re.search(r"[^ -~\xa0-\xff]", text_of(one)) or len(text_of(one)) > 8000 for one in (a, b))
        return
    assert value == f"id={text_of(a)}; {text_of(b)}".strip()
    assert re.fullmatch(r"[ -~\xa0-\xff]*", value)


@pytest.mark.parametrize("value", ["", ".", ".."])
@pytest.mark.parametrize(
    "around",
    ["/{{ data.a }}", "/{{ data.a }}/x", "/{{ data.a }}?q=1", "/{{ data.a }};v=1", "/x/{{ data.a }}{{ data.b }}"],
)
def test_a_value_that_would_drop_a_segment_is_refused(around: str, value: str) -> None:
    with pytest.raises(RenderError, match=r"data\.a would make a path segment"):
        compile_text(HOST + around, {}, "url").render(document(a=value, b=""))


@pytest.mark.parametrize("text", ["/.{{ data.a }}", "/%2e{{ data.a }}", "/x/{{ data.a }}%2E"])
def test_dots_beside_a_value_count(text: str) -> None:
    with pytest.raises(RenderError, match="a path segment"):
        compile_text(HOST + text, {}, "url").render(document(a="."))


def test_an_empty_value_beside_text_is_sent() -> None:
    assert compile_text(HOST + "/x-{{ data.a }}?q={{ data.a }}", {}, "url").render(document(a="")) == HOST + "/x-?q="
    assert compile_text("{{ data.a }}", {}, "header").render(document(a="")) == ""


@pytest.mark.parametrize(
    ("place", "text", "sent"),
    [
        ("header", "{{ data.n }}", "1.5"),
        ("header", "{{ data.b }},{{ data.none }}", "true,null"),
        ("header", " a {{ data.s }} ", "a é"),
        ("header", "{{ data.o | tojson }} {{ data.l | join('-') }} {{ data.l | length }}", '{"k":1} a-b 2'),
        ("header", "{{ data.gone | default('none') }}", "none"),
        ("url", HOST + "/{{ data.s }}/{{ data.n }}/{{ data.none }}", HOST + "/%C3%A9/1.5/null"),
        ("url", HOST + "/{{ data.l | tojson }}", HOST + "/%5B%22a%22%2C%22b%22%5D"),
        ("url", HOST + "/~a-b_c.d/{{ '~a-b_c.d' }}", HOST + "/~a-b_c.d/~a-b_c.d"),
    ],
)
def test_values_are_written_as_text(place: Literal["header", "url"], text: str, sent: str) -> None:
    event = document(n=1.5, b=True, none=None, s="é", o={"k": 1}, l=["a", "b"])
    assert compile_text(text, {}, place).render(event) == sent


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        ("header", {"a": 1}, "an object"),
        ("url", ["a"], "a list"),
        ("header", "a\r\nX-Evil: 1", r"U\+000D"),
        ("header", "\t", r"U\+0009"),
        ("header", "\x85", r"U\+0085"),
        ("header", "\u2028", r"U\+2028"),
        ("header", "x" * 8193, "longer than 8192"),
        ("url", "x" * 8193, "longer than 8192"),
        ("url", "\ud800", "surrogate"),
        ("url", float("nan"), "JSON"),
    ],
)
def test_what_cannot_be_sent_is_refused_and_never_repeated(
    place: Literal["header", "url"], value: object, why: str
) -> None:
    template = compile_text("{{ data.a }}" if place == "header" else HOST + "/{{ data.a }}", {}, place)
    with pytest.raises(RenderError, match=why) as caught:
        template.render(document(a=value))
    assert "Evil" not in caught.value.message


def test_a_missing_value_is_named() -> None:
    with pytest.raises(RenderError, match=r"no data\.a") as caught:
        compile_text("x {{ data.a }}", {}, "header").render(document())
    assert (caught.value.start, caught.value.end) == (5, 11)


def test_the_text_around_values_is_changed_and_values_never_are() -> None:
    template = compile_text("Key ${env:KEY} for $" + "{{ data.a }}", {}, "header")
    assert not template.is_fixed
    changed = template.with_text(lambda text: text.replace("${env:KEY}", "s3cret").replace("${env:OTHER}", "leaked"))
    assert changed.render(document(a="{env:OTHER}")) == "Key s3cret for ${env:OTHER}"
    assert template.with_text(str.upper).fill(["x"]) == "KEY ${ENV:KEY} FOR $x"


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/x?k=${env:A}", "/x?k=a%26b%2F%3D%20%C3%B6"),
        ("/x?k=1;m=v${env:A}w&n={{ data.a }}", "/x?k=1;m=va%26b%2F%3D%20%C3%B6w&n=%24%7Benv%3AB%7D"),
        ("/{{ data.a }}?k={{ data.a }}${env:A}", "/%24%7Benv%3AB%7D?k=%24%7Benv%3AB%7Da%26b%2F%3D%20%C3%B6"),
        ("/p/${env:A}/q", "/p/a&b/= ö/q"),
        ("/p?${env:A}", "/p?a&b/= ö"),
        ("/${file:/x?y=z}?${env:A}=1", "/a&b/= ö?a&b/= ö=1"),
    ],
)
def test_a_secret_is_percent_encoded_in_the_value_of_a_parameter_only(target: str, sent: str) -> None:
    template = compile_text(HOST + target, {}, "url").with_secrets(lambda _: "a&b/= ö")
    assert template.fill(template.values(document(a="${env:B}"))) == HOST + sent


def test_a_secret_is_put_into_a_header_as_it_is() -> None:
    template = compile_text("Key ${env:A} {{ data.a }}", {}, "header").with_secrets(lambda _: "a&b/=${env:A}")
    assert template.render(document(a="${env:A}")) == "Key a&b/=${env:A} ${env:A}"


def test_fixed_text_is_left_as_it_is() -> None:
    template = compile_text("x" * 9000 + " ", {}, "header")
    assert template.is_fixed
    assert template.render({}) == "x" * 9000 + " "


FINDINGS = [
    ("https://{{ data.severity }}.example.com/", "url", ["url-host-invalid"], "{{ data.severity }}"),
    ("{{ data.severity }}://x/", "url", ["url-host-invalid"], "{{ data.severity }}"),
    ("https://h.example.com{{ data.severity }}", "url", ["url-host-invalid"], "{{ data.severity }}"),
    (HOST + "/?{{ data.severity }}", "url", ["template-unsafe"], "{{ data.severity }}"),
    (HOST + "/?a=1&b{{ data.severity }}=2", "url", ["template-unsafe"], "{{ data.severity }}"),
    (HOST + "/?a=1;{{ data.severity }}=2", "url", ["template-unsafe"], "{{ data.severity }}"),
    (HOST + "/${env:{{ data.severity }}}", "url", ["secret-malformed"], "${env:"),
    (HOST + "/{{ '${env:A}' }}", "url", ["secret-misplaced"], "${env:A}"),
    ("{{ '${env:A}' }}", "header", ["secret-misplaced"], "${env:A}"),
    ("{% if data.severity %}a{% endif %}", "header", ["template-unsafe"], "{% if data.severity %}"),
    ("{% for g in data.groups %}a{% endfor %}", "header", ["template-unsafe"], "{% for g in data.groups %}"),
    ("a {# b #}", "header", ["template-unsafe"], "{# b #}"),
    ("a {{- data.severity }}", "header", ["template-unsafe"], " "),
    ("{{ data.severity", "header", ["template-syntax"], "{{"),
    ("{{ data.severty }}", "header", ["template-unknown-path"], "data.severty"),
    ("{{ data.note }}", "header", ["template-optional-path"], "data.note"),
    (HOST + "/{{ data.title }}", "url", ["template-optional-path"], "data.title"),
    ("{{ data.request }}", "header", ["template-not-text"], "data.request"),
    ("{{ data.groups | default('') }}", "header", ["template-not-text"], "data.groups"),
    ("{{ 'a' if data.count == 3 else data.groups }}", "header", ["template-not-text"], "data.groups"),
    ("{{ data.count | upper }}", "header", ["template-kind"], "data.count"),
    ("{{ data.severity | nope }}", "header", ["template-filter"], "nope"),
    (HOST + "/{{ data.severity | default('') }}/{{ '' }}", "url", ["template-not-text"], "''"),
]


@pytest.mark.parametrize(("text", "place", "rules", "marked"), FINDINGS)
def test_findings(access: EventType, text: str, place: Literal["header", "url"], rules: list[str], marked: str) -> None:
    problems = check_text(text, access, {}, place)
    assert [problem.rule for problem in problems] == rules
    assert text[problems[0].start : problems[0].end] == marked


@pytest.mark.parametrize(
    "text",
    [text for text, _, rules, _ in FINDINGS if rules[0] in {"url-host-invalid", "template-unsafe", "secret-malformed"}],
)
def test_what_is_refused_at_review_does_not_compile(text: str) -> None:
    with pytest.raises(TemplateError):
        compile_text(text, {}, "url")


@pytest.mark.parametrize(
    "text",
    [
        "/{{ data.severity }}",
        "/${env:A/b?c}/{{ data.severity }}?q={{ data.count }}&r=${env:B}{{ data.count }}",
        "?q={{ data.title | default('') }}",
        "/x",
    ],
)
def test_what_may_be_written(access: EventType, text: str) -> None:
    assert check_text(HOST + text, access, {}, "url") == []


def test_filters_of_plugins_are_used(access: EventType) -> None:
    filters = {"shout": FilterType(name="shout", summary="", call=lambda value: f"{value}!")}
    assert check_text("{{ data.severity | shout }}", access, filters, "header") == []
    template: TextTemplate = compile_text("{{ data.severity | shout }}", filters, "header")
    assert template.render(access.mock) == "High!"


def test_the_url_rules_see_the_fixed_text_at_its_place() -> None:
    url = "https://u@h.example.com/{{ data.a }} b"
    plain = blanked(url)
    assert plain == "https://u@h.example.com/xxxxxxxxxxxx b"
    assert [(problem.rule, url[problem.start : problem.end]) for problem in check_url(plain)] == [
        ("url-user-info", "u@"),
        ("url-character", " "),
    ]
    assert blanked(HOST) == HOST
    assert blanked("{{ a") is None
