"""Opens the store that a URL names. Its scheme selects one that is built in, or one that a plugin adds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast, overload

from hookctl.errors import PluginError, SettingsError
from hookctl.model.store_type import EngineCheck, StoreType

if TYPE_CHECKING:
    from hookctl.store.interface import Store

STORE_TYPES = {"postgresql": "hookctl.store.postgres.url", "sqlite": "hookctl.store.sqlite.url"}
"""The built-in schemes, each with the module that has its ``STORE_TYPE``; it is imported when it is needed."""
NO_TYPES: Mapping[str, StoreType] = {}


def built_in(scheme: str) -> StoreType:
    """The built-in store of a scheme. Raises KeyError."""
    return cast("StoreType", import_module(STORE_TYPES[scheme]).STORE_TYPE)


def has_built_in_scheme(url: str) -> bool:
    """Whether no plugin is needed to open the store of a URL."""
    return url.partition(":")[0] in STORE_TYPES


@overload
def open_store(url: str, *, types: Mapping[str, StoreType] = ...) -> Store: ...
@overload
def open_store(url: str, *, create: bool, types: Mapping[str, StoreType] = ...) -> Store | None: ...
def open_store(url: str, *, create: bool = True, types: Mapping[str, StoreType] = NO_TYPES) -> Store | None:
    """Open the store that a URL such as ``sqlite:///PATH`` names. Close it with its method ``close``.

    Args:
        url: as for ``--store``.
        create: whether to create a store that does not exist yet.
        types: stores by scheme that plugins add: ``Plugins.stores``.

    Returns:
        The store; None if it does not exist and ``create`` is False.

    Raises:
        TypeError: ``url`` is not a string.
        SettingsError: there is no store of this scheme, or its URL is not complete.
        StoreError: the store cannot be opened.
    """
    store = _store_type(url, types).open(url, create=create)
    if store is not None and not has_built_in_scheme(url):
        _require_interface(store, url.partition(":")[0])
    return store


def store_files(url: str, types: Mapping[str, StoreType] = NO_TYPES) -> tuple[Path, ...]:
    """The files on this machine that the store opens, the main one first, whether they exist or not.

    None for a store on a server. Raises SettingsError as :func:`open_store` does.
    """
    return _store_type(url, types).files(url)


def check_engine(url: str, types: Mapping[str, StoreType] = NO_TYPES) -> EngineCheck:
    """The version of the database engine of a store, and any known problem with it.

    Raises SettingsError as :func:`open_store` does.
    """
    return _store_type(url, types).check_engine()


def check_server(url: str, types: Mapping[str, StoreType] = NO_TYPES) -> Iterable[EngineCheck]:
    """What is wrong with the server of a store, or worth knowing about it; nothing for a store in files.

    Raises SettingsError and StoreError as :func:`open_store` does.
    """
    return _store_type(url, types).check_server(url)


def initialize(url: str, types: Mapping[str, StoreType] = NO_TYPES) -> str:
    """Create a store if there is none, and return what was done. Raises SettingsError and StoreError."""
    return _store_type(url, types).initialize(url)


def upgrade(url: str, types: Mapping[str, StoreType] = NO_TYPES) -> str:
    """Upgrade a store to this version, and return what was done. Raises SettingsError and StoreError."""
    return _store_type(url, types).upgrade(url)


def _require_interface(store: Store, scheme: str) -> None:
    """Raise PluginError if an object lacks a method of a store."""
    from hookctl.store.interface import Store as Interface

    missing = [name for name in dir(Interface) if name[0] != "_" and not hasattr(store, name)]
    if missing:
        hint = "It must implement hookctl.store.interface.Store: tell its author."
        raise PluginError(f"the store {scheme!r} has no method {missing[0]}", hint=hint)


def _store_type(url: str, types: Mapping[str, StoreType]) -> StoreType:
    if not isinstance(url, str):
        raise TypeError(f"the URL of a store is a string, such as 'sqlite:///hookctl.db', not {url!r}")
    scheme = url.partition(":")[0]
    if scheme in STORE_TYPES:
        return built_in(scheme)
    if scheme in types and url[len(scheme) :].startswith(":"):
        return types[scheme]
    if "://" in url:  # the rest may contain a password
        name, hint = f"{scheme}://...", "Write sqlite:///.hookctl/hookctl.db or postgresql://USER@HOST/DATABASE"
    else:
        name, hint = url, f"Write sqlite:///{url or '.hookctl/hookctl.db'}"
    raise SettingsError(f"{name!r} is not a store URL", hint=hint)
