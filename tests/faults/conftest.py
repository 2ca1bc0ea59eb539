"""A project whose processes are killed, starved and stopped, and the oracle that says what must be true afterwards."""

from __future__ import annotations

import json
import os
import select
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.postgres_server import drop, server

import warm
from hookctl.delivery.runner.route import Router
from hookctl.delivery.runner.runner import Runner
from hookctl.model import DeliveryStatus, Event, Json
from hookctl.plugin.host import load_plugins
from hookctl.store.interface import Store
from hookctl.store.postgres.address import parse
from hookctl.store.postgres.store import PostgresStore
from hookctl.store.sqlite.store import SqliteStore
from hookctl.testing.receiver import Receiver

HERE = Path(__file__).parent
SCHEMES = "sqlite", "postgresql"
PATIENCE = 60.0
"""Seconds after which a test that waits has failed."""
WEBHOOK = """
name: {name}
event: anomaly
url: https://siem.example.com/{name}
body_template: |
  {{"event": "{{{{ id }}}}"}}
timeout_seconds: 5
retry: {{schedule: [50ms, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms, 50ms]}}
"""


class Forks:
    """Starts processes that have loaded hookctl already."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, HERE / "forks.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def start(self, argv: Sequence[str], root: Path, env: Mapping[str, str], output: Path) -> int:
        """The process id."""
        pid: int = self._ask({"argv": list(argv), "cwd": str(root), "env": dict(env), "output": str(output)})
        return pid

    def wait(self, pid: int) -> tuple[int, int]:
        """How it ended, negative for a signal, and its peak memory in KiB."""
        status, peak = self._ask({"wait": pid})
        return status, peak

    def close(self) -> None:
        self._server.communicate()

    def _ask(self, command: Mapping[str, Any]) -> Any:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(command).encode() + b"\n")
        self._server.stdin.flush()
        ready, _, _ = select.select([self._server.stdout], [], [], PATIENCE)
        assert ready, f"no end of {command}"
        return json.loads(self._server.stdout.readline())


@dataclass
class Site:
    """A project with applied webhooks, the receiver that they are for, and what was acknowledged."""

    root: Path
    receiver: Receiver
    forks: Forks
    run_cli: Callable[..., Any]
    mock: Mapping[str, Json]
    url: str
    """Of the store."""
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reach(self.receiver)
        self.env["HOOKCTL_STORE"] = self.url
        (self.root / "mock.json").write_text(json.dumps(self.mock), encoding="utf-8")

    @property
    def store(self) -> Path:
        """The file of a SQLite store."""
        return Path(self.url.removeprefix("sqlite:///"))

    @contextmanager
    def open_store(self, clock: Callable[[], float] | None = None) -> Iterator[Store]:
        """The store in this process; ``clock`` is the clock of leases, or the real one."""
        if self.url.startswith("sqlite"):
            store: Store = SqliteStore(self.store, *([clock] if clock else []))
        else:
            store = PostgresStore(parse(self.url), clock)
        with closing(store):
            yield store

    @property
    def acknowledged(self) -> set[str]:
        """The ids that the intake has acknowledged."""
        file = self.root / "acknowledged"
        return set(file.read_text(encoding="utf-8").split()) if file.exists() else set()

    @property
    def output(self) -> str:
        """What the started processes have printed."""
        return (self.root / "output").read_text(encoding="utf-8")

    def reach(self, receiver: Receiver) -> None:
        """Have the webhooks' host be this receiver."""
        self.receiver = receiver
        self.env |= {
            "HOOKCTL_CONNECT_TO": f"siem.example.com:443:{receiver.address}:{receiver.port}",
            "HOOKCTL_CACERT": receiver.ca_file,
        }

    def apply(self, **files: str) -> None:
        """Make the webhooks be those of these files, and no others."""
        shutil.rmtree(self.root / "webhooks.d", ignore_errors=True)
        (self.root / "webhooks.d").mkdir()
        for name, text in files.items():
            (self.root / f"webhooks.d/{name}.yaml").write_text(text, encoding="utf-8")
        result = self.run_cli("apply", "--auto-approve", cwd=self.root, env=self.env)
        assert result.exit_code == 0, result.stdout + result.stderr

    def write(self, count: int, first: int = 0, **fields: Json) -> str:
        """A file of ``count`` events."""
        path = self.root / f"events-{first}.jsonl"
        path.write_text(
            "".join(
                f"{json.dumps({**self.mock, **fields, 'id': f'e{number}'})}\n" for number in range(first, first + count)
            ),
            encoding="utf-8",
        )
        return str(path)

    # -- processes

    def start(self, *argv: str) -> int:
        """``hookctl`` with these arguments, as a process of its own; gives its id."""
        return self.forks.start(["hookctl", *argv], self.root, self.env, self.root / "output")

    def intake_command(self, first: int, count: int) -> list[str]:
        """The application of ``intake.py``, that takes in ``count`` events."""
        return [str(HERE / "intake.py"), "acknowledged", "mock.json", str(first), str(count)]

    def start_intake(self, first: int, count: int) -> int:
        return self.forks.start(self.intake_command(first, count), self.root, self.env, self.root / "output")

    def run(self, words: Sequence[str], command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Python with this command, behind the words of a tracer."""
        argv = [*words, sys.executable, *command]
        start = warm.run if not words and command[0] == "-m" else subprocess.run
        return start(
            argv,
            cwd=self.root,
            env=os.environ | self.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def take_in(self, count: int, first: int = 0) -> None:
        """Store events, and leave their delivery to others."""
        events = [
            Event(name, "anomaly", 1.0, {**self.mock, "id": name})
            for name in (f"e{number}" for number in range(first, first + count))
        ]
        with self.open_store() as store:
            router = Router(store.read_state())
            store.enqueue([router.route(event) for event in events], time.time())

    def take_in_with(self, runner: Runner, count: int, first: int = 0) -> None:
        """Have a runner of this process take in events."""
        numbers = range(first, first + count)
        runner.accept([Event(f"e{number}", "anomaly", 1.0, {**self.mock, "id": f"e{number}"}) for number in numbers])

    def wait(self, pid: int) -> int:
        """How the process ended: its exit code, or the negative number of the signal."""
        return self.forks.wait(pid)[0]

    def send(self, *argv: str) -> int:
        """The exit code of ``hookctl send``."""
        return self.wait(self.start("send", *argv))

    def go_on(self) -> None:
        """Deliver all that is left."""
        assert self.send(os.devnull, "--wait", "20s") == 0, self.output

    def wait_for(self, condition: Callable[[], bool]) -> None:
        limit = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < limit
            time.sleep(0.005)

    # -- the oracle

    def stored(self) -> dict[tuple[str, str, str], DeliveryStatus]:
        """Each (webhook, webhook-id, event id) that is on disk, and how it stands."""
        with self.open_store() as store:
            return {(one.webhook, one.id, one.event_id): one.status for one in store.deliveries()}

    def reasons(self) -> dict[str, set[str]]:
        """Why what stands as retrying or dead does so, by webhook."""
        found: dict[str, set[str]] = {}
        with self.open_store() as store:
            for one in store.deliveries():
                if one.reason:
                    found.setdefault(one.webhook, set()).add(one.reason)
        return found

    def attempts(self) -> int:
        """How many attempts are on record."""
        with self.open_store() as store:
            return sum(len(store.attempts(one.id)) for one in store.deliveries())

    def received(self) -> Counter[tuple[str, str, str]]:
        """How often each (webhook, webhook-id, event id) came."""
        came = [one for one in self.receiver.requests if one.path != "/oauth/token"]
        return Counter((one.path[1:], one.header("webhook-id") or "", json.loads(one.body)["event"]) for one in came)

    def check(self, webhooks: Sequence[str] = ("Siem",), *, acknowledged: set[str] | None = None) -> None:
        """What always holds: acknowledged events are stored, what was sent was stored before, the store is sound."""
        stored = self.stored()
        expected = {
            (webhook, event)
            for event in (self.acknowledged if acknowledged is None else acknowledged)
            for webhook in webhooks
        }
        assert expected <= {(webhook, event) for webhook, _, event in stored}
        assert set(self.received()) <= set(stored)
        with self.open_store() as store:
            assert store.damaged() == []
        if self.url.startswith("sqlite"):
            with closing(sqlite3.connect(f"{self.store.as_uri()}?mode=ro", uri=True)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    def check_all_delivered(self, webhooks: Sequence[str] = ("Siem",), *, acknowledged: set[str] | None = None) -> None:
        """What holds in the end: all that is stored has arrived, each delivery under one id, marked as delivered."""
        self.check(webhooks, acknowledged=acknowledged)
        stored = self.stored()
        assert stored
        assert set(stored.values()) == {DeliveryStatus.DELIVERED}
        assert set(self.received()) == set(stored)
        assert (
            len({(webhook, event) for webhook, _, event in stored})
            == len({name for _, name, _ in stored})
            == len(stored)
        )


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    forks = Forks()
    yield forks
    forks.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test of a site runs with each kind of store, unless its mark ``one_store`` says why not."""
    if "scheme" in metafunc.fixturenames:
        only = metafunc.definition.get_closest_marker("one_store")
        metafunc.parametrize("scheme", only.args[:1] if only else SCHEMES, scope="session")


@pytest.fixture
def store_url(scheme: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a store that does not exist yet."""
    if scheme == "sqlite":
        yield f"sqlite:///{tmp_path}/.hookctl/hookctl.db"
        return
    url = server().url()
    yield url
    drop(url)


@pytest.fixture
def site(store_url: str, tmp_path: Path, forks: Forks, run_cli: Callable[..., Any]) -> Iterator[Site]:
    with Receiver() as receiver:
        site = Site(tmp_path, receiver, forks, run_cli, load_plugins().event_types["anomaly"].mock, store_url)
        site.apply(Siem=WEBHOOK.format(name="Siem"))
        yield site


@pytest.fixture
def webhook() -> Callable[..., str]:
    """``webhook("Siem", "timeout_seconds: 1")``: the YAML of a webhook; lines given replace those of the same field."""

    def write(name: str, *lines: str) -> str:
        fields = {line.split(":")[0] for line in lines}
        kept = [line for line in WEBHOOK.format(name=name).splitlines() if line.split(":")[0] not in fields]
        return "\n".join([*kept, *lines, ""])

    return write


@pytest.fixture(scope="session")
def strace() -> Callable[..., list[str]]:
    """``strace("fdatasync:error=EIO:when=3")``: words before a command that inject these faults into its system calls.

    ``path``: only into those on this file. ``detached``: the process that is started is the command, not the tracer.
    """
    program = shutil.which("strace")
    if (
        program is None
        or subprocess.run(
            [program, "-f", "--seccomp-bpf", "-o", os.devnull, "true"], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("strace is not installed, or may not trace here")

    def words(*faults: str, path: Path | None = None, detached: bool = False) -> list[str]:
        calls = ",".join(fault.split(":")[0] for fault in faults)
        injected = [word for fault in faults for word in ("-e", f"inject={fault}")]
        only = ["-P", str(path)] if path else ["--seccomp-bpf"]  # faster, but it knows no paths
        return [
            program,
            *(["-D"] if detached else []),
            "-f",
            "-qq",
            "-o",
            os.devnull,
            "-e",
            f"trace={calls}",
            *injected,
            *only,
        ]

    return words
