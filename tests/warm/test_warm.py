"""Processes that start warm behave as others do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import warm

ENDS = {
    "a code": "sys.exit(3)",
    "a text": "sys.exit('gone')",
    "an exception": "raise ValueError('bad')",
    "a signal": "os.kill(os.getpid(), signal.SIGKILL)",
    "an interrupt": "os.kill(os.getpid(), signal.SIGINT); time.sleep(60)",
    "nothing": "atexit.register(print, 'at exit'); threading.Thread(target=print, args=['thread']).start()",
    "_exit": "print('not flushed', end=''); os._exit(4)",
}


@pytest.mark.parametrize("code", ENDS.values(), ids=ENDS)
def test_it_ends_as_a_cold_one(code: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", f"import atexit, os, signal, sys, threading, time\n{code}"]
    options: Mapping[str, Any] = {"cwd": tmp_path, "capture_output": True, "text": True}
    cold = subprocess.run(command, check=False, **options)
    ended = warm.run(command, **options)
    assert (ended.returncode, ended.stdout) == (cold.returncode, cold.stdout)
    assert ended.stderr.splitlines()[-1:] == cold.stderr.splitlines()[-1:]


def test_it_has_its_own_arguments_directory_environment_and_streams(tmp_path: Path) -> None:
    code = "import os, sys; print(sys.argv, os.getcwd(), sys.stdin.read(), {**os.environ}, os.getpid())"
    with warm.Popen(
        [sys.executable, "-c", code, "a"],
        cwd=tmp_path,
        env={"ONLY": "this"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        out, _ = process.communicate("given", timeout=60)
    assert out == f"['-c', 'a'] {tmp_path} given {{'ONLY': 'this'}} {process.pid}\n"


def test_a_killed_one_has_ended_when_it_was_waited_for() -> None:
    process = warm.Popen(
        [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"1\n"
    assert process.poll() is None
    process.kill()
    assert process.wait(60) == -signal.SIGKILL
    process.stdout.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_what_it_cannot_do_is_refused() -> None:
    with pytest.raises(AssertionError):
        warm.run([sys.executable, "-c", ""], start_new_session=True)
    with pytest.raises(AssertionError):
        warm.run(["git", "status"])


def test_a_shell_gets_it_too(tmp_path: Path) -> None:
    line = "hookctl --version; hookctl no-such; echo $?"
    done = subprocess.run(
        ["bash", "-c", f"PATH={warm.commands()}:$PATH; {line}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.startswith("hookctl, version ")
    assert "64\n" in done.stdout
    assert "No such command 'no-such'" in done.stderr
