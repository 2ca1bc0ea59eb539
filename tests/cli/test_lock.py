"""Two applies at once, and applies that are stopped: real processes, a real terminal, real signals."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import warm
from hookctl.store.sqlite.applied import AppliedStore
from hookctl.store.sqlite.lock import hold

Run = Callable[..., Any]
SIEM = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\n"
PATIENCE = 30.0


@pytest.fixture
def root(project: Callable[..., Path]) -> Path:
    return project({"webhooks.d/siem.yaml": SIEM})


def serial(root: Path) -> int:
    return AppliedStore(root / ".hookctl/hookctl.db").read().serial


def start(root: Path, *args: str, terminal: int = subprocess.DEVNULL, **options: Any) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOOKCTL_")}
    command = [sys.executable, "-m", "hookctl", "apply", *args]
    return warm.Popen(
        command,
        cwd=root,
        env=environment,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stderr is not None
    read = ""
    while text not in read and (character := process.stderr.read(1)):
        read += character
    assert text in read
    return read


@contextmanager
def asking(root: Path, *args: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """``hookctl apply`` at its question, so with the lock in hand; and the keyboard."""
    keyboard, terminal = pty.openpty()
    with start(root, *args, terminal=terminal) as process:
        try:
            read_until(process, "accepted: ")
            yield process, keyboard
            process.wait(PATIENCE)
        finally:
            process.kill()
    os.close(keyboard)
    os.close(terminal)


def test_the_second_is_refused_while_the_first_is_asked(run_cli: Run, root: Path) -> None:
    with asking(root) as (first, keyboard):
        result = run_cli("apply", "--auto-approve", cwd=root)
        assert (result.exit_code, result.stdout) == (1, "")
        told = re.search(
            r"Error: the state is locked by \S+@\S+, hookctl apply since 2.* UTC "
            r"\(process (\d+), hookctl \S+, lock (\w+)\)\n",
            result.stderr,
        )
        assert told
        assert told[1] == str(first.pid)
        assert f"hookctl unlock {told[2]}" in result.stderr
        assert "--lock-timeout" in result.stderr
        assert run_cli("plan", cwd=root).exit_code == 0
        os.write(keyboard, b"yes\n")
    assert first.returncode == 0
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
    assert serial(root) == 1


def test_the_second_waits_and_plans_anew(root: Path) -> None:
    with asking(root) as (first, keyboard), start(root, "--auto-approve", "--lock-timeout", "30s") as second:
        told = read_until(second, ")\n")
        assert "Waiting for the lock held by " in told
        assert f"process {first.pid}" in told
        os.write(keyboard, b"yes\n")
        output, errors = second.communicate(timeout=PATIENCE)
    assert (first.returncode, second.returncode, errors) == (0, 0, "")
    assert output == "No changes. The applied webhooks match the files.\n"
    assert serial(root) == 1


def stop(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Again if it came between the question and the wait for its answer, where Python does not see it.

    A second signal while the process ends would kill it, so each has long to take effect.
    """
    for _ in range(30):
        process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
            return


@pytest.fixture
def hang_up() -> Iterator[None]:
    """A hang-up that takes effect even under nohup: a process that ignores a signal passes that on to its children."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hang_up")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_lock_back(run_cli: Run, root: Path, number: signal.Signals) -> None:
    with asking(root) as (first, _):
        stop(first, number)
        assert first.stderr is not None
        assert first.stderr.read().strip() == "Interrupted."
    assert first.returncode == 130
    assert serial(root) == 0
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0


def test_a_signal_ends_the_wait_for_the_lock(root: Path) -> None:
    with (
        hold(root / ".hookctl/hookctl.db", operation="apply", who="ada@loom"),
        start(root, "--auto-approve", "--lock-timeout", "1h") as process,
    ):
        read_until(process, ")\n")
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=PATIENCE)
        assert (output, errors.strip()) == ("", "Interrupted.")
        assert process.returncode == 130


def test_many_signals_at_any_moment_leave_no_lock(run_cli: Run, root: Path) -> None:
    """Signals all through a run from its start to its end: whatever they hit, nobody has to break a lock afterwards."""
    for pause in (0.0, 0.1, 0.2, 0.3, 0.4):
        with start(root, "--auto-approve") as process:
            time.sleep(pause)
            while process.poll() is None:
                process.send_signal(signal.SIGTERM)
                time.sleep(0.002)
            process.communicate(timeout=PATIENCE)
    result = run_cli("apply", "--auto-approve", cwd=root)
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_killed_apply_leaves_a_lock_that_its_id_breaks(run_cli: Run, root: Path) -> None:
    with asking(root) as (first, _):
        first.kill()
    refused = run_cli("apply", "--auto-approve", cwd=root)
    assert refused.exit_code == 1
    assert "That process no longer exists. Release its lock: hookctl unlock " in refused.stderr
    lock_id = refused.stderr.split()[-1]
    other = run_cli("unlock", "abc", cwd=root)
    assert other.exit_code == 1
    assert f"lock {lock_id})" in other.stderr
    broken = run_cli("unlock", lock_id, cwd=root)
    assert broken.exit_code == 0
    assert broken.stdout.startswith("Released the lock held by ")
    assert run_cli("unlock", lock_id, cwd=root).exit_code == 1
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0


def test_an_apply_whose_lock_was_broken_applies_nothing(run_cli: Run, root: Path) -> None:
    with asking(root) as (first, keyboard):
        lock_id = re.findall(r"lock (\w+)\)", run_cli("apply", cwd=root).stderr)[0]
        assert run_cli("unlock", lock_id, cwd=root).exit_code == 0
        assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
        os.write(keyboard, b"yes\n")
        assert first.stderr is not None
        assert f"Error: the lock {lock_id} of this apply was released" in first.stderr.read()
    assert first.returncode == 1
    assert serial(root) == 1


def test_a_refused_or_declined_apply_gives_it_back(run_cli: Run, root: Path) -> None:
    with asking(root) as (_, keyboard):
        os.write(keyboard, b"no\n")
    assert run_cli("apply", cwd=root).stderr.startswith(
        "Error: cannot ask for approval: standard input is not a terminal"
    )
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0


def test_delivering_goes_on_under_the_lock(run_cli: Run, root: Path) -> None:
    run_cli("apply", "--auto-approve", cwd=root)
    with hold(root / ".hookctl/hookctl.db", operation="apply", who="ada@loom"):
        assert run_cli("send", "/dev/null", cwd=root).exit_code == 0
