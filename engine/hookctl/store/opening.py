"""Opens the store that a URL names. Its scheme selects the implementation; a new one is one line in ``STORE_TYPES``."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast, overload

from hookctl.errors import SettingsError

if TYPE_CHECKING:
    from hookctl.store.interface import Store
    from hookctl.store.records import EngineCheck

STORE_TYPES = {"sqlite": "hookctl.store.sqlite.url"}
"""URL schemes, each with the module that implements :class:`StoreType`; it is imported when it is needed."""


class StoreType(Protocol):
    """The functions in the module of an implementation. Each raises SettingsError for a URL that it cannot use."""

    def open_url(self, url: str, *, create: bool) -> Store | None:
        """The store; None if it does not exist and ``create`` is False."""
        ...

    def files_of(self, url: str) -> tuple[Path, ...]:
        """The files on this machine that it opens, the main one first; none for a store on a server."""
        ...

    def check_engine(self) -> EngineCheck:
        """The version of the database engine, and any known problem with it."""
        ...


@overload
def open_store(url: str) -> Store: ...
@overload
def open_store(url: str, *, create: bool) -> Store | None: ...
def open_store(url: str, *, create: bool = True) -> Store | None:
    """Open the store that a URL such as ``sqlite:///PATH`` names. Close it with its method ``close``.

    Args:
        url: as for ``--store``.
        create: whether to create a store that does not exist yet.

    Returns:
        The store; None if it does not exist and ``create`` is False.

    Raises:
        SettingsError: there is no store of this scheme, or its URL is not complete.
        StoreError: the store cannot be opened.
    """
    return _store_type(url).open_url(url, create=create)


def store_files(url: str) -> tuple[Path, ...]:
    """The files on this machine that the store opens, the main one first, whether they exist or not.

    Raises SettingsError as :func:`open_store` does.
    """
    return _store_type(url).files_of(url)


def check_engine(url: str) -> EngineCheck:
    """The version of the database engine of a store, and any known problem with it.

    Raises SettingsError as :func:`open_store` does.
    """
    return _store_type(url).check_engine()


def _store_type(url: str) -> StoreType:
    scheme = url.partition(":")[0]
    if scheme not in STORE_TYPES:
        is_path = url and "://" not in url
        raise SettingsError(
            f"{url!r} is not a store URL", hint=f"Write sqlite:///{url if is_path else '.hookctl/hookctl.db'}"
        )
    return cast("StoreType", import_module(STORE_TYPES[scheme]))
