"""``sqlite:///PATH``: a store in a file. SQLite itself is imported only when there is a store to open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hookctl.errors import SettingsError
from hookctl.model.store_type import EngineCheck, StoreType

if TYPE_CHECKING:
    from hookctl.store.interface import Store

PREFIX = "sqlite:///"
BESIDE = ("", "-wal", "-shm", "-journal")
"""What follows the path in the names of the files that SQLite opens: nothing in the store's own."""


def open_url(url: str, *, create: bool) -> Store | None:
    """The store in the file that the URL names; None if there is none and ``create`` is False."""
    path = files_of(url)[0]
    if not create and not path.exists():
        return None
    from hookctl.store.sqlite.store import SqliteStore

    return SqliteStore(path)


def files_of(url: str) -> tuple[Path, ...]:
    """The file that the URL names, and those that SQLite makes beside it. Raises SettingsError."""
    if not url.startswith(PREFIX) or url == PREFIX:
        raise SettingsError(
            f"the store {url!r} does not name a file",
            hint="Write sqlite:///PATH, such as sqlite:///.hookctl/hookctl.db.",
        )
    path = url.removeprefix(PREFIX)
    if path == ":memory:":
        raise SettingsError(
            "the store cannot be in memory: it must be a file, which other commands and processes read",
            hint=f"Name a file that you can delete later, such as {PREFIX}.hookctl/hookctl.db.",
        )
    if "?" in path:
        raise SettingsError(
            f"the store {url!r} has parameters, and hookctl accepts none",
            hint=f"Remove the question mark and what follows it: {PREFIX}{path.partition('?')[0]}.",
        )
    return tuple(Path(path + end) for end in BESIDE)


def check_engine() -> EngineCheck:
    """The version of SQLite, and whether it has a known bug."""
    from hookctl.store.sqlite.version import check_engine as check

    return check()


STORE_TYPE = StoreType(
    scheme="sqlite",
    summary="A file on this machine: sqlite:///PATH.",
    open=open_url,
    check_engine=check_engine,
    files=files_of,
)
