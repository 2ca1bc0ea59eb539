"""The description of a kind of store, and of its engine. They are here, because both stores and plugins use it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hookctl.store.interface import Store


class OpenStore(Protocol):
    """Opens a store."""

    def __call__(self, url: str, *, create: bool) -> Store | None:
        """The store of the URL; None if it does not exist and ``create`` is False."""
        ...


@dataclass(frozen=True, slots=True)
class EngineCheck:
    """What ``hookctl doctor`` reports about the database engine of a store."""

    name: str
    message: str
    """Its version, or the problem with it."""
    hint: str = ""
    """What to do about the problem; empty if there is none."""


def _no_files(_: str) -> tuple[Path, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreType:
    """A kind of store, for the URLs of one scheme. Each function raises SettingsError for a URL that it cannot use."""

    scheme: str
    """What comes before ``:`` in the URL, such as ``sqlite``."""
    summary: str
    open: OpenStore
    """Returns an object that implements ``hookctl.store.interface.Store``, or raises ``hookctl.errors.StoreError``. It
    may be called on another thread than the one that uses the store.
    """
    check_engine: Callable[[], EngineCheck]
    """The version of the database engine, and any known problem with it."""
    files: Callable[[str], tuple[Path, ...]] = _no_files
    """The files on this machine that the store of a URL consists of, the main one first, whether they exist or not. A
    store on a server has none.
    """
