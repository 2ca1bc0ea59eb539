"""Warnings that a comment ignores, and comments that ignore nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.config import directory as checking
from hookctl.config.check.catalog import IGNORABLE, RULES
from hookctl.config.check.ignores import MAX_IDS
from hookctl.config.directory import CheckedDirectory, check_contents, check_directory, check_revision
from hookctl.model import Severity
from hookctl.plugin.host import load_plugins

PLUGINS = load_plugins()
BASE = "name: A\nevent: anomaly\nurl: https://a.example.com/x\n"
BODY = 'body_template: |\n  {"a": "{{ data.resource.name }}",\n   "b": "{{ data.recommendation }}"}\n'
"""Two values that an event may lack: two warnings."""
OPTIONAL = "template-optional-path"


def checked(text: str) -> CheckedDirectory:
    return check_contents([("a.yaml", text.encode())], Path(), PLUGINS)


def rules(text: str) -> list[str]:
    return [finding.rule for finding in checked(text).findings]


def test_a_comment_above_a_block_ignores_its_warnings() -> None:
    found = checked(f"{BASE}# hookctl: ignore[{OPTIONAL}] the target accepts null\n{BODY}")
    assert found.findings == ()
    assert [(one.rule, one.ignored, one.span.line if one.span else 0) for one in found.ignored] == [
        (OPTIONAL, "the target accepts null", 6),
        (OPTIONAL, "the target accepts null", 7),
    ]


def test_a_comment_at_the_end_of_a_line_covers_that_line() -> None:
    when = "when: data.severity == 'Critical'"
    assert rules(f"{BASE}{when}\n") == ["never-matches"]
    assert rules(f"{BASE}{when} # hookctl: ignore[never-matches] soon\n") == []
    assert rules(f"{BASE}{when}\nstatus: active # hookctl: ignore[never-matches] soon\n") == [
        "never-matches",
        "ignore-unused",
    ]


def test_in_a_block_scalar_a_comment_is_text() -> None:
    body = BODY.replace('  {"a"', f'  # hookctl: ignore[{OPTIONAL}] why\n  {{"a"')
    assert "template-not-json" in rules(BASE + body)


def test_one_comment_ignores_several_rules() -> None:
    text = f"{BASE}# hookctl: ignore[never-matches, {OPTIONAL}] soon\nwhen: data.severity == 'Critical'\n"
    found = checked(text)
    assert [finding.rule for finding in found.ignored] == ["never-matches"]
    assert [(finding.rule, finding.span.column if finding.span else 0) for finding in found.findings] == [
        ("ignore-unused", 34)
    ]


def test_an_error_is_never_ignored() -> None:
    text = f"{BASE}# hookctl: ignore[template-not-json] why\nbody_template: '{{'\n"
    found = checked(text)
    assert [finding.rule for finding in found.findings] == ["template-not-json"]
    assert found.ignored == ()
    assert not found.valid


def test_a_rule_that_is_sometimes_a_warning_can_be_ignored() -> None:
    body = """body_template: '{"x": "{ \\"a\\": \\"{{ data.request.id }}\\" \\"b\\": 1 }"}'\n"""
    assert rules(BASE + body) == ["template-not-json"]
    assert rules(f"{BASE}# hookctl: ignore[template-not-json] prose\n{body}") == []


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("secret-literal", "headers: {X-Token: abcd1234efgh}"),
        ("secret-literal", """body_template: '{"token": "abcd1234efgh"}'"""),
        ("secret-literal", "form: {password: abcd1234efgh}"),
        ("secret-misplaced", "description: uses ${HOME}"),
    ],
)
def test_a_warning_about_secrets_can_be_ignored(rule: str, line: str) -> None:
    assert rules(f"{BASE}{line}\n") == [rule]
    assert rules(f"{BASE}{line} # hookctl: ignore[{rule}] it is public\n") == []


@pytest.mark.parametrize(
    ("rule", "lines"),
    [
        ("secret-literal", "auth:\n  type: bearer\n  token: abcd1234efgh # hookctl: ignore[secret-literal] why\n"),
        ("secret-misplaced", "# hookctl: ignore[secret-misplaced] why\ndescription: uses ${env:HOME}\n"),
    ],
)
def test_an_error_about_secrets_cannot(rule: str, lines: str) -> None:
    found = checked(BASE + lines)
    assert [finding.rule for finding in found.findings] == [rule]
    assert not found.valid


def test_without_a_reason_nothing_is_ignored() -> None:
    assert rules(f"{BASE}# hookctl: ignore[{OPTIONAL}]\n{BODY}") == ["ignore-without-reason", OPTIONAL, OPTIONAL]


def test_a_similar_rule_is_suggested() -> None:
    (finding,) = checked(f"{BASE}status: active # hookctl: ignore[template-optional] why\n").findings
    assert finding.rule == "ignore-unknown-rule"
    assert finding.suggestions[0] == OPTIONAL


@pytest.mark.parametrize("rule", sorted(set(RULES) - IGNORABLE))
def test_no_other_rule_can_be_ignored(rule: str) -> None:
    assert rules(f"{BASE}status: active # hookctl: ignore[{rule}] why\n") == ["ignore-error"]


def test_an_unused_comment_is_not_reported_next_to_an_error() -> None:
    found = checked(f"{BASE}status: wrong # hookctl: ignore[never-matches] why\n")
    assert not found.valid
    assert len(found.findings) == 1


def test_the_number_of_ids_is_limited() -> None:
    found = rules(BASE + "# hookctl: ignore[never-matches] why\n" * 5_000)
    assert found.count("ignore-unused") <= MAX_IDS
    assert found[-1] in {"ignore-syntax", "more-findings"}


def test_a_revision_and_the_cache_respect_comments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "CACHED_FROM", 1)
    directory, cache = tmp_path / "webhooks.d", tmp_path / "cache"
    directory.mkdir()
    text = f"{BASE}# hookctl: ignore[{OPTIONAL}] null is fine\n{BODY}"
    (directory / "a.yaml").write_text(text)
    first, second = (check_directory(directory, PLUGINS, cache=cache) for _ in range(2))
    assert first.findings == second.findings == ()
    assert first.ignored == second.ignored
    assert [one.ignored for one in second.ignored] == ["null is fine"] * 2
    author = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    _, revision = check_revision(directory, "HEAD", PLUGINS)
    assert revision.findings == ()
    assert len(revision.ignored) == 2


TEXTS = [
    f"{BASE}{BODY}",
    f"{BASE}when: data.severity == 'Critical'\nheaders:\n  X-A: '1'\n  X-B: \"two\"\nlabels: {{a: b,\n  c: d}}\n",
    f"{BASE}response_validators:\n  - json_path: $.data.ok\n    expected_values:\n    - a\n    - b\n",
]


@given(
    text=st.sampled_from(TEXTS),
    where=st.integers(0, 12),
    ids=st.lists(st.sampled_from([*sorted(RULES), "no-such-rule", ""]), max_size=3),
    reason=st.text(st.characters(codec="utf-8", categories=["L", "P", "Zs"]), max_size=10),
    alone=st.booleans(),
    indent=st.integers(0, 6),
)
def test_a_comment_never_changes_the_plan(
    text: str, where: int, ids: list[str], reason: str, *, alone: bool, indent: int
) -> None:
    lines = text.split("\n")
    where = min(where, len(lines) - 1)
    comment = f"# hookctl: ignore[{','.join(ids)}] {reason}"
    in_body = "body_template: |" in lines[:where]
    if in_body:  # in a block scalar it would be text
        return
    if alone or lines[where].endswith("|"):
        lines.insert(where, " " * indent + comment)
    else:
        lines[where] += f" {comment}"
    before, after = checked(text), checked("\n".join(lines))
    assert {name: plan.digest for name, plan in after.plans.items()} == {
        name: plan.digest for name, plan in before.plans.items()
    }
    assert after.valid
    own = [one for one in after.findings if one.rule.startswith("ignore-")]
    assert all(one.severity is Severity.WARNING for one in own)
    assert len(after.findings) - len(own) + len(after.ignored) == len(before.findings)


def in_directory(root: Path, **files: str) -> CheckedDirectory:
    """A directory with these webhook files, whose names have no suffix, checked."""
    folder = root / "webhooks.d"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return check_directory(folder, PLUGINS)


def test_a_comment_in_defaults_covers_what_the_webhooks_have_from_them(tmp_path: Path) -> None:
    comment = f"# hookctl: ignore[{OPTIONAL}] the target accepts null\n"
    found = in_directory(tmp_path, defaults=comment + BODY, a=BASE, b=BASE.replace("name: A", "name: B"))
    assert found.findings == ()
    assert [(Path(one.path).name, one.span.line if one.span else 0, one.ignored) for one in found.ignored] == [
        ("defaults.yaml", 3, "the target accepts null"),
        ("defaults.yaml", 4, "the target accepts null"),
    ]
    assert len(found.plans) == 2


def test_a_comment_in_defaults_does_not_cover_the_webhooks_own_fields(tmp_path: Path) -> None:
    comment = f"# hookctl: ignore[{OPTIONAL}] the target accepts null\n"
    found = in_directory(tmp_path, defaults=comment + "timeout_seconds: 5\n", a=BASE + BODY)
    places = [(Path(one.path).name, one.rule) for one in found.findings]
    assert places == [("a.yaml", OPTIONAL), ("a.yaml", OPTIONAL), ("defaults.yaml", "ignore-unused")]


EVENT = """{{
  "type": "object",
  "properties": {{
    "data": {{"type": "object", {} "properties": {{"a": {{"type": "string"}}}}}}
  }},
  "examples": [{{"id": "1", "event_type": "own", "event_time": 1, "data": {{}}}}]
}}"""


@pytest.mark.parametrize(
    ("comment", "rules", "ignored"),
    [
        ("", ["event-field-undescribed"], []),
        ("the owner", ["event-field-undescribed"], []),
        ("hookctl: ignore[event-field-undescribed] names say it", [], ["names say it"]),
        ("hookctl: ignore[event-field-undescribed]", ["event-field-undescribed", "ignore-without-reason"], []),
        ("hookctl: ignore all", ["event-field-undescribed", "ignore-syntax"], []),
        ("hookctl: ignore[never-matches] why", ["event-field-undescribed", "ignore-unused"], []),
    ],
)
def test_a_comment_in_an_event_type(tmp_path: Path, comment: str, rules: list[str], ignored: list[str]) -> None:
    (tmp_path / "events.d").mkdir()
    text = EVENT.format(f'"$comment": "{comment}",' if comment else "")
    (tmp_path / "events.d" / "own.schema.json").write_text(text)
    found = in_directory(tmp_path, a=BASE)
    assert sorted(one.rule for one in found.findings) == rules
    assert [one.ignored for one in found.ignored] == ignored
