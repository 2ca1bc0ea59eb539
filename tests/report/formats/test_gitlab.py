"""GitLab's code quality report: valid by what GitLab documents, with fingerprints that survive an edit above."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.model import Span
from hookctl.report.formats.annotations import Annotation
from hookctl.report.formats.gitlab import code_quality

DOCUMENTED = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "additionalProperties": False,
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "additionalProperties": False,
                "properties": {
                    # Relative to the repository, and not prefixed with `./`.
                    "path": {"type": "string", "pattern": "^(?!\\./)(?!/)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "additionalProperties": False,
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
"""https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format, as a JSON Schema."""
WEBHOOK = "name: Siem\nevent: anomaly\nurl: http://siem.example.com/\n"
VALID = WEBHOOK.replace("http:", "https:")
Run = Callable[..., Any]
Project = Callable[..., Path]


def valid(text: str) -> list[dict[str, Any]]:
    """The issues of a report, which must be valid and have fingerprints that differ."""
    issues: list[dict[str, Any]] = json.loads(text)
    jsonschema.validate(issues, DOCUMENTED, cls=jsonschema.Draft202012Validator)
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    return issues


def annotation(message: str = "m", span: Span | None = None, **fields: Any) -> Annotation:
    known = {"rule": "wrong-value", "is_error": True, "advice": ("Do it.",), "path": "webhooks.d/a.yaml"}
    return Annotation(message=message, span=span, **{**known, **fields})


def test_an_issue() -> None:
    error, warning = valid(code_quality([annotation(span=Span(3, 6, 4, 1)), annotation("n", is_error=False)]))
    fingerprint = error.pop("fingerprint")
    assert error == {
        "description": "m. Do it.",
        "check_name": "wrong-value",
        "severity": "major",
        "location": {"path": "webhooks.d/a.yaml", "lines": {"begin": 3}},
    }
    assert (warning["severity"], warning["location"]["lines"]) == ("minor", {"begin": 1})
    assert fingerprint != warning["fingerprint"]


def test_the_schema_can_refuse() -> None:
    with pytest.raises(jsonschema.ValidationError):
        valid(code_quality([annotation(path="/etc/a.yaml")]))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.builds(annotation, st.sampled_from("ab"), path=st.sampled_from("ab")), max_size=6), st.data())
def test_fingerprints_differ_and_do_not_depend_on_lines(found: list[Annotation], data: st.DataObject) -> None:
    lines = data.draw(st.lists(st.integers(1, 9), min_size=len(found), max_size=len(found)))
    moved = [
        annotation(one.message, Span(line, 1, line, 2), path=one.path) for one, line in zip(found, lines, strict=True)
    ]
    before, after = valid(code_quality(found)), valid(code_quality(moved))
    assert [issue["fingerprint"] for issue in before] == [issue["fingerprint"] for issue in after]


def test_an_edit_above_moves_the_line_and_keeps_the_fingerprint(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": WEBHOOK})
    (before,) = valid(run_cli("validate", "--format", "gitlab", cwd=root).stdout)
    (root / "webhooks.d/a.yaml").write_text("# Ours.\n" + WEBHOOK)
    (after,) = valid(run_cli("validate", "--format", "gitlab", cwd=root).stdout)
    assert (before["location"]["lines"]["begin"], after["location"]["lines"]["begin"]) == (3, 4)
    assert before["fingerprint"] == after["fingerprint"]
    assert (before["check_name"], before["severity"]) == ("url-scheme", "major")


@pytest.mark.parametrize(
    ("rule", "files"),
    [
        ("yaml-duplicate-key", {"a.yaml": f"{VALID}status: active\nstatus: active\n"}),
        ("name-duplicate", {"a.yaml": VALID, "b.yaml": VALID}),
        ("file-not-text", {"a.yaml": f"{VALID}description: ".encode() + b"\xff\n"}),
    ],
)
def test_a_message_that_names_a_position_does_not_change_the_fingerprint(
    run_cli: Run, project: Project, rule: str, files: dict[str, str | bytes]
) -> None:
    root = project({"webhooks.d/a.yaml": VALID})
    issues = []
    for edit in (b"", b"# Ours.\n\n"):
        for name, text in files.items():
            whole = text if isinstance(text, bytes) else text.encode()
            (root / "webhooks.d" / name).write_bytes(edit + whole)
        issues += valid(run_cli("validate", "--format", "gitlab", cwd=root).stdout)
    before, after = issues
    assert (before["check_name"], before["fingerprint"]) == (rule, after["fingerprint"])
    assert before["description"] != after["description"]


def test_messages_that_name_positions_are_distinguished_by_webhook() -> None:
    found = [annotation(rule="against", path="webhooks.d", webhook=name) for name in ("A", "B", "B")]
    alone = [annotation(rule="against", message="n", path="webhooks.d", webhook="B")]
    assert valid(code_quality(alone))[0]["fingerprint"] == valid(code_quality(found))[1]["fingerprint"]


def test_a_plan_and_a_policy(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": VALID, "hookctl.toml": "[policies.owner_label]\n"})
    result = run_cli("plan", "--format", "gitlab", cwd=root)
    (issue,) = valid(result.stdout)
    assert (result.exit_code, issue["check_name"]) == (1, "policy/owner_label")


def test_nothing_found_is_an_empty_report(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": VALID})
    assert valid(run_cli("validate", "--format", "gitlab", cwd=root).stdout) == []
