"""Placeholders that templates would send as they are get a warning, and what to write can be read."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.template.language.parser import read
from hookctl.template.language.placeholders import placeholder_problems

FOUND = [
    ("<%= data.note %>", "ERB", "{{ data.note }}"),
    ("<%=data.note-%>", "ERB", "{{ data.note }}"),
    ("<%- @note %>", "ERB", "{{ note }}"),
    ("<%= link_to(x) %>", "ERB", "{{ data.name }}"),
    ("<%# a note %>", "ERB", "{# a note #}"),
    ("<% if data.note %>", "ERB", "{% if data.note %}"),
    ("<% unless data.note %>", "ERB", "{% if not data.note %}"),
    ("<% elsif a > b %>", "ERB", "{% elif data.name %}"),
    ("<% else %>", "ERB", "{% else %}"),
    ("<% end %>", "ERB", "{% endif %}"),
    ("<% data.groups.each do |group| %>", "ERB", "{% for group in data.groups %}"),
    ("<% x = 1 %>", "ERB", "{{ data.name }}"),
    ("{data.note}", "Python", "{{ data.note }}"),
    ("{ event_time }", "Python", "{{ event_time }}"),
    ("#{data.note}", "Ruby", "{{ data.note }}"),
    ("%{data.note}", "Terraform", "{{ data.note }}"),
]


@pytest.mark.parametrize(("written", "language", "here"), FOUND)
def test_each_has_a_name_and_a_replacement(check: Any, written: str, language: str, here: str) -> None:
    problems = [one for one in check('{"a": "text ' + written + '"}') if one.rule == "template-placeholder"]
    (problem,) = problems
    assert (problem.message, problem.start) == (f"{written} is {language}, so it is sent as it is", 12)
    assert here in problem.hint
    assert not problem.is_error


@pytest.mark.parametrize("here", sorted({here for _, _, here in FOUND if here.startswith("{{")}))
def test_each_replacement_can_be_read(here: str) -> None:
    assert read(here).problems == ()


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "{{ data.note }}"}',
        '{"a": "{{data.note}}"}',
        '{"a": {"b": {{ data.count }}}}',
        '{"a": "100 <% 5, and {x}, and ${data.note}"}',
        '{"data": {"event_type": "x"}}',
    ],
)
def test_templates_and_other_text_have_none(text: str) -> None:
    assert placeholder_problems(text) == []


@given(st.text("<%=#-> {}data.note$", max_size=60))
def test_any_text_is_accepted(text: str) -> None:
    for problem in placeholder_problems(text):
        assert re.match(r"<%|[#%]?\{", text[problem.start :])
