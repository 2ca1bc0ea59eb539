from __future__ import annotations

from typing import Any

import pytest

from hookctl.plugin import EventType
from hookctl.template import check_body


@pytest.mark.parametrize(
    ("path", "wrong", "suggestion"),
    [
        ("data.requster.email", "data has no requster", "data.requester.email"),
        ("data.severty", "data has no severty", "data.severity"),
        ("data.requester.emial", "data.requester has no emial", "data.requester.email"),
        ("data.groups[0].nam", "data.groups[0] has no nam", "data.groups[0].name"),
        ("data.resource.nme", "data.resource has no nme", "data.resource.name"),
        ('data.requester["user_id"]', "data.requester has no user_id", 'data.requester["user-id"]'),
        ("severity", "unknown name severity", "data.severity"),
        ("dat.severity", "unknown name dat", "data"),
        ("data.severity.level", "data.severity is neither an object nor a list", ""),
        ("data.severity[0]", "data.severity is text, which has no items", ""),
        ("data.groups.name", "data.groups is a list, so it has no name", ""),
        ("loop.index", "loop exists only inside a loop", ""),
        ("data.__class__", "data has no __class__", ""),
    ],
)
@pytest.mark.parametrize(
    "form",
    ['{{"a": "{{{{ {} }}}}"}}', '{{"a": {{{{ {} | default(1) }}}}}}', "{{% if {} %}}1{{% else %}}2{{% endif %}}"],
)
def test_an_unknown_path_is_found_with_what_was_meant(
    check: Any, form: str, path: str, wrong: str, suggestion: str
) -> None:
    text = form.format(path)
    (problem,) = check(text)
    assert (problem.rule, problem.is_error) == ("template-unknown-path", True)
    assert problem.message.startswith(wrong)
    assert text[problem.start : problem.end] in {path, path.split(".", maxsplit=1)[0]}
    assert suggestion in (problem.suggestions or ("",))


@pytest.mark.parametrize(("index", "part"), [(0, ":1"), (2, "2:3"), (-1, "-1:"), (-3, "-3:-2")])
def test_one_character_of_a_text_is_a_part_of_it(check: Any, index: int, part: str) -> None:
    (problem,) = check(f'{{"a": "{{{{ data.severity[{index}] }}}}"}}')
    assert problem.hint == f"Write data.severity[{part}] for one character."
    assert check(f'{{"a": "{{{{ data.severity[{part}] }}}}"}}') == []


def test_every_place_of_an_unknown_path_is_found(check: Any) -> None:
    text = '{"a": {{ data.x }}, "b": "{{ data.x }} {{ data.severity }} {{ data.x }}"}'
    assert [text[problem.start - 3 : problem.end + 3] for problem in check(text)] == ["{{ data.x }}"] * 3


@pytest.mark.parametrize(
    "text",
    [
        (
            '{"a": "{{ data.severity }}", "b": {{ data.requester }}, "c": {{ event_time }}, '
            '"d": "{{ event_type }} {{ id }}"}'
        ),
        "[{% for g in data.groups %}{{ g.name }}{% if not loop.last %},{% endif %}{% endfor %}]",
        '{"a": {{ data.extra.anything.at.all | default(1) }}}',
        '{"a": {{ data.labels.team | default(1) }}}',
    ],
)
def test_known_paths_pass(check: Any, text: str) -> None:
    assert check(text) == []


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ('{"a": "{{ data.note }}"}', "data.note", "data.note may be missing; if so, the delivery is dead"),
        ('{"a": {{ data.title }}}', "data.title", "data.title may be missing; if so, the delivery is dead"),
        ('{"a": {{ data.resource }}}', "data.resource", "data.resource may be null; if so, null is sent"),
        ('{"a": "{{ data.resource }}"}', "data.resource", "data.resource may be null; if so, the text null is sent"),
        (
            '{"a": "{{ data.resource.name }}"}',
            "data.resource.name",
            "data.resource may be null; if so, the delivery is dead",
        ),
        (
            '{"a": "{{ data.request.approver.email }}"}',
            "data.request.approver.email",
            "data.request.approver may be missing; if so, the delivery is dead",
        ),
        (
            '{"a": "{{ data.groups[0].name }}"}',
            "data.groups[0].name",
            "data.groups[0] may be missing; if so, the delivery is dead",
        ),
        (
            '{"a": "{{ data.labels.team }}"}',
            "data.labels.team",
            "data.labels may be missing; if so, the delivery is dead",
        ),
        ('{"a": "{{ data.note | upper }}"}', "data.note", "data.note may be missing"),
        ('{"a": "{{ data.severity | default(data.note) }}"}', "data.note", "data.note may be missing"),
        ('{"a": {{ data.severity or data.note }}}', "data.note", "data.note may be missing"),
        (
            '[{% for g in data.groups %}"{{ g.tags }}"{% if not loop.last %},{% endif %}{% endfor %}]',
            "g.tags",
            "g.tags may be missing",
        ),
        (
            "[{% for g in data.groups %}{% for t in g.tags %}{% endfor %}{% endfor %}]",
            "g.tags",
            "g.tags may be missing",
        ),
    ],
)
def test_what_may_be_missing_or_null_is_a_warning_that_names_what_is_sent(
    check: Any, text: str, path: str, says: str
) -> None:
    (problem,) = check(text)
    assert (problem.rule, problem.is_error) == ("template-optional-path", False)
    assert problem.message.startswith(says)
    assert text[problem.start : problem.end] == path
    assert "default" in problem.hint


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "{{ data.note | default(\'\') }}"}',
        '{"a": {{ data.resource.name | default(none) }}}',
        '{"a": {{ data.note or "x" }}}',
        '{"a": {{ data.note if data.note else 1 }}}',
        '{"a": {{ data.note if data.note is not none else 1 }}}',
        '{ {% if data.note %}"a": "{{ data.note }}"{% endif %} }',
        '{ {% if data.request.approver.name %}"a": "{{ data.request.approver }}"{% endif %} }',
        '{ {% if data.resource %}"a": "{{ data.resource.name }}"{% endif %} }',
        '{ {% if not data.resource %}"a": 1{% else %}"a": "{{ data.resource.name }}"{% endif %} }',
        '{ {% if not data.note %}"a": 1{% elif data.severity == "High" %}"a": "{{ data.note }}"{% endif %} }',
        '{ {% if data.note and data.title %}"a": "{{ data.note }}{{ data.title }}"{% endif %} }',
        '{ {% if data.note == "x" %}"a": "{{ data.note }}"{% endif %} }',
        '{ {% if data.note in ["x", "y"] %}"a": "{{ data.note }}"{% endif %} }',
        '{ {% if data.title != none %}"a": "{{ data.title }}"{% endif %} }',
        (
            "[{% for g in data.groups %}[{% for t in g.tags | default([]) %}{{ t }}"
            "{% if not loop.last %},{% endif %}{% endfor %}],{% endfor %}1]"
        ),
    ],
)
def test_a_default_or_a_guard_leaves_no_warning(check: Any, text: str) -> None:
    assert check(text) == []


