"""Bodies and constructs that people write for other tools: what Jinja sends for them, or what to write instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from hookctl.model.problem import Problem
from hookctl.plugin import EventType
from hookctl.template import check_body, compile_body

CASES = Path(__file__).with_name("cases")
ALERT = json.loads((CASES / "alert.json").read_text(encoding="utf-8"))
EVENT = ALERT["event"]
"""An event without a text that Jinja could not paste into JSON."""
TYPE = EventType(name="alert", summary="", schema=ALERT["schema"], mock=EVENT)
BODIES: dict[str, Any] = yaml.safe_load((CASES / "bodies.yaml").read_text(encoding="utf-8"))
CONSTRUCTS: dict[str, Any] = yaml.safe_load((CASES / "constructs.yaml").read_text(encoding="utf-8"))
TABLE: dict[str, list[dict[str, str]]] = yaml.safe_load((CASES / "accepted.yaml").read_text(encoding="utf-8"))
JINJA = jinja2.Environment()  # noqa: S701 - what is rendered is JSON
JINJA.filters["to_json"] = JINJA.filters["tojson"]  # as in Ansible and Home Assistant


def errors_of(template: str) -> list[Problem]:
    return [problem for problem in check_body(template, TYPE, {}) if problem.is_error]


def jinja_json(template: str) -> Any:
    """What Jinja sends; None if it cannot render the template, or what it renders is not JSON."""
    try:
        return json.loads(JINJA.from_string(template).render(EVENT))
    except (jinja2.TemplateError, TypeError, ValueError):
        return None


def is_sent_like_jinja(template: str) -> bool:
    if errors_of(template):
        return False
    return bool(json.loads(compile_body(template, {}).render(EVENT)) == jinja_json(template))


@pytest.mark.parametrize("name", [*BODIES, *CONSTRUCTS])
def test_a_case_is_sent_as_jinja_sends_it_or_refused_with_what_to_write(name: str) -> None:
    case = {**BODIES, **CONSTRUCTS}[name]
    template, errors = case["template"], errors_of(case["template"])
    if "refused" in case:
        assert errors
        assert all(problem.hint for problem in errors)
        assert any(case["refused"] in {*problem.message.split(), problem.rule} for problem in errors)
        return
    assert errors == []
    sent = json.loads(compile_body(template, {}).render(EVENT))
    if "differs" in case:
        assert sent != jinja_json(template)
    else:
        assert sent == jinja_json(template)


def test_nine_of_ten_bodies_are_sent_unchanged() -> None:
    """Of those that Jinja renders as JSON; the others use functions of other tools."""
    possible = [case["template"] for case in BODIES.values() if jinja_json(case["template"]) is not None]
    assert len(possible) > 20
    assert sum(map(is_sent_like_jinja, possible)) >= 0.9 * len(possible)


@pytest.mark.parametrize("row", TABLE["accepted"], ids=lambda row: row.get("write", row.get("body")))
def test_what_the_page_calls_accepted_is_sent_as_jinja_sends_it(row: dict[str, str]) -> None:
    ours = row["body"] if "body" in row else f"{{{{ [{row['write']}] }}}}"
    theirs = row["body"] if "body" in row else f"{{{{ [{row['write']}] | tojson }}}}"
    assert errors_of(ours) == []
    assert json.loads(compile_body(ours, {}).render(EVENT)) == jinja_json(theirs)


@pytest.mark.parametrize("row", TABLE["refused"], ids=lambda row: row["instead"])
def test_what_the_page_calls_refused_names_what_to_write(row: dict[str, str]) -> None:
    problems = errors_of('{"a": {{ ' + row["instead"] + " }}}")
    assert problems
    assert any(row["hint"] in problem.hint for problem in problems)


def test_a_loop_over_an_object_names_the_filter_items() -> None:
    (problem,) = errors_of('[{% for key in data.labels %}"{{ key }}"{% if not loop.last %},{% endif %}{% endfor %}]')
    assert problem.hint == "Write {% for key, value in data.labels | items %}."
