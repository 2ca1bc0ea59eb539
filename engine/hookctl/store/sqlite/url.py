"""``sqlite:///PATH``: a store in a file. SQLite itself is imported only when there is a store to open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hookctl.errors import SettingsError

if TYPE_CHECKING:
    from hookctl.store.interface import Store
    from hookctl.store.records import EngineCheck

PREFIX = "sqlite:///"
BESIDE = ("", "-wal", "-shm", "-journal")
"""What follows the path in the names of the files that SQLite opens: nothing in the store's own."""


def open_url(url: str, *, create: bool) -> Store | None:
    """See :meth:`hookctl.store.opening.StoreType.open_url`."""
    path = files_of(url)[0]
    if not create and not path.exists():
        return None
    from hookctl.store.sqlite.store import SqliteStore

    return SqliteStore(path)


def files_of(url: str) -> tuple[Path, ...]:
    """See :meth:`hookctl.store.opening.StoreType.files_of`."""
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
    """See :meth:`hookctl.store.opening.StoreType.check_engine`."""
    from hookctl.store.sqlite.version import check_engine as check

    return check()
