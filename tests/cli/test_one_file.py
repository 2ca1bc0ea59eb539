"""Commands that are given a name need only that webhook's file; ignored warnings are counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hookctl.schema_files import read_schema

Project = Callable[[dict[str, str]], Path]
Run = Callable[..., Any]
GOOD = "name: Good\nevent: anomaly\nurl: https://a.example.com/x\n"
WARNED = "when: data.severity == 'Critical'"
FILES = {
    "webhooks.d/good.yaml": GOOD,
    "webhooks.d/bad.yaml": "name: Bad\nevent: anomaly\nurl: http://a.example.com/x\nstatus: on\n",
    "webhooks.d/unreadable.yaml": "name: [\n",
}
COMMANDS = [
    ["render", "Good", "--body"],
    ["test", "Good", "--scenario", "500"],
    ["plan", "--only", "Good"],
]
OTHERS = "3 errors in 2 other files; `hookctl validate` shows them all."


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_errors_in_other_files_are_counted(command: list[str], project: Project, run_cli: Run) -> None:
    alone = run_cli(*command, cwd=project({"webhooks.d/good.yaml": GOOD}))
    result = run_cli(*command, cwd=project(FILES))
    assert (result.exit_code, result.stdout) == (alone.exit_code, alone.stdout)
    assert result.stderr.splitlines() == [OTHERS, *alone.stderr.splitlines()]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_an_error_in_its_own_file_is_one(command: list[str], project: Project, run_cli: Run) -> None:
    files = FILES | {"webhooks.d/good.yaml": f"{GOOD}---\nname: Other\n"}
    result = run_cli(*command, cwd=project(files))
    assert result.exit_code == 1
    assert "webhooks.d/good.yaml:5:1: error[missing-field]" in result.stdout
    assert "webhooks.d/bad.yaml" not in result.stdout
    assert OTHERS in result.stderr


@pytest.mark.parametrize("name", ["Good", "good"])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_the_same_name_in_another_file_is_an_error(
    command: list[str], name: str, project: Project, run_cli: Run
) -> None:
    files = FILES | {"webhooks.d/same.yaml": GOOD.replace("Good", name)}
    result = run_cli(*command, cwd=project(files))
    assert result.exit_code == 1
    assert "webhooks.d/same.yaml:1:7: error[name-duplicate]" in result.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_file_that_cannot_be_read_may_have_the_name(command: list[str], project: Project, run_cli: Run) -> None:
    files = {name: text for name, text in FILES.items() if "good" not in name}
    result = run_cli(*command, cwd=project(files))
    assert result.exit_code == 1
    assert "webhooks.d/unreadable.yaml:1:7: error[yaml-syntax]" in result.stdout


def test_a_plan_of_one_webhook_leaves_those_with_errors_as_they_are(project: Project, run_cli: Run) -> None:
    other = GOOD.replace("Good", "Bad")
    root = project({"webhooks.d/bad.yaml": other})
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
    project({"webhooks.d/bad.yaml": "name: [\n", "webhooks.d/good.yaml": GOOD})
    result = run_cli("plan", "--only", "Good", "--format", "json", cwd=root)
    plan = json.loads(result.stdout)
    assert [(change["name"], change["action"]) for change in plan["changes"]] == [("Good", "create")]
    assert [*plan["unchanged"]] == ["Bad"]


def test_without_a_name_every_file_counts(project: Project, run_cli: Run) -> None:
    for command in (["test", "--scenario", "500"], ["plan"]):
        result = run_cli(*command, cwd=project(FILES))
        assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, "3 errors in 2 files.")


def test_ignored_warnings_are_counted(project: Project, run_cli: Run) -> None:
    root = project({"webhooks.d/a.yaml": f"{GOOD}{WARNED} # hookctl: ignore[never-matches] this value comes in May\n"})
    assert run_cli("validate", cwd=root).stdout == "1 webhook in 1 file, no problems found. 1 warning ignored.\n"
    document = json.loads(run_cli("validate", "--format", "json", cwd=root).stdout)
    assert (document["warning_count"], document["diagnostics"]) == (0, [])
    assert [(one["code"], one["reason"]) for one in document["ignored"]] == [
        ("never-matches", "this value comes in May")
    ]
    assert "1 warning ignored" in run_cli("validate", "--format", "markdown", cwd=root).stdout
    assert "1 warning ignored" in run_cli("plan", "--format", "markdown", cwd=root).stdout
    assert run_cli("validate", "--format", "gitlab", cwd=root).stdout == "[]\n"
    for command in ("validate", "plan"):
        log = json.loads(run_cli(command, "--format", "sarif", cwd=root).stdout)
        (result,) = log["runs"][0]["results"]
        assert result["suppressions"] == [{"kind": "inSource", "justification": "this value comes in May"}]
    plan = json.loads(run_cli("plan", "--format", "json", "--out", "plan.json", cwd=root).stdout)
    jsonschema.validate(plan, read_schema("plan.schema.json"))
    assert run_cli("apply", "plan.json", "--auto-approve", cwd=root).exit_code == 0
    assert [(one["policy"], one["reason"]) for one in plan["ignored"]] == [("never-matches", "this value comes in May")]
