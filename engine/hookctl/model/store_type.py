"""The description of a kind of store, and of its engine. They are here, because both stores and plugins use it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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


def _nothing_to_check(_: str) -> Iterable[EngineCheck]:
    return ()


def _nothing_to_do(_: str) -> str:
    return "this store needs no preparation: hookctl creates and upgrades it when it opens it"


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
    check_server: Callable[[str], Iterable[EngineCheck]] = _nothing_to_check
    """What is wrong with the server of a URL, or worth knowing about it. ``doctor`` calls it if the store exists."""
    initialize: Callable[[str], str] = _nothing_to_do
    """Creates the store of a URL if there is none, and returns what was done, for ``hookctl store init``."""
    upgrade: Callable[[str], str] = _nothing_to_do
    """Upgrades the store of a URL to this version, and returns what was done, for ``hookctl store upgrade``."""
