"""The tables of the parts that share the store, each with a version of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from hookctl.errors import StoreError
from hookctl.store.sqlite.connection import APPLICATION_ID, errors_as_store_errors, transaction

VERSIONS = (
    "CREATE TABLE IF NOT EXISTS table_versions (component TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID"
)


def table_version(connection: sqlite3.Connection, component: str) -> int:
    """How many of the component's scripts have run; 0 where its tables do not exist."""
    with errors_as_store_errors():
        if not connection.execute(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'table_versions'"
        ).fetchone():
            return 0
        row = connection.execute("SELECT version FROM table_versions WHERE component = ?", (component,)).fetchone()
    if row and not isinstance(row[0], int):
        raise StoreError(
            f"the version of the store's {component} tables cannot be read", hint="Restore the store from a backup."
        )
    return int(row[0]) if row else 0


def migrate(connection: sqlite3.Connection, component: str, scripts: Sequence[str]) -> None:
    """Run the scripts that have not run yet, in one transaction. A script is SQL statements, each ended by a semicolon.

    Scripts are only ever added at the end: the version that is written is their number.

    Raises:
        StoreError: the tables were made by a newer hookctl.
        StateLockedError: another process kept the store busy.
    """
    if _current(table_version(connection, component), component, scripts):
        return
    with errors_as_store_errors():
        connection.execute(
            "PRAGMA foreign_keys = OFF"
        )  # a table that others refer to is dropped once its successor is filled
    try:
        with transaction(connection):
            version = table_version(connection, component)  # again: another process may have been first
            if not _current(version, component, scripts):
                _run(connection, component, scripts, version)
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


def _run(connection: sqlite3.Connection, component: str, scripts: Sequence[str], version: int) -> None:
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(VERSIONS)
    for script in scripts[version:]:
        for statement in _statements(script):
            connection.execute(statement)
    connection.execute("INSERT OR REPLACE INTO table_versions VALUES (?, ?)", (component, len(scripts)))


def _current(version: int, component: str, scripts: Sequence[str]) -> bool:
    if version > len(scripts):
        raise StoreError(
            f"the store's {component} tables have version {version}, this hookctl knows {len(scripts)}",
            hint="Upgrade hookctl here, or name another file with --store.",
        )
    return version == len(scripts)


def _statements(script: str) -> list[str]:
    """The script's statements. ``executescript`` would commit the transaction that they must be part of."""
    statements, begun = [], ""
    for piece in script.split(";"):
        begun += piece + ";"
        if sqlite3.complete_statement(begun):
            statements.append(begun)
            begun = ""
    return [statement for statement in statements if statement.strip(" \n\t;")]
