"""All cases of the compliance suite of RFC 9535, through the validator's own parser and evaluation.

``jsonpath_compliance/cts.json`` is from https://github.com/jsonpath-standard/jsonpath-compliance-test-suite, commit
7be7c1fc28057c91e8eefaf197060fba7ed43acd; its licence (BSD-2-Clause) is beside it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hookctl.bounded import RESPONSE_STEPS, Budget
from hookctl.errors import BudgetError, TemplateError
from hookctl_plugins.validator.json_path_query import compile_path

SUITE = Path(__file__).parent / "jsonpath_compliance" / "cts.json"
CASES: list[dict[str, Any]] = json.loads(SUITE.read_text(encoding="utf-8"))["tests"]
ROOT = "$['data']"
_TEXT_OR_ROOT = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\$""", re.DOTALL)


def in_the_body(selector: str) -> str:
    """The selector for a document that is the body of a response. ``$`` is the root everywhere but in a text."""
    return _TEXT_OR_ROOT.sub(lambda found: found[1] or ROOT, selector)


def outcome(case: dict[str, Any]) -> str:
    """``right``, ``too costly``, or what is wrong."""
    try:
        query = compile_path(in_the_body(case["selector"]))
    except TemplateError as error:
        return "right" if case.get("invalid_selector") else f"refused: {error.message}"
    if case.get("invalid_selector"):
        return "accepted, although it is not a path"
    try:
        nodes = query.find({"data": case["document"]}, Budget(RESPONSE_STEPS))
    except BudgetError:
        return "too costly"
    values = json.dumps([node.value for node in nodes])  # as text, because True == 1
    places = [f"${node.path().removeprefix(ROOT)}" for node in nodes]
    expected = [json.dumps(result) for result in ([case["result"]] if "result" in case else case["results"])]
    expected_places = [case["result_paths"]] if "result_paths" in case else case["results_paths"]
    found = [value == values and place == places for value, place in zip(expected, expected_places, strict=True)]
    return "right" if any(found) else f"selects {values} at {places}"


def test_every_case_gives_the_right_result() -> None:
    outcomes = {case["name"]: outcome(case) for case in CASES}
    assert {name: what for name, what in outcomes.items() if what != "right"} == {}
    assert len(outcomes) == len(CASES) == 703


def test_the_suite_covers_the_regular_expressions() -> None:
    """So that a suite without them, or a rewriting that loses them, does not count."""
    calls = [case for case in CASES if re.search(r"(match|search)\(", case["selector"])]
    assert len(calls) == 56
    assert all(("match(" in in_the_body(case["selector"])) == ("match(" in case["selector"]) for case in calls)


@pytest.mark.parametrize("function", ["match", "search"])
def test_a_case_that_differs_is_noticed(function: str) -> None:
    case = next(case for case in CASES if f"{function}(" in case["selector"] and case.get("result"))
    assert outcome({**case, "result": []}).startswith("selects ")
