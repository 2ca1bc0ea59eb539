"""The version of SQLite, and whether several processes can use a store with it."""

from __future__ import annotations

import sqlite3

from hookctl.model.store_type import EngineCheck

FIXED = (3, 51, 3)
BACKPORTS = ((3, 44, 6), (3, 50, 7))
"""Older versions in which the WAL-reset bug is fixed as well, each with its later patches."""


def check_engine() -> EngineCheck:
    """The version of SQLite, and whether it has a known bug."""
    if not is_affected(sqlite3.sqlite_version_info):
        return EngineCheck("sqlite", sqlite3.sqlite_version)
    return EngineCheck(
        "sqlite",
        f"SQLite {sqlite3.sqlite_version} may damage the store if several processes use it (rare)",
        "Use a Python with SQLite 3.51.3 or newer, or run one process for each store; and keep backups.",
    )


def is_affected(version: tuple[int, ...]) -> bool:
    """Whether this SQLite may corrupt a file that several processes write to and checkpoint at the same time."""
    return version < FIXED and not any(version[:2] == fixed[:2] and version >= fixed for fixed in BACKPORTS)
