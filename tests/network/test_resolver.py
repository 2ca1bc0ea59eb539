from __future__ import annotations

import errno
import os
import socket
import threading
from functools import partial
from typing import Any

import pytest

from hookctl.errors import AddressBlockedError, DeadlineError, LocalError, NameNotFoundError
from hookctl.network import Network, resolver
from hookctl.network.resolver import Resolver
from hookctl.threads import Pool


class Names:
    """A stand-in for ``getaddrinfo`` that counts, and may be made to wait."""

    def __init__(self, address: str = "8.8.8.8") -> None:
        self.address = address
        self.asked: list[str] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, host: str, port: int, **_: Any) -> Any:
        self.asked.append(host)
        self.go.wait()
        if host.startswith("unknown"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (self.address, port))]


def test_an_answer_is_asked_for_once_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names()
    resolving = Resolver(Network(getaddrinfo=names))
    assert [resolving.resolve("a.example", 5).addresses for _ in range(3)] == [("8.8.8.8",)] * 3
    assert names.asked == ["a.example"]
    monkeypatch.setattr(resolver, "KEEP_SECONDS", -1.0)
    resolving.resolve("b.example", 5)
    resolving.resolve("b.example", 5)
    assert names.asked == ["a.example", "b.example", "b.example"]
    resolving.close()


def test_a_failure_is_kept_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names()
    resolving = Resolver(Network(getaddrinfo=names))
    for _ in range(2):
        with pytest.raises(NameNotFoundError):
            resolving.resolve("unknown.example", 5)
    assert names.asked == ["unknown.example"]
    monkeypatch.setattr(resolver, "KEEP_FAILURE_SECONDS", -1.0)
    for _ in range(2):
        with pytest.raises(NameNotFoundError):
            resolving.resolve("unknown.too.example", 5)
    assert names.asked[1:] == ["unknown.too.example"] * 2
    resolving.close()


def test_every_answer_is_vetted() -> None:
    resolving = Resolver(Network(getaddrinfo=Names("10.0.0.1")))
    with pytest.raises(AddressBlockedError):
        resolving.resolve("a.example", 5)
    resolving.close()


def test_the_deadline_holds_and_a_late_answer_serves_the_next() -> None:
    names = Names()
    names.go.clear()
    resolving = Resolver(Network(getaddrinfo=names))
    with pytest.raises(DeadlineError):
        resolving.resolve("a.example", 0.01)
    names.go.set()
    assert resolving.resolve("a.example", 5).addresses == ("8.8.8.8",)
    assert names.asked == ["a.example"]
    resolving.close()


def test_names_that_hang_delay_no_other() -> None:
    """A hundred names whose service does not answer, and one that is resolved meanwhile."""
    hanging = threading.Event()

    def ask(host: str, port: int, **_: Any) -> Any:
        if host.startswith("hangs"):
            hanging.wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", port))]

    resolving = Resolver(Network(getaddrinfo=ask))
    answers = [resolving.begin(f"hangs-{number}.example") for number in range(100)]
    assert resolving.resolve("well.example", 5).addresses == ("8.8.8.8",)
    assert not any(answer.done() for answer in answers)
    hanging.set()
    assert [answer.result(5).host for answer in answers] == [f"hangs-{number}.example" for number in range(100)]
    resolving.close()


def test_a_name_that_waits_for_a_thread_is_not_its_service_being_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names()
    names.go.clear()
    monkeypatch.setattr(resolver, "Pool", partial(Pool, limit=1))
    resolving = Resolver(Network(getaddrinfo=names))
    first = resolving.begin("a.example")
    with pytest.raises(LocalError, match="no thread was free"):
        resolving.resolve("b.example", 0.01)
    with pytest.raises(DeadlineError):
        resolving.resolve("a.example", 0.01)
    names.go.set()
    assert first.result(5).host == "a.example"
    resolving.close()


def test_no_thread_to_be_had_is_a_local_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    resolving = Resolver(Network(getaddrinfo=Names()))
    with pytest.raises(LocalError, match="no thread left"):
        resolving.resolve("a.example", 5)


@pytest.mark.parametrize(
    "error", [OSError(errno.EMFILE, "Too many open files"), MemoryError(), socket.gaierror(socket.EAI_MEMORY, "Memory")]
)
def test_what_this_machine_lacks_is_not_a_name_that_does_not_resolve(error: BaseException) -> None:
    def ask(*_: Any, **__: Any) -> Any:
        raise error

    with pytest.raises((LocalError, MemoryError)):
        Network(getaddrinfo=ask).resolve("a.example")


def test_a_resolver_without_a_descriptor_does_not_say_that_the_name_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The C library then answers what it answers for a name that does not exist."""

    def none_left(*_: Any, **__: Any) -> Any:
        raise OSError(errno.EMFILE, "Too many open files")

    names = Network(getaddrinfo=Names())
    with pytest.raises(NameNotFoundError):
        names.resolve("unknown.example")
    monkeypatch.setattr(os, "open", none_left)
    with pytest.raises(LocalError, match="Too many open files"):
        names.resolve("unknown.example")


def test_connect_to_needs_no_thread() -> None:
    before = threading.active_count()
    resolving = Resolver(Network(connect_to={"a.example": ("127.0.0.1", 1)}))
    assert resolving.begin("a.example").done()
    assert threading.active_count() == before


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "MAX_KEPT", 10)
    monkeypatch.setattr(resolver, "KEEP_SECONDS", -1.0)
    resolving = Resolver(Network(getaddrinfo=Names()))
    for number in range(100):
        resolving.resolve(f"{number}.example", 5)
    assert len(resolving._lookups) <= 10
    resolving.close()
