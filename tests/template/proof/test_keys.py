"""Keys that an event gives: none takes the place of another."""

from __future__ import annotations

import json

import pytest

from hookctl.errors import RenderError, TemplateError
from hookctl.plugin import EventType
from hookctl.template import check_body, compile_body

INNER = json.dumps({"message": '{"fixed": 1, "{{ id }}": 2}'})


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"fixed": 1, "{{ id }}": 2}', "fixed"),
        ('{"{{ id }}": 2, "fixed": 1}', "fixed"),
        ('{"a": [{"fixed": 1, "{{ id }}" : 2}]}', "fixed"),
        ('{"x-fixed": 1, "x-{{ id }}": 2}', "fixed"),
        ('{"{{ id }}": 1, "{{ event_type }}": 2}', "fixed"),
        ('{"{{ id | trim }}": 1, "fixed": 2}', "fixed"),
        ('{"fixed": 0{% for key, value in data | items %}, "{{ key }}": {{ value }}{% endfor %}}', "fixed"),
        ('{"k\\u00e9y": 1, "{{ id }}": 2}', "k\u00e9y"),
        (INNER, "fixed"),
        (json.dumps({"outer": INNER}), "fixed"),
    ],
)
def test_a_key_that_is_there_already_is_refused(text: str, key: str) -> None:
    template = compile_body(text, {})
    with pytest.raises(RenderError, match="would appear twice in one object"):
        template.render({"id": key, "event_type": key, "data": {key: 1}})
    json.loads(template.render({"id": "free", "event_type": "other", "data": {"more": 1}}))


def test_the_same_key_in_two_objects_is_no_repetition() -> None:
    body = compile_body('[{"{{ id }}": 1}, {"{{ id }}": {"{{ id }}": {{ data }}}}]', {}).render(
        {"id": "x", "data": {"x": 9}}
    )
    assert json.loads(body) == [{"x": 1}, {"x": {"x": {"x": 9}}}]


def test_what_an_event_says_in_prose_is_not_looked_at() -> None:
    said = '{"a": 1, "a": 2}'
    for text in ('{"{{ id }}": "{{ data }}"}', '{"{{ id }}": {{ data }}}'):
        assert json.loads(compile_body(text, {}).render({"id": "x", "data": said})) == {"x": said}


def test_numbers_of_any_length_are_no_obstacle() -> None:
    assert compile_body('{"{{ id }}": ' + "9" * 5000 + "}", {}).render({"id": "x"}) == b'{"x": ' + b"9" * 5000 + b"}"


OPEN = EventType(name="", summary="", schema={}, mock={})


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ('{"a": 1, "a": 2}', '"a"'),
        ('{"a": "{{ id }}", "b": [{"a": 1}], "a": {{ data }}}', '"a"'),
        ('[{"x": {"a": 1, "\\u0061": "{{ id }}"}}]', '"\\u0061"'),
        ('{"a": 1{% if data %}, "a": 2{% endif %}}', '"a"'),
        ('{"a": 1{% for x in data %}, "a": {{ x }}{% endfor %}}', '"a"'),
        ('{"a": 1{% if data %}, "b": 1{% endif %}, "a": 2}', '"a"'),
        (json.dumps({"message": '{"a": "{{ id }}", "a": 2}'}), json.dumps('{"a": "{{ id }}", "a": 2}')),
    ],
)
def test_a_key_that_a_template_writes_twice_is_found_by_its_text(text: str, marked: str) -> None:
    (problem,) = check_body(text, OPEN, {})
    assert (problem.rule, problem.is_error, text[problem.start : problem.end]) == (
        "template-repeated-key",
        True,
        marked,
    )
    assert problem.start == text.rindex(marked)
    with pytest.raises(TemplateError, match="the object already has the key"):
        compile_body(text, {})


@pytest.mark.parametrize(
    "text",
    [
        '[{"a": 1}, {"a": {"a": {{ data }}}}]',
        '{ {% if data %}"a": 1{% else %}"a": 2{% endif %} }',
        '{ {% if data %}"a": 1{% endif %}{% if not data %}"a": 2{% endif %} }',
        '[{% for x in data %}{"a": {{ x }} }{% if not loop.last %},{% endif %}{% endfor %}]',
        '{"a": {% if data %}{"b": 1{% else %}{"c": 1{% endif %}, "a": 2}}',
        '{"a": "a", "b": ["a", "a"]}',
    ],
)
def test_keys_that_stand_once_are_none(text: str) -> None:
    assert check_body(text, OPEN, {}) == []
