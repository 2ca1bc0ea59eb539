"""The PostgreSQL of the benchmark, and a place with it and nginx."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from delivery.main import terminated
from delivery.measure import Group
from delivery.ways import node
from delivery.work import Site

from delivery import nginx

SIZE = """
    SELECT sum(pg_total_relation_size(oid)) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'hookctl'::regnamespace AND relname ~ %s
"""


class Server:
    """The PostgreSQL that all ways use: each turn has a new database."""

    def __init__(self, site: Site, group: Group) -> None:
        self._group = group
        self.process, self.url = node.start_postgres(site, group)

    def new_database(self, number: int) -> str:
        with closing(psycopg.connect(self.url, autocommit=True)) as connection:
            connection.execute(f"CREATE DATABASE turn_{number}")
            connection.execute("CHECKPOINT")  # so that no turn pays for another's
        return self.url.replace("postgres://", "postgresql://").replace("/postgres", f"/turn_{number}")

    def drop(self, number: int) -> None:
        with closing(psycopg.connect(self.url, autocommit=True)) as connection:
            connection.execute(f"DROP DATABASE turn_{number} WITH (FORCE)")

    def size(self, pattern: str) -> int:
        """Bytes of hookctl's tables with these names, and their indexes, in the database of the first turn."""
        with closing(psycopg.connect(self.url.replace("/postgres", "/turn_1"))) as connection:
            row = connection.execute(SIZE, (pattern,)).fetchone()
        return int(row[0]) if row else 0

    def used(self) -> tuple[float, int]:
        """Seconds of user and system time so far, and the position in the write-ahead log."""
        with closing(psycopg.connect(self.url, autocommit=True)) as connection:
            row = connection.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
        return self._group.cpu(self.process), int(row[0]) if row else 0


@contextmanager
def place() -> Iterator[tuple[Site, Server, Group]]:
    """A new directory with an nginx and a server; all ends with the block, even after Ctrl-C."""
    if nginx.program() is None or node.postgres() is None:
        raise SystemExit("nginx or PostgreSQL is not installed; see install.sh")
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, terminated)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        root.chmod(0o755)  # nginx's worker and the server are other users if root starts them
        (root / "nginx").mkdir()
        with nginx.sink(root / "nginx") as sink, Group(root / "server.log") as group:
            site = Site(sink, root)
            yield site, Server(site, group), group
