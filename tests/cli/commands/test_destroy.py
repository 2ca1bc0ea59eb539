"""Removing every webhook: with an emptied directory and ``--allow-removals``, and with ``hookctl destroy``."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import warm

Run = Callable[..., Any]


def webhook(name: str, more: str = "") -> str:
    return f"name: {name}\nevent: anomaly\nurl: https://siem.example.com/{name.lower()}\n{more}"


@pytest.fixture
def run(tmp_path: Path, run_cli: Run) -> Run:
    """The command line in a project with three webhooks applied."""
    (tmp_path / "webhooks.d").mkdir()
    for name in ("A", "B", "C"):
        (tmp_path / f"webhooks.d/{name.lower()}.yaml").write_text(webhook(name), encoding="utf-8")

    def run(*args: str, **rest: Any) -> Any:
        return run_cli(*args, cwd=tmp_path, **rest)

    assert run("apply", "--auto-approve").exit_code == 0
    return run


EVENT = {
    "type": "object",
    "properties": {"data": {"type": "object", "description": "What it is about."}},
    "examples": [{"id": "1", "event_type": "own", "event_time": 1, "data": {}}],
}


def test_destroy_removes_event_types_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / "events.d").mkdir()
    (tmp_path / "events.d/own.schema.json").write_text(json.dumps(EVENT), encoding="utf-8")
    assert run("apply", "--auto-approve").stdout.endswith("1 event type. The state now has serial 2.\n")
    destroyed = run("destroy", "--yes")
    assert "- event type own" in destroyed.stdout
    assert "Applied: 0 added, 0 changed, 3 removed, 1 event type." in destroyed.stdout
    assert "nothing to remove" in run("destroy", "--yes").stdout
    assert (tmp_path / "events.d/own.schema.json").exists()


def empty(tmp_path: Path) -> None:
    for file in (tmp_path / "webhooks.d").iterdir():
        file.unlink()


def test_an_emptied_directory_can_be_planned_and_applied(run: Run, tmp_path: Path) -> None:
    empty(tmp_path)
    plan = run("plan", "--detailed-exitcode")
    assert plan.exit_code == 2
    assert "Plan: 0 to add, 0 to change, 3 to remove." in plan.stdout
    assert "warning[removals]: no webhook would be left" in plan.stdout
    refused = run("apply", "--auto-approve")
    assert refused.exit_code == 1
    assert "error[removals]: no webhook would be left" in refused.stdout
    assert "hookctl apply --allow-removals" in refused.stdout
    done = run("apply", "--auto-approve", "--allow-removals")
    assert done.exit_code == 0, done.stdout + done.stderr
    again = run("plan")
    assert (again.exit_code, "directory-empty" in again.stdout) == (1, True)


def test_a_saved_plan_of_an_emptied_directory(run: Run, tmp_path: Path) -> None:
    empty(tmp_path)
    assert run("plan", "--out", "plan.json").exit_code == 0
    assert run("apply", "plan.json", "--auto-approve").exit_code == 1
    assert run("apply", "plan.json", "--auto-approve", "--allow-removals").exit_code == 0


def test_an_empty_directory_stays_an_error_elsewhere(run: Run, tmp_path: Path, run_cli: Run) -> None:
    empty(tmp_path)
    for command in ("validate", "test"):
        result = run(command)
        assert (result.exit_code, "directory-empty" in result.stdout) == (1, True)
    (tmp_path / "new/webhooks.d").mkdir(parents=True)
    for command in ("plan", "apply"):
        result = run_cli(command, "--allow-removals" if command == "apply" else "--format=text", cwd=tmp_path / "new")
        assert (result.exit_code, "directory-empty" in result.stdout) == (1, True)


def test_a_missing_directory_is_still_an_error(run: Run, tmp_path: Path) -> None:
    empty(tmp_path)
    (tmp_path / "webhooks.d").rmdir()
    result = run("apply", "--auto-approve", "--allow-removals")
    assert (result.exit_code, "directory-missing" in result.stdout) == (1, True)


def test_destroy(run: Run, tmp_path: Path) -> None:
    result = run("destroy", "--yes")
    assert result.exit_code == 0, result.stdout + result.stderr
    assert "Plan: 0 to add, 0 to change, 3 to remove." in result.stdout
    assert "removals" not in result.stdout
    assert len([*(tmp_path / "webhooks.d").iterdir()]) == 3
    assert "Plan: 3 to add, 0 to change, 0 to remove." in run("plan").stdout
    nothing = run("destroy", "--yes")
    assert (nothing.exit_code, nothing.stdout) == (0, "No webhook is applied, so there is nothing to remove.\n")


def test_destroy_as_json(run: Run) -> None:
    document = json.loads(run("destroy", "--yes", "--format", "json").stdout)
    assert [change["action"] for change in document["changes"]] == ["delete"] * 3
    assert document["outcome"]["result"] == "applied"


def test_destroy_asks_only_at_a_terminal(run: Run) -> None:
    result = run("destroy")
    assert result.exit_code == 1
    assert "add --yes" in result.stderr
    assert "3 to add" not in run("plan").stdout


@pytest.mark.parametrize(("answer", "code"), [(b"3\n", 0), (b"yes\n", 1), (b"2\n", 1), (b"\n", 1), (b"\x04", 130)])
def test_destroy_wants_the_number(run: Run, tmp_path: Path, answer: bytes, code: int) -> None:
    keyboard, terminal = pty.openpty()
    command = [sys.executable, "-m", "hookctl", "destroy"]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("HOOKCTL_")}
    with warm.Popen(
        command, cwd=tmp_path, env=ours, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as one:
        os.write(keyboard, answer)
        output, asked = one.communicate(timeout=60)
    os.close(terminal)
    os.close(keyboard)
    assert one.returncode == code, output + asked
    assert b"To remove every webhook, type the number of webhooks. Only '3' is accepted: " in asked
    assert ("3 to add" in run("plan").stdout) == (code == 0)


def test_destroy_spares_protected_webhooks(run: Run, tmp_path: Path) -> None:
    (tmp_path / "webhooks.d/a.yaml").write_text(webhook("A", "protected: true\n"), encoding="utf-8")
    assert run("apply", "--auto-approve").exit_code == 0
    result = run("destroy", "--yes")
    assert (result.exit_code, "error[protected]" in result.stdout) == (1, True)
    assert "No changes" in run("plan").stdout


def test_destroy_works_with_broken_files(run: Run, tmp_path: Path) -> None:
    (tmp_path / "webhooks.d/a.yaml").write_text("name: [", encoding="utf-8")
    assert run("destroy", "--yes").exit_code == 0
