"""Inputs that are made to cost much: each ends in a clear answer, with little memory and little processor time.

A file in ``bombs/`` is a test. It is Python, so that what is large can be written short; what it may define:

- ``FILES``: what is in the project, by path; ``WEBHOOK``: the text of ``webhooks.d/bomb.yaml``
- ``EVENT``: an event, in ``event.json``; only its ``data`` where the rest does not matter
- ``EVENTS``: bytes, in ``events.json``
- ``RESPONSE``: the body that the target answers with
- ``RUN``: the commands, in order; the last one is checked. By default ``validate``, or ``test`` with a response
- ``EXIT`` (0) and ``SAYS`` (a list of texts that the output has)
"""

from __future__ import annotations

import json
import runpy
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hookctl.plugin.host import load_plugins
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

HERE = Path(__file__).parent
BOMBS = sorted((HERE / "bombs").glob("*.py"))
MORE_BYTES = 512 * 1024 * 1024
"""Address space that a command may have beyond that of a process with hookctl loaded; each thread takes some."""
CPU_SECONDS = 10
"""The least that tells slow from endless on a busy machine: a command takes one or two."""
MAX_OUTPUT = 4 * 1024 * 1024
PATIENCE = 120.0


@pytest.fixture(scope="session")
def forks() -> Iterator[subprocess.Popen[bytes]]:
    """A process with hookctl loaded, that starts others; see tests/faults/forks.py."""
    server = subprocess.Popen(
        [sys.executable, HERE.parent / "faults/forks.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    yield server
    server.communicate()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def run(forks: subprocess.Popen[bytes], receiver: Receiver, tmp_path: Path) -> Callable[[str], tuple[int, str]]:
    """``run("validate")`` in the project, within the limits: the exit code and the output."""
    env = {
        "HOOKCTL_CONNECT_TO": f"siem.example.com:443:{receiver.address}:{receiver.port}",
        "HOOKCTL_CACERT": receiver.ca_file,
    }

    def run(command: str, *, program: str = "hookctl", seconds: int = CPU_SECONDS) -> tuple[int, str]:
        output = tmp_path / "output"
        output.unlink(missing_ok=True)
        argv = [program, *command.split()] if program else [command]
        pid = ask(
            {"argv": argv, "cwd": str(tmp_path), "env": env, "output": str(output), "limits": [MORE_BYTES, seconds]}
        )
        code, _ = ask({"wait": pid})
        assert output.stat().st_size < MAX_OUTPUT
        return code, output.read_text(encoding="utf-8")

    def ask(command: Mapping[str, Any]) -> Any:
        assert forks.stdin is not None
        assert forks.stdout is not None
        forks.stdin.write(json.dumps(command).encode() + b"\n")
        forks.stdin.flush()
        ready, _, _ = select.select([forks.stdout], [], [], PATIENCE)
        assert ready, f"no end of {command}"
        return json.loads(forks.stdout.readline())

    return run


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda path: path.stem)
def test_a_bomb_gives_a_clear_answer(
    bomb: Path, run: Callable[[str], tuple[int, str]], receiver: Receiver, tmp_path: Path
) -> None:
    given = runpy.run_path(str(bomb))
    write(given, tmp_path)
    receiver.answer("/bomb", Answer(body=given.get("RESPONSE", b"")))
    *before, last = given.get("RUN", ["test" if "RESPONSE" in given else "validate"])
    for command in before:
        code, output = run(command)
        assert (code in {0, 1}, "Traceback" in output) == (True, False), output[-3000:]
    code, output = run(last)
    assert (code, "Traceback" in output) == (given.get("EXIT", 0), False), output[-3000:]
    for text in given.get("SAYS", ()):
        assert text in output, output[-3000:]


def write(given: Mapping[str, Any], root: Path) -> None:
    files: dict[str, str | bytes] = dict(given.get("FILES", {}))
    if "WEBHOOK" in given:
        files["webhooks.d/bomb.yaml"] = given["WEBHOOK"]
    if "EVENT" in given:
        mock = load_plugins().event_types["anomaly"].mock
        event = given["EVENT"] if "data" in given["EVENT"] else {"data": {**mock["data"], **given["EVENT"]}}  # type: ignore[dict-item]
        files["event.json"] = json.dumps({**mock, **event})
    if "EVENTS" in given:
        files["events.json"] = given["EVENTS"]
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content.encode() if isinstance(content, str) else content)


def test_the_limits_hold(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    """What the suite relies on: who takes memory without end is refused it, and who never ends is killed."""
    (tmp_path / "memory.py").write_text(f"x = bytearray({2 * MORE_BYTES})", encoding="ascii")
    code, output = run(str(tmp_path / "memory.py"), program="")
    assert (code, "MemoryError" in output) == (70, True)
    (tmp_path / "time.py").write_text("while True: pass", encoding="ascii")
    assert run(str(tmp_path / "time.py"), program="", seconds=1)[0] in {-signal.SIGXCPU, -signal.SIGKILL}