@pytest.mark.parametrize(
    "text",
    [
        '{ {% if data.note or data.title %}"a": "{{ data.note }}"{% endif %} }',
        '{ {% if not data.note %}"a": "{{ data.note }}"{% endif %} }',
        '{ {% if data.note != "x" %}"a": "{{ data.note }}"{% endif %} }',
        '{ {% if data.note == data.title %}"a": "{{ data.note }}"{% endif %} }',
        '{ {% if data.note in ["x", none] %}"a": "{{ data.note }}"{% endif %} }',
        '{ {% if data.severity %}{% for g in data.groups %}{% endfor %}{% endif %}"a": "{{ data.note }}" }',
    ],
)
def test_a_condition_that_proves_nothing_leaves_the_warning(check: Any, text: str) -> None:
    assert "template-optional-path" in {problem.rule for problem in check(text)}


def test_a_loop_over_what_is_no_list_is_found(check: Any) -> None:
    (problem,) = check("[{% for x in data.severity %}{% endfor %}]")
    assert (problem.rule, problem.message) == ("template-unknown-path", "data.severity is not a list")


def test_a_filter_on_a_value_of_the_wrong_kind_is_found(check: Any) -> None:
    text = '{"a": {{ data.severity | round }}}'
    (problem,) = check(text)
    assert problem.rule == "template-kind"
    assert problem.message == "the filter round does not accept a string, which data.severity is"
    assert problem.hint == "Put `int` or `float` before the filter."
    assert text[problem.start : problem.end] == "data.severity"


def test_the_mock_event_shows_what_the_schema_does_not() -> None:
    loose = EventType(name="loose", summary="", schema={}, mock={"data": {"severity": "High"}})
    text = '{"a": {{ data.severity | round }}}'
    (problem,) = check_body(text, loose, {})
    assert problem.rule == "template-mock-event"
    assert "round takes a number, but the value is a string" in problem.message
    assert text[problem.start : problem.end] == "data.severity | round"
    (problem,) = check_body("{% if data.severity > 1 %}1{% else %}2{% endif %}", loose, {})
    assert "a string cannot be compared with a number" in problem.message


def test_an_event_type_of_which_nothing_is_known_gives_no_findings_about_paths() -> None:
    unknown = EventType(name="", summary="", schema={}, mock={})
    assert check_body('{"a": {{ data.x.y }}, "b": "{{ id }}"}', unknown, {}) == []
    assert check_body('{"a": {{ data.x | round }}}', unknown, {}) == []
    assert [problem.rule for problem in check_body('{"a": {{ data.x }},}', unknown, {})] == ["template-not-json"]


def test_alternatives_references_and_merged_schemas_are_followed() -> None:
    schema: dict[str, Any] = {
        "properties": {
            "data": {
                "oneOf": [
                    {
                        "properties": {
                            "a": {
                                "allOf": [
                                    {"$ref": "#/$defs/a"},
                                    {"properties": {"more": {"type": "string"}}, "required": ["more"]},
                                ]
                            }
                        },
                        "required": ["a"],
                    },
                    {
                        "properties": {"a": {"properties": {"more": {}, "x": {}}, "required": ["more", "x"]}, "b": {}},
                        "required": ["a", "b"],
                    },
                ]
            },
            "id": {"$ref": "#/$defs/loop"},
        },
        "required": ["data"],
        "$defs": {
            "a": {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]},
            "loop": {"$ref": "#/$defs/loop"},
        },
    }
    event_type = EventType(name="t", summary="", schema=schema, mock={})

    def rules(path: str) -> list[str]:
        return [problem.message for problem in check_body('{"a": {{ ' + path + " }}}", event_type, {})]

    assert rules("data.a.more") == []
    assert rules("data.a.x") == []
    assert rules("data.b") == ["data.b may be missing; if so, the delivery is dead"]
    assert rules("data.c") == ["data has no c"]
    assert rules("data.a.y") == ["data.a has no y"]
    assert rules("id.anything") == ["id may be missing; if so, the delivery is dead"]
