"""Keys that an event gives: none takes the place of another."""

from __future__ import annotations

import json

import pytest

from hookctl.errors import RenderError
from hookctl.template import compile_body

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
    with pytest.raises(RenderError, match="would stand twice in one object"):
        template.render({"id": key, "event_type": key, "data": {key: 1}})
    json.loads(template.render({"id": "free", "event_type": "other", "data": {"more": 1}}))


def test_the_same_key_in_two_objects_is_no_repetition() -> None:
    body = compile_body('[{"{{ id }}": 1}, {"{{ id }}": {"{{ id }}": {{ data }}}}]', {}).render({"id": "x", "data": {"x": 9}})
    assert json.loads(body) == [{"x": 1}, {"x": {"x": {"x": 9}}}]


def test_what_an_event_says_in_prose_is_not_looked_at() -> None:
    said = '{"a": 1, "a": 2}'
    for text in ('{"{{ id }}": "{{ data }}"}', '{"{{ id }}": {{ data }}}'):
        assert json.loads(compile_body(text, {}).render({"id": "x", "data": said})) == {"x": said}


def test_numbers_of_any_length_are_no_obstacle() -> None:
    assert compile_body('{"{{ id }}": ' + "9" * 5000 + "}", {}).render({"id": "x"}) == b'{"x": ' + b"9" * 5000 + b"}"
