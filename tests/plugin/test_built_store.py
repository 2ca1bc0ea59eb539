"""What a third-party store may raise and return, and how its errors reach hookctl."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace
from typing import Any, get_origin, get_type_hints

import pytest

from hookctl.errors import (
    HookctlError,
    IntakeRefusedError,
    OutputError,
    StalePlanError,
    StateError,
    StateLockedError,
    StoreError,
    StoreGoneError,
)
from hookctl.model.token import Token
from hookctl.plugin import EngineCheck, StoreType, hookimpl
from hookctl.plugin.built_store import GIVE_BLOCKS, GIVE_FUTURES
from hookctl.plugin.host import load_plugins
from hookctl.store.history import AuditEntry
from hookctl.store.interface import Store


def opened(tell: Callable[..., None] | None = None, **methods: Any) -> Any:
    """A store of the plugin ``acme`` with these methods, as hookctl uses it."""
    kind = StoreType(
        scheme="team",
        summary="",
        open=lambda *_, **__: SimpleNamespace(**methods),
        check_engine=lambda: EngineCheck("team", "1"),
    )
    plugin = SimpleNamespace(__name__="acme", give=hookimpl(specname="hookctl_store_types")(lambda: [kind]))
    return load_plugins([plugin], tell).stores["team"].open("team:", create=True)


def raising(error: BaseException) -> Callable[..., Any]:
    def end(*_: Any, **__: Any) -> Any:
        raise error

    return end


@pytest.mark.parametrize(
    "error",
    [
        StoreError("the disk is full", hint="Free some."),
        StoreGoneError("it was deleted", hint="Stop."),
        StateLockedError("ana holds the lock", hint="Wait."),
        StalePlanError("it has changed", hint="Plan again."),
        StateError("protected", hint="No."),
        IntakeRefusedError("too full", hint="Later.", fits=3, retry_after=7),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_of_a_store_are_its_own(error: HookctlError) -> None:
    with pytest.raises(StateError) as raised:
        opened(finish=raising(error)).finish([], 0.0)
    assert type(raised.value) is type(error)
    assert vars(raised.value) == vars(error)


@pytest.mark.parametrize("error", [OutputError("closed", reader_left=True), KeyError("key"), SystemExit(0)])
def test_other_errors_are_a_failure_of_the_store(error: BaseException) -> None:
    shown: list[str] = []
    store = opened(lambda message, trace, _: shown.append(message + trace), finish=raising(error))
    with pytest.raises(StoreError, match=rf"^store team of plugin acme: finish raised {type(error).__name__}$"):
        store.finish([], 0.0)
    assert [f"finish raised {type(error).__name__}Traceback" in text for text in shown] == [True]


def test_ctrl_c_during_a_method_is_not_a_failure() -> None:
    with pytest.raises(KeyboardInterrupt):
        opened(finish=raising(KeyboardInterrupt())).finish([], 0.0)


def test_a_future_ends_as_that_of_the_store() -> None:
    future: Future[str] = Future()
    given = opened(submit=lambda _: future).submit(None)
    assert not given.done()
    future.set_result("committed")
    assert given.result(0) == "committed"
    failed: Future[str] = Future()
    failed.set_exception(StoreGoneError("it was deleted"))
    with pytest.raises(StoreGoneError, match=r"^it was deleted$"):
        opened(submit=lambda _: failed).submit(None).result(0)
    cancelled: Future[str] = Future()
    cancelled.cancel()
    with pytest.raises(StoreError, match=r"^store team of plugin acme: submit raised CancelledError$"):
        opened(submit=lambda _: cancelled).submit(None).result(0)


def test_a_block_raises_and_suppresses_nothing_of_what_is_inside() -> None:
    ended: list[str] = []

    @contextmanager
    def hold(**_: Any) -> Iterator[str]:
        try:
            yield "lock"
        finally:
            ended.append("released")

    @contextmanager
    def swallow(**_: Any) -> Iterator[None]:
        try:
            yield
        except OutputError:
            ended.append("swallowed")

    class Raising:
        def __enter__(self) -> None:
            pass

        def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
            ended.append("raised")
            assert error is not None
            raise error

    for block in (hold, swallow, lambda **_: Raising()):
        with pytest.raises(OutputError, match=r"^closed$"), opened(hold_lock=block).hold_lock(operation="apply"):
            raise OutputError("closed")
    with opened(hold_lock=hold).hold_lock(operation="apply") as lock:
        assert lock == "lock"
    assert ended == ["released", "swallowed", "raised", "released"]


def test_what_is_not_a_method_does_not_exist() -> None:
    store = opened(serial=7)
    assert not any(hasattr(store, name) for name in ("serial", "finish", "_store_type"))


def test_the_methods_that_return_futures_and_blocks_are_those_of_the_interface() -> None:
    def returning(kind: type) -> set[str]:
        methods = {name: method for name in dir(Store) if callable(method := getattr(Store, name)) and name[0] != "_"}
        names = {"Future": Future, "Token": Token, "AuditEntry": AuditEntry}
        hints = {name: get_type_hints(method, localns=names) for name, method in methods.items()}
        return {name for name, hint in hints.items() if get_origin(hint["return"]) is kind}

    assert returning(Future) == GIVE_FUTURES
    assert returning(AbstractContextManager) == GIVE_BLOCKS
