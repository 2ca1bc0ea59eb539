"""``hookctl explain`` of the errors of events and of the API. Rules and pages are tested with their texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hookctl.delivery.events.intake import MAX_EVENT_BYTES
from hookctl.delivery.events.rules import EVENT_RULES, EventRule
from hookctl.model.api_problems import PROBLEMS

Run = Callable[..., Any]


@pytest.mark.parametrize("rule", EventRule)
def test_rules_of_events(run_cli: Run, rule: EventRule) -> None:
    result = run_cli("explain", rule)
    meaning, fix = EVENT_RULES[rule]
    assert f"{rule}: the event {meaning}.\n\n{fix}\n" in result.stdout


@pytest.mark.parametrize("name", PROBLEMS)
def test_problems_of_the_api(run_cli: Run, name: str) -> None:
    status, meaning = PROBLEMS[name]
    for topic in (name, f"urn:hookctl:problem:{name}", name.upper()):
        shown = " ".join(run_cli("explain", topic).stdout.split())
        assert f"{name}: the API of `hookctl serve` answers with status {status} because {meaning}." in shown


def test_the_limit_of_an_event_is_that_of_the_gate() -> None:
    assert f"at most {MAX_EVENT_BYTES >> 20} MiB" in EVENT_RULES[EventRule.TOO_LARGE][1]


def test_the_list_and_a_wrong_name(run_cli: Run) -> None:
    listed = run_cli("explain").stdout
    assert all(name in listed for name in (*EVENT_RULES, *PROBLEMS))
    assert "Did you mean event-schema" in run_cli("explain", "event-shema").stderr
