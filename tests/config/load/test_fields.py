"""Fields at hand instead of YAML: what no file could hold is found all the same."""

from __future__ import annotations

from typing import Any

import pytest

from hookctl.config.load import load_fields
from hookctl.config.load.composer import MAX_DEPTH
from hookctl.config.load.files import MAX_BYTES
from hookctl.config.load.loader import load_text
from hookctl.model import Finding, Webhook


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"labels": nested(MAX_DEPTH)}, "yaml-depth"),
        ({"labels": nested(900)}, "yaml-depth"),
        ({"labels": {"a": [2**64]}}, "yaml-ambiguous-number"),
        ({"labels": -(10**4000)}, "yaml-ambiguous-number"),
        ({"description": "x" * MAX_BYTES}, "file-too-large"),
    ],
)
def test_beyond_what_a_file_holds(fields: dict[str, Any], rule: str) -> None:
    found = load_fields("plan.json", {"name": "Siem", **fields})
    assert isinstance(found, Finding)
    assert (found.rule, found.webhook, found.path) == (rule, "Siem", "plan.json")


@pytest.mark.parametrize("fields", [{"a": nested(MAX_DEPTH - 1)}, {"a": 2**64 - 1}, {"a": -(2**63)}, {"a": True}])
def test_what_a_file_holds(fields: dict[str, Any]) -> None:
    webhook = load_fields("plan.json", fields)
    assert isinstance(webhook, Webhook)
    assert webhook.fields == fields


@pytest.mark.parametrize(("depth", "count"), [(MAX_DEPTH - 1, 0), (MAX_DEPTH, 1)])
def test_the_depth_is_that_of_files(depth: int, count: int) -> None:
    text = f"labels: {'[' * depth}x{']' * depth}\n"
    assert [finding.rule for finding in load_text("a.yaml", text).findings] == ["yaml-depth"] * count
    assert isinstance(load_fields("a.yaml", {"labels": nested(depth)}), Finding) is bool(count)
