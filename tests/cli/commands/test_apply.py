"""``hookctl apply``: asks, then does exactly what it showed, or nothing."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import warm
from hookctl.store.sqlite.applied import AppliedStore

Run = Callable[..., Any]
SIEM = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\n"
TICKETS = "name: Tickets\nevent: anomaly\nurl: https://tickets.example.com/\n"


@pytest.fixture
def root(project: Callable[..., Path]) -> Path:
    return project({"webhooks.d/siem.yaml": SIEM, "webhooks.d/tickets.yaml": TICKETS})


def applied(root: Path) -> tuple[int, set[str]]:
    state = AppliedStore(root / ".hookctl/hookctl.db").read()
    return state.serial, set(state.plans)


def test_without_asking(run_cli: Run, root: Path) -> None:
    result = run_cli("apply", "--auto-approve", cwd=root)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith(
        "Plan: 2 to add, 0 to change, 0 to remove.\n\n"
        "Applied: 2 added, 0 changed, 0 removed. The state now has serial 1.\n"
    )
    (root / "webhooks.d/tickets.yaml").unlink()
    (root / "webhooks.d/siem.yaml").write_text(SIEM + "status: inactive\n")
    assert run_cli("apply", "--auto-approve", cwd=root).stdout.endswith(
        "Applied: 0 added, 1 changed, 1 removed. The state now has serial 2.\n"
    )
    assert applied(root) == (2, {"Siem"})


def test_nothing_to_do_is_done_without_asking(run_cli: Run, root: Path) -> None:
    run_cli("apply", "--auto-approve", cwd=root)
    result = run_cli("apply", cwd=root)
    assert (result.exit_code, result.stdout, result.stderr) == (
        0,
        "No changes. The applied webhooks match the files.\n",
        "",
    )
    assert applied(root)[0] == 1


def test_without_a_terminal_it_refuses(run_cli: Run, root: Path) -> None:
    result = run_cli("apply", cwd=root, stdin="yes\n")
    assert result.exit_code == 1
    assert "Plan: 2 to add" in result.stdout
    assert "standard input is not a terminal" in result.stderr
    assert "--auto-approve" in result.stderr
    assert applied(root) == (0, set())


def test_errors_in_the_files_stop_it(run_cli: Run, root: Path) -> None:
    (root / "webhooks.d/siem.yaml").write_text(SIEM.replace("https", "http"))
    result = run_cli("apply", "--auto-approve", cwd=root)
    assert result.exit_code == 1
    assert "url-scheme" in result.stdout
    assert not (root / ".hookctl").exists()


def test_who_applied_is_remembered(run_cli: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    monkeypatch.setattr("socket.gethostname", lambda: "loom")
    run_cli("plan", "--out", "plan.json", cwd=root)
    run_cli("apply", "--auto-approve", cwd=root)
    assert "applied by ada@loom at 2" in run_cli("apply", "plan.json", "--auto-approve", cwd=root).stderr


def test_a_user_without_a_name(run_cli: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0


def test_a_saved_plan_is_applied_as_it_was_saved(run_cli: Run, root: Path) -> None:
    shown = run_cli("plan", "--out", "plan.json", cwd=root).stdout
    (root / "webhooks.d/other.yaml").write_text(SIEM.replace("Siem", "Later"))
    result = run_cli("apply", "plan.json", "--auto-approve", cwd=root)
    assert result.exit_code == 0
    assert result.stdout.startswith(shown)
    assert applied(root) == (1, {"Siem", "Tickets"})


def test_a_stale_plan_is_shown_and_refused(run_cli: Run, root: Path) -> None:
    run_cli("plan", "--out", "plan.json", cwd=root)
    run_cli("apply", "--auto-approve", cwd=root)
    result = run_cli("apply", "plan.json", cwd=root)
    assert result.exit_code == 1
    assert "Plan: 2 to add" in result.stdout
    assert (
        "Error: the plan is stale: it starts from serial 0, and the applied state is now at serial 1" in result.stderr
    )
    assert "terminal" not in result.stderr
    assert applied(root)[0] == 1


def test_a_plan_of_another_hookctl_is_stale(run_cli: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_cli("plan", "--out", "plan.json", cwd=root)
    monkeypatch.setattr("hookctl.config.tool_versions.__version__", "99.0")
    result = run_cli("apply", "plan.json", "--auto-approve", cwd=root)
    assert result.exit_code == 1
    assert "the plan is stale: it was made by hookctl 0.1.0, and this is hookctl 99.0" in result.stderr


def test_an_altered_plan_is_refused(run_cli: Run, root: Path) -> None:
    run_cli("plan", "--out", "plan.json", cwd=root)
    text = (root / "plan.json").read_text()
    (root / "plan.json").write_text(text.replace("https://siem.example.com/", "https://evil.example.com/"))
    result = run_cli("apply", "plan.json", "--auto-approve", cwd=root)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Error: the saved plan was altered: its content does not match its digest" in result.stderr
    assert not (root / ".hookctl").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a saved plan"),
        (b"name: Siem", "not a saved plan"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b'{"format_version": "9.0"}', "format version '9.0', but this hookctl reads '2.0'"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_plan_is_refused(run_cli: Run, root: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (root / "plan.json").write_bytes(content)
    result = run_cli("apply", "plan.json", "--auto-approve", cwd=root)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    assert "hookctl plan" in result.stderr or "save a new plan" in result.stderr


def test_policies_are_asked_again_about_a_saved_plan(run_cli: Run, root: Path) -> None:
    (root / "webhooks.d/siem.yaml").write_text(SIEM + "protected: true\n")
    run_cli("apply", "--auto-approve", cwd=root)
    (root / "webhooks.d/siem.yaml").unlink()
    document = run_cli("plan", "--format", "json", cwd=root).stdout
    (root / "plan.json").write_text(json.dumps({**json.loads(document), "findings": []}))
    result = run_cli("apply", "plan.json", "--auto-approve", cwd=root)
    assert result.exit_code == 1
    assert "error[protected]" in result.stdout
    assert applied(root) == (1, {"Siem", "Tickets"})


def test_a_damaged_store(run_cli: Run, root: Path) -> None:
    (root / ".hookctl").mkdir()
    (root / ".hookctl/hookctl.db").write_text("not a database, and longer than a header" * 100)
    for command in (["plan"], ["apply", "--auto-approve"], ["list"], ["show", "Siem"]):
        result = run_cli(*command, cwd=root)
        assert result.exit_code == 1
        assert "Error: the store .hookctl/hookctl.db is damaged or is not a database" in result.stderr


@contextmanager
def at_a_terminal(root: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """``hookctl apply`` as a person runs it, up to its question; and the keyboard."""
    keyboard, terminal = pty.openpty()
    command = [sys.executable, "-m", "hookctl", "apply", *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOOKCTL_")}
    with warm.Popen(
        command, cwd=root, env=environment, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            asked = ""
            while "accepted: " not in asked and (character := process.stderr.read(1)):
                asked += character
            assert asked.strip().endswith(
                "Do you want to apply this? Only 'yes' is accepted:"
            )  # after progress, on a slow machine
            assert ("Plan: 2 to add" in asked) is bool(options)  # else it is on standard output
            yield process, keyboard
            process.wait(30)
        finally:
            process.kill()
    os.close(keyboard)
    os.close(terminal)


def test_a_yes_applies(root: Path) -> None:
    with at_a_terminal(root) as (process, keyboard):
        os.write(keyboard, b"yes\n")
        assert process.stdout is not None
        assert process.stdout.read().endswith("Applied: 2 added, 0 changed, 0 removed. The state now has serial 1.\n")
    assert process.returncode == 0
    assert applied(root)[0] == 1


@pytest.mark.parametrize("answer", [b"y\n", b"\n", b"YES\n", b"yes please\n"])
def test_anything_else_does_not(root: Path, answer: bytes) -> None:
    with at_a_terminal(root) as (process, keyboard):
        os.write(keyboard, answer)
        assert process.stdout is not None
        assert process.stdout.read().endswith("Nothing was applied.\n")
    assert process.returncode == 1
    assert applied(root) == (0, set())


def interrupt(process: subprocess.Popen[str]) -> None:
    """Ctrl-C, repeated if it came between the question and the wait for its answer, where Python does not see it."""
    for _ in range(30):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(1)
            return


@pytest.mark.parametrize(("answer", "result"), [(b"yes\n", "applied"), (b"no\n", "declined"), (None, "interrupted")])
def test_who_is_asked_has_seen_the_plan_and_json_says_what_became_of_it(
    root: Path, answer: bytes | None, result: str
) -> None:
    with at_a_terminal(root, "--format", "json") as (process, keyboard):
        if answer is None:
            interrupt(process)
        else:
            os.write(keyboard, answer)
        assert process.stdout is not None
        document = json.loads(process.stdout.read())
    assert document["outcome"]["result"] == result
    assert document["summary"]["create"] == 2


def test_an_interrupt_leaves_everything_as_it_was(root: Path) -> None:
    with at_a_terminal(root) as (process, _):
        interrupt(process)
        assert process.stderr is not None
        assert process.stderr.read().strip() == "Interrupted."
    assert process.returncode == 130
    assert applied(root) == (0, set())
