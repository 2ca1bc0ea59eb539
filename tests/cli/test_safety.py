"""What an apply refuses, narrows and tests first."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookctl.store.sqlite.applied import AppliedStore
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
WEBHOOK = "name: {name}\nevent: anomaly\nurl: https://siem.example.com/{name}\nbody_template: '{{}}'\n"


def webhook(name: str, more: str = "") -> str:
    return WEBHOOK.format(name=name) + more


@pytest.fixture
def root(project: Callable[..., Path], run_cli: Run) -> Path:
    root = project({f"webhooks.d/w{number}.yaml": webhook(f"W{number}") for number in range(10)})
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
    return root


def applied(root: Path) -> tuple[int, int]:
    state = AppliedStore(root / ".hookctl/hookctl.db").read()
    return state.serial, sum(plan.status.value == "active" for plan in state.plans.values())


# -- too many removals


def test_too_many_removals_are_shown_and_refused(run_cli: Run, root: Path) -> None:
    for number in range(2):
        (root / f"webhooks.d/w{number}.yaml").unlink()
        (root / f"webhooks.d/w{number + 5}.yaml").write_text(webhook(f"W{number + 5}", "status: inactive\n"))
    told = (
        "[removals]: 4 of 10 webhooks would be removed or deactivated; the limit is 30 %\n"
        "      To apply it anyway, run hookctl apply --allow-removals.\n"
    )
    planned = run_cli("plan", "--out", "plan.json", cwd=root)
    assert planned.exit_code == 0
    assert f"warning{told}" in planned.stdout
    for args in (["--auto-approve"], ["plan.json", "--auto-approve"]):
        result = run_cli("apply", *args, cwd=root)
        assert result.exit_code == 1
        assert f"error{told}" in result.stdout
        assert "Plan: 0 to add, 2 to change, 2 to remove." in result.stdout
        assert applied(root) == (1, 10)
    result = run_cli("apply", "plan.json", "--auto-approve", "--allow-removals", cwd=root)
    assert result.exit_code == 0
    assert f"warning{told}" in result.stdout
    assert applied(root) == (2, 6)


def test_a_directory_that_was_lost(run_cli: Run, root: Path) -> None:
    for path in (root / "webhooks.d").iterdir():
        path.unlink()
    (root / "webhooks.d/new.yaml").write_text(webhook("New"))
    result = run_cli("apply", "--auto-approve", cwd=root)
    assert result.exit_code == 1
    assert "error[removals]: 10 of 10 webhooks" in result.stdout


def test_a_few_are_removed_without_a_word(run_cli: Run, root: Path) -> None:
    for number in range(3):
        (root / f"webhooks.d/w{number}.yaml").unlink()
    result = run_cli("apply", "--auto-approve", cwd=root)
    assert (result.exit_code, "removals" in result.stdout) == (0, False)
    assert applied(root) == (2, 7)


def test_the_limit_is_a_setting(run_cli: Run, root: Path) -> None:
    (root / "webhooks.d/w0.yaml").unlink()
    (root / "hookctl.toml").write_text("[safety]\nremoval_percent = 5\n")
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 1
    (root / "hookctl.toml").write_text("[safety]\nremoval_percent = 5\nremoval_minimum = 11\n")
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0


@pytest.mark.parametrize(
    "setting",
    [
        "removal_percent = 101",
        "removal_percent = -1",
        "removal_percent = true",
        "removal_percent = '30'",
        "removal_minimum = 0",
        "removal_minimum = 1.5",
        "x = 1",
    ],
)
def test_settings_that_are_wrong(run_cli: Run, root: Path, setting: str) -> None:
    (root / "hookctl.toml").write_text(f"[safety]\n{setting}\n")
    result = run_cli("plan", cwd=root)
    assert result.exit_code == 1
    named = (
        "unknown setting 'x' in [safety]" if setting[0] == "x" else f"safety.{setting.split(maxsplit=1)[0]} must be "
    )
    assert f"Error: hookctl.toml: {named}" in result.stderr


def test_a_protected_webhook_whose_file_is_gone(run_cli: Run, root: Path) -> None:
    (root / "webhooks.d/w0.yaml").write_text(webhook("W0", "protected: true\n"))
    run_cli("apply", "--auto-approve", cwd=root)
    (root / "webhooks.d/w0.yaml").unlink()
    for args in (["plan"], ["apply", "--auto-approve", "--allow-removals"]):
        result = run_cli(*args, cwd=root)
        assert result.exit_code == 1
        assert "  - W0  POST https://siem.example.com/W0\n" in result.stdout
        assert "    error[protected]: a protected webhook cannot be removed\n" in result.stdout
    assert applied(root) == (2, 10)
    (root / "webhooks.d/w0.yaml").write_text(webhook("W0", "protected: true\n").replace("name: W0", "name: Renamed"))
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
    assert "Renamed" in AppliedStore(root / ".hookctl/hookctl.db").read().plans


# -- only


def test_only_some_are_applied(run_cli: Run, root: Path) -> None:
    (root / "webhooks.d/w0.yaml").write_text(webhook("W0", "timeout_seconds: 9\n"))
    (root / "webhooks.d/w1.yaml").write_text(webhook("W1", "timeout_seconds: 9\n"))
    (root / "webhooks.d/w2.yaml").unlink()
    (root / "webhooks.d/new.yaml").write_text(webhook("New"))
    result = run_cli("apply", "--only", "W0", "--only", "New", "--auto-approve", cwd=root)
    assert result.exit_code == 0
    assert "    9 left as they are: W1, W2, W3, W4, W5 and 4 more\n" in result.stdout
    assert "Only New, W0. Plan: 1 to add, 1 to change, 0 to remove.\n" in result.stdout
    plans = AppliedStore(root / ".hookctl/hookctl.db").read().plans
    assert {name for name, plan in plans.items() if plan.timeout_seconds == 9} == {"W0"}
    assert {"W2", "New"} <= set(plans)
    again = run_cli("plan", "--only", "W0", cwd=root)
    assert again.stdout == "Only W0. No changes. The applied webhooks match its files.\n"
    assert "Plan: 0 to add, 1 to change, 1 to remove." in run_cli("plan", cwd=root).stdout


def test_a_saved_plan_for_some(run_cli: Run, root: Path) -> None:
    (root / "webhooks.d/w0.yaml").unlink()
    (root / "webhooks.d/w1.yaml").unlink()
    run_cli("plan", "--only", "W0", "--out", "plan.json", cwd=root)
    assert json.loads((root / "plan.json").read_text())["only"] == ["W0"]
    assert run_cli("apply", "plan.json", "--only", "W0", cwd=root).exit_code == 64
    assert run_cli("apply", "--only", "W1", "--auto-approve", cwd=root).exit_code == 0
    stale = run_cli("apply", "plan.json", "--auto-approve", cwd=root)
    assert "the plan is stale" in stale.stderr  # another webhook's change is a change of the state
    run_cli("plan", "--only", "W0", "--out", "plan.json", cwd=root)
    assert run_cli("apply", "plan.json", "--auto-approve", cwd=root).exit_code == 0
    assert applied(root) == (3, 8)


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_name_that_is_none(run_cli: Run, root: Path, command: str) -> None:
    result = run_cli(command, "--only", "w0", cwd=root)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: there is no webhook named 'w0'\n  Did you mean W0?\n"


# -- tests first


def test_what_is_new_or_changed_is_tested_first(
    run_cli: Run, root: Path, receiver: Receiver, reaching: list[str]
) -> None:
    (root / "webhooks.d/w0.yaml").write_text(webhook("W0", "timeout_seconds: 9\n"))
    (root / "webhooks.d/w1.yaml").write_text(webhook("W1", "status: inactive\n"))
    (root / "webhooks.d/w2.yaml").write_text(webhook("W2").replace("name: W2", "name: Renamed"))
    (root / "webhooks.d/w3.yaml").unlink()
    (root / "webhooks.d/new.yaml").write_text(webhook("New"))
    result = run_cli("apply", "--test", "--auto-approve", *reaching, cwd=root)
    assert (result.exit_code, result.stderr) == (0, "")
    assert sorted(request.path for request in receiver.requests) == ["/New", "/W0"]
    plan, tests, done = (
        result.stdout.index(text) for text in ("Plan: 1 to add", "2 tests: 2 successful, 0 failed.", "Applied: 1 added")
    )
    assert plan < tests < done
    assert applied(root) == (2, 9)


def test_a_test_that_fails_keeps_it_all_from_being_applied(
    run_cli: Run, root: Path, receiver: Receiver, reaching: list[str]
) -> None:
    receiver.answer("/New", Answer(404))
    (root / "webhooks.d/w0.yaml").write_text(webhook("W0", "timeout_seconds: 9\n"))
    (root / "webhooks.d/new.yaml").write_text(webhook("New"))
    run_cli("plan", "--out", "plan.json", cwd=root)
    for args in ([], ["plan.json"]):
        result = run_cli("apply", *args, "--test", "--auto-approve", *reaching, cwd=root)
        assert result.exit_code == 1
        assert "✓ W0   Test successful" in result.stdout
        assert "✗ New  Test failed  HTTP 404" in result.stdout
        assert result.stdout.endswith("\n2 tests: 1 successful, 1 failed.\nNothing was applied: a test failed.\n")
    assert applied(root) == (1, 10)
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0  # and the lock is free


def test_nothing_to_test(run_cli: Run, root: Path, receiver: Receiver, reaching: list[str]) -> None:
    (root / "webhooks.d/w3.yaml").unlink()
    result = run_cli("apply", "--test", "--auto-approve", *reaching, cwd=root)
    assert (result.exit_code, receiver.count) == (0, 0)
    assert "tests" not in result.stdout


def test_a_plan_that_is_refused_sends_nothing(
    run_cli: Run, root: Path, receiver: Receiver, reaching: list[str]
) -> None:
    for number in range(5):
        (root / f"webhooks.d/w{number}.yaml").unlink()
    (root / "webhooks.d/new.yaml").write_text(webhook("New"))
    assert run_cli("apply", "--test", "--auto-approve", *reaching, cwd=root).exit_code == 1
    assert receiver.count == 0


# -- a store is never an output


@pytest.mark.parametrize(
    "command",
    [
        ("send", "--enqueue", "events.jsonl", "--rejects", "{}"),
        ("plan", "--out", "{}"),
        ("list", "--format", "json={}"),
        ("run", "--health", "{}"),
    ],
)
def test_no_command_writes_over_a_store(run_cli: Run, root: Path, command: tuple[str, ...]) -> None:
    (root / "events.jsonl").write_text("not an event\n")
    (root / "webhooks.d/w3.yaml").unlink()  # something to plan
    store = root / ".hookctl/hookctl.db"
    before = store.read_bytes()
    result = run_cli(*(part.format(".hookctl/hookctl.db") for part in command), cwd=root)
    assert (result.exit_code, store.read_bytes()) == (1, before), result.stderr
    assert ".hookctl/hookctl.db" in result.stderr
