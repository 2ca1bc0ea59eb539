"""Bodies opened up, so that a change of them is shown by keys, lines and elements."""

from __future__ import annotations

from collections.abc import Callable
from json import dumps, loads
from typing import Any

import pytest

from hookctl.config.effects import Effects
from hookctl.config.effects.bodies import open_body
from hookctl.config.effects.structure import Masked
from hookctl.model import BodyFormat, DeliveryPlan

Build = Callable[..., DeliveryPlan]


@pytest.mark.parametrize(
    ("body_format", "body", "opened"),
    [
        (BodyFormat.JSON, b'{"a": [1]}', {"a": [1]}),
        (BodyFormat.JSON, b"not JSON", "not JSON"),
        (BodyFormat.NDJSON, b'{"a":1}\n"b"\n', [{"a": 1}, "b"]),
        (BodyFormat.TEXT, b"one\ntwo\n", ["one", "two"]),
        (
            BodyFormat.XML,
            b'<?xml version="1.0"?><a x="1">\n<b>t&amp;</b><b y="2"/><n:c xmlns:n="u">z</n:c></a>',
            {
                "/a": "",
                "/a/@x": "1",
                "/a/b": "t&",
                "/a/b[2]": "",
                "/a/b[2]/@y": "2",
                "/a/n:c": "z",
                "/a/n:c/@xmlns:n": "u",
            },
        ),
        (BodyFormat.XML, b"<a>", "<a>"),
        (BodyFormat.XML, b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    ],
)
def test_a_body_by_its_format(body_format: BodyFormat, body: bytes, opened: Any, delivery_plan: Build) -> None:
    assert open_body(body, delivery_plan(body_format=body_format)) == opened


def test_a_form_by_its_fields(delivery_plan: Build) -> None:
    plan = delivery_plan(body_template=None, form={"a": "{{ id }}", "b": "${env:KEY}", "c": ""})
    opened = open_body(b"a=1%262&b=***&c=", plan, b"a=1%262&b=secret%3Akey&c=")
    assert opened == {"a": "1&2", "b": Masked("***", "secret:key"), "c": ""}


@pytest.mark.parametrize(
    ("fields", "breaks"),
    [
        ({"form": {"title": "x"}}, ("object", "a form")),
        ({"body_template": "<title>x</title>", "body_format": BodyFormat.XML}, ("object", "XML")),
        ({"body_template": "x", "body_format": BodyFormat.TEXT}, ("object", "lines of text")),
        ({"body_template": '[{"title": "x"}]', "body_format": BodyFormat.NDJSON}, ("object", "lines of JSON")),
    ],
)
def test_another_format_is_another_type(
    fields: dict[str, Any], breaks: tuple[str, str], effects_of: Callable[..., Effects], delivery_plan: Build
) -> None:
    before = delivery_plan(body_template='{"title": "x"}', headers={"Content-Type": "application/octet-stream"})
    after = delivery_plan(**{"body_template": None, "headers": dict(before.headers), **fields})
    (change,) = effects_of([before], [after]).changes.values()
    assert [(found.path, found.before, found.after) for found in change.breaks] == [((), *breaks)]


@pytest.mark.parametrize(
    ("fields", "path", "body"),
    [
        ({"form": {"id": "{{ id }}", "key": "${env:A}"}}, ("key",), b"id=%s&key=***"),
        (
            {"body_format": BodyFormat.NDJSON, "body_template": '[{"id": "{{ id }}"}, {"key": "${env:A}"}]'},
            (1, "key"),
            b'{"id":"%s"}\n{"key":"***"}\n',
        ),
        ({"body_format": BodyFormat.TEXT, "body_template": "{{ id }}\nkey ${env:A}"}, (1,), b"%s\nkey ***"),
        (
            {"body_format": BodyFormat.XML, "body_template": "<a id='{{ id }}'><b>${env:A}</b></a>"},
            ("/a/b",),
            b"<a id='%s'><b>***</b></a>",
        ),
        (
            {"body_format": BodyFormat.XML, "body_template": "<a id='{{ id }}' key='${env:A}'>***</a>"},
            ("/a/@key",),
            b"<a id='%s' key='***'>***</a>",
        ),
    ],
)
def test_only_the_text_whose_secret_is_another_is_a_difference(
    fields: dict[str, Any],
    path: tuple[str | int, ...],
    body: bytes,
    effects_of: Callable[..., Effects],
    delivery_plan: Build,
) -> None:
    before = delivery_plan(**{"body_template": None, **fields})
    after = DeliveryPlan.from_json(loads(dumps(before.to_json()).replace("env:A", "file:/x&<y")))
    (change,) = effects_of([before], [after]).changes.values()
    assert change.requests is not None
    (shown,) = change.requests.shown
    assert [step.path for step in shown.steps if not step.same] == [("body", *path)]
    assert shown.before.body == shown.after.body == body % shown.event_id.encode()
