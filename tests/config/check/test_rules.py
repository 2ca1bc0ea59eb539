"""The catalogue of rules: complete, and true, since its examples are executed."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hookctl.config import plan_findings
from hookctl.model import Finding
from hookctl.model.rules import RULES, Rule
from hookctl.report.formats.annotations import FAILED_TEST
from hookctl.report.text.rules import rules_page

ROOT = Path(__file__).parents[3]
BASE = {"name": "SiemAnomalies", "event": "anomaly", "url": "https://siem.example.com/ingest"}
KEY = re.compile(r"^([a-z_]+):", re.MULTILINE)
NOT_SHOWN = {
    "directory-missing": "tests/config/load/test_files.py",
    "directory-empty": "tests/config/load/test_files.py",
    "file-unreadable": "tests/config/load/test_files.py",
    "file-outside": "tests/config/load/test_files.py",
    "directory-too-large": "tests/config/load/test_files.py",
    "file-not-text": "tests/config/load/test_files.py",
    "file-too-large": "tests/config/load/test_files.py",
    "yaml-byte-order": "tests/config/load/test_files.py",
    "yaml-line-break": "tests/config/load/test_documents.py",
    "more-findings": "tests/config/directory/test_many_findings.py",
    "plugin-failed": "tests/config/check/test_plugins.py",
    "policy": "tests/plugins/policy/test_asking.py",
    "protected": "tests/cli/test_safety.py",
    "removals": "tests/cli/test_safety.py",
    "drift": "tests/cli/test_drift.py",
    "against": "tests/cli/commands/test_plan_against.py",
    "test-failed": "tests/cli/test_formats.py",
}
"""Rules without a bad example, and the tests that prove them instead."""
PREFIXES = (
    "directory|file|yaml|url|template|when|json-path|expression|expected-values|validator|header|secret|unknown|"
    "name|wrong"
)
PLANS = "protected|removals|drift|against|test-failed"
NAMES = re.compile(
    rf"(?:{PREFIXES})(?:-[a-z]+)+|missing-field|out-of-range|unsupported-version|more-findings|plugin-failed|policy|never-matches|{PLANS}"
)
NO_RULES = {"header-name", "file-name", "unknown-keys"}
"""Words in the source that look like rule ids and are none."""


def whole(example: str) -> str:
    """A webhook of which the example's lines are a part; the example itself where it stands for a whole file."""
    if "---" in example or example.startswith(("- ", "#")):
        return example
    written = set(KEY.findall(example))
    return "".join(f"{key}: {value}\n" for key, value in BASE.items() if key not in written) + example + "\n"


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.bad], ids=lambda rule: rule.id)
def test_the_bad_example_breaks_the_rule_and_no_other(rule: Rule, check: Callable[..., list[Finding]]) -> None:
    assert {finding.rule for finding in check(whole(rule.bad))} == {rule.id}


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.good], ids=lambda rule: rule.id)
def test_the_good_example_breaks_no_rule(rule: Rule, check: Callable[..., list[Finding]]) -> None:
    assert check(whole(rule.good)) == []


def test_every_rule_has_a_bad_example_or_another_proof() -> None:
    assert {rule.id for rule in RULES.values() if not rule.bad} == set(NOT_SHOWN)
    for rule, proof in NOT_SHOWN.items():
        assert re.search(rf"[\"\[=]{rule}[\"\]:]", (ROOT / proof).read_text(encoding="utf-8")), (
            f"{proof} does not prove {rule}"
        )


def test_every_rule_is_told_whole() -> None:
    for rule in RULES.values():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
        assert rule.summary.endswith(".")
        assert rule.explanation.endswith(".")
        assert bool(rule.good) or not rule.bad


def strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_source_and_the_catalogue_name_the_same_rules() -> None:
    used: set[str] = set()
    for root in (ROOT / "engine", ROOT / "plugins"):
        for path in root.rglob("*.py"):
            if "rules" not in path.parts:
                used.update(text for text in strings(path) if NAMES.fullmatch(text))
    assert used - NO_RULES == set(RULES)


def test_the_page_of_rules_is_made_from_the_catalogue() -> None:
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == rules_page()


def test_whatever_is_reported_about_a_plan_or_a_test_is_in_the_catalogue() -> None:
    named = {value for name, value in vars(plan_findings).items() if name.isupper() and isinstance(value, str)} | {
        FAILED_TEST
    }
    assert named == {"against", "drift", "protected", "removals", "test-failed"}
    assert named <= set(RULES)
    tree = ast.parse(Path(plan_findings.__file__).read_text(encoding="utf-8"))
    rules = [
        keyword.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "rule"
    ]
    assert len(rules) >= 4
    assert all(isinstance(rule, ast.Name) for rule in rules), "name a rule by a constant, so that this test finds it"
