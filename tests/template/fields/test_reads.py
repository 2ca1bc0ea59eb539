"""Which fields of an event a template reads."""

from __future__ import annotations

from typing import Any

import pytest

from hookctl.errors import TemplateError
from hookctl.plugin import EventType
from hookctl.template import EventFields, check_body, compile_body, paths_of
from hookctl.template.language import grammar
from hookctl.template.language.reading import Reading

NODE: dict[str, Any] = {"type": "object", "properties": {"name": {"type": "string"}, "child": {"$ref": "#/$defs/node"}}}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "event_type": {"const": "x"},
        "event_time": {"type": "number"},
        "data": {
            "type": "object",
            "properties": {
                "title": {"type": "string"},
                "user": {"type": "object", "properties": {"name": {"type": "string"}, "e-mail": {"type": "string"}}},
                "groups": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "id": {"type": "string"},
                            "tags": {"type": "array", "items": {"type": "string"}},
                        },
                    },
                },
                "free": {"type": "object", "additionalProperties": True},
                "either": {
                    "anyOf": [
                        {"type": "object", "properties": {"a": {"type": "string"}}},
                        {"type": "object", "properties": {"b": {"type": "string"}}},
                    ]
                },
            },
        },
    },
    "$defs": {"node": NODE},
}


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("{}", []),
        ('{"a": "{{ data.title }}", "b": "{{ id }} {{ data.title }}"}', ["data.title", "id"]),
        ('{"a": {{ data.user }}}', ['data.user["e-mail"]', "data.user.name"]),
        ('{"a": {{ data.groups }}}', ["data.groups[*].id", "data.groups[*].tags[*]"]),
        ('{"a": {{ data.groups[0].tags[1] }}}', ["data.groups[*].tags[*]"]),
        ('{"a": {{ data.free }}, "b": {{ data.free.x.y }}}', ["data.free", "data.free.x.y"]),
        ('{"a": {{ data.either }}}', ["data.either.a", "data.either.b"]),
        ('{"a": {{ data.groups | length }}}', ["data.groups"]),
        ('{"a": "{{ data.free.x | default(data.title) }}"}', ["data.free.x", "data.title"]),
        (
            "{\"a\": \"{{ data.groups | jmespath('[].id') | join(',') }}\"}",
            ["data.groups[*].id", "data.groups[*].tags[*]"],
        ),
        ('{"a": "{{ data.title if data.user else id }}"}', ["data.title", "data.user", "id"]),
        ('{"a": {{ data.title == id }}}', ["data.title", "id"]),
        (
            '{"a": [{% for g in data.groups %}"{{ g.id }}"{% if not loop.last %},{% endif %}{% endfor %}]}',
            ["data.groups", "data.groups[*].id"],
        ),
        (
            '{"a": [{% for g in data.groups %}{% for t in g.tags %}"{{ t }}",{% endfor %}{% endfor %}1]}',
            ["data.groups", "data.groups[*].tags", "data.groups[*].tags[*]"],
        ),
        (
            '{ {% for k, v in data.user | items %}"{{ k }}": {{ v }},{% endfor %} "z": 1}',
            ['data.user["e-mail"]', "data.user.name"],
        ),
        ("https://example.com/{{ data.title }}", ["data.title"]),
    ],
)
def test_paths(text: str, paths: list[str]) -> None:
    assert sorted(paths_of(text, EventFields(SCHEMA))) == sorted(paths)


def test_a_schema_that_refers_to_itself_ends() -> None:
    fields = EventFields({"type": "object", "properties": {"data": NODE}, "$defs": {"node": NODE}})
    paths = paths_of('{"a": {{ data }}}', fields)
    assert "data.name" in paths
    assert "data.child.child.name" in paths
    assert len(paths) < 30


def test_a_text_that_cannot_be_read() -> None:
    with pytest.raises(TemplateError):
        paths_of("{{ data.", EventFields(SCHEMA))


def test_a_template_is_read_once_for_its_check_its_effects_and_its_body(
    access: EventType, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    parse = grammar.read_with_jinja

    def counted(text: str, *, is_line: bool = False) -> Reading:
        read.append(text)
        return parse(text, is_line=is_line)

    monkeypatch.setattr(grammar, "read_with_jinja", counted)
    texts = [f'{{"number": {number}, "severity": {{{{ data.severity | lower }}}}}}' for number in range(100)]
    for text in texts:
        assert check_body(text, access, {}) == []
        compile_body(text, {})
    fields = EventFields(access.schema)
    assert {paths_of(text, fields) for text in texts} == {frozenset({"data.severity"})}
    assert read == texts
