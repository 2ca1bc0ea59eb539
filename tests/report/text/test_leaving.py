"""Fields that newly leave: all of them, grouped, with personal data first."""

from __future__ import annotations

import pytest

from hookctl.config.effects import Leaving
from hookctl.config.effects.personal import personal_among
from hookctl.model import Json
from hookctl.plugin.host import load_plugins
from hookctl.report.text.leaving import leaving_text


@pytest.mark.parametrize(
    ("fields", "personal", "text"),
    [
        (("data.title",), (), "data.title"),
        (("data.a.x", "data.a.y", "data.title"), (), "data.title; data.a.*: x, y"),
        (
            ("data.id", "data.requester.email", "data.requester.id", "data.requester.name", "event_time"),
            ("data.requester.email", "data.requester.id", "data.requester.name"),
            "data.requester.*: email, id, name (personal); data.id; event_time",
        ),
        (
            ("data.user.id", "data.user.mail", "data.user.size"),
            ("data.user.mail",),
            "data.user.mail (personal); data.user.*: id, size",
        ),
        (("data.groups[*].id", "data.groups[*].name"), (), "data.groups[*].*: id, name"),
        (('data["a.b"]', 'data["c d"].e', "data[*]"), (), 'data["a.b"]; data["c d"].e; data[*]'),
        (tuple(f"data.f{n:02}" for n in range(40)), (), f"data.*: {', '.join(f'f{n:02}' for n in range(40))}"),
        (("data.\u202ex",), (), "data.\\u202ex"),
    ],
)
def test_groups(fields: tuple[str, ...], personal: tuple[str, ...], text: str) -> None:
    assert leaving_text(Leaving("siem.example.com", "anomaly", fields, personal)) == text


def test_what_a_schema_marks() -> None:
    person: Json = {"type": ["object", "null"], "x-personal": True, "properties": {"name": {"type": "string"}}}
    schema: dict[str, Json] = {
        "properties": {
            "data": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "mail": {"type": "string", "x-personal": True},
                    "a.b": {"type": "string", "x-personal": True},
                    "not": {"type": "string", "x-personal": False},
                    "people": {"type": "array", "items": {"$ref": "#/$defs/person"}},
                },
            }
        },
        "$defs": {"person": person},
    }
    marked = ('data["a.b"]', "data.mail", "data.people[*].name", "data.people[0].x")
    assert personal_among(schema, ("data.absent", "data.id", *marked, "data.not")) == marked


def test_the_built_in_types_mark_people() -> None:
    schema = load_plugins().event_types["anomaly"].schema
    fields = ("data.id", "data.requester.email", "data.requester.id", "data.requester.name", "data.resource.name")
    assert personal_among(schema, fields) == fields[1:4]
