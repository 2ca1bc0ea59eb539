"""Wraps the store that a third-party description opens, so that its errors name the plugin.

A store's methods run on the thread that calls them, because a store may depend on its thread, and without a time limit,
because a commit may take long. What they return is not copied.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from hookctl.errors import PluginError, StoreError
from hookctl.plugin import given
from hookctl.plugin.contain import BrokenContractError, Hook
from hookctl.plugin.part import Part

GIVE_FUTURES = frozenset({"submit"})
"""The methods of ``hookctl.store.interface.Store`` that return a future."""
GIVE_BLOCKS = frozenset({"hold_lock", "announce_runner"})
"""Those that return a context manager."""


def built_store(store: object, part: Part) -> Any:
    """The result of a store's ``open``, contained. Each method raises StoreError if the plugin fails."""
    return _Store(store, part)


class _Store:
    def __init__(self, store: Any, part: Part) -> None:
        self._store, self._part = store, part

    def __getattr__(self, name: str) -> Callable[..., Any]:
        hook = self._part.hook(name)
        call = partial(_call, self._part, hook)
        found = None if name.startswith("_") else call(getattr, self._store, name, None)
        if not callable(found):
            raise AttributeError(name)  # noqa: TRY004  # as for any attribute that is missing
        if name in GIVE_FUTURES:
            return lambda *args, **kwargs: call(lambda: _future(call, found(*args, **kwargs)))
        if name in GIVE_BLOCKS:
            return lambda *args, **kwargs: _Block(call, call(lambda: _block(found(*args, **kwargs))))
        return partial(call, found)


def _call(part: Part, hook: Hook, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return part.containment.call_here(hook, function, *args, **kwargs)
    except PluginError as error:
        raise StoreError(error.message, hint=error.hint) from error.__cause__


def _future(call: Callable[..., Any], given_future: Any) -> Future[Any]:
    """A future that ends with the given one, and whose error names the plugin."""
    if not isinstance(given_future, Future):
        raise BrokenContractError(f"{given.kind(given_future)}, not a Future")
    future: Future[Any] = Future()

    def end(ended: Future[Any]) -> None:
        try:
            result = call(ended.result)
        except BaseException as error:  # noqa: BLE001  # the caller gets it from the future
            future.set_exception(error)
        else:
            future.set_result(result)

    given_future.add_done_callback(end)
    return future


def _block(block: Any) -> Any:
    if not hasattr(type(block), "__enter__") or not hasattr(type(block), "__exit__"):
        raise BrokenContractError(f"{given.kind(block)}, not a context manager")
    return block


class _Block:
    """A contained context manager. It never suppresses an exception of the code inside it."""

    def __init__(self, call: Callable[..., Any], block: Any) -> None:
        self._call, self._block = call, block

    def __enter__(self) -> Any:
        return self._call(self._block.__enter__)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._call(self._leave, kind, error, trace)

    def _leave(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self._block.__exit__(kind, error, trace)
        except BaseException as raised:
            if raised is not error:
                raise
