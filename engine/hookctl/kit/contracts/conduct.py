"""Watches what code does while a test calls it: its network, its waiting, and its use by several threads at once."""

from __future__ import annotations

import builtins
import io
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar
from unittest import mock

T = TypeVar("T")
NETWORK: tuple[tuple[Any, str], ...] = (
    (socket.socket, "connect"),
    (socket.socket, "connect_ex"),
    (socket.socket, "sendto"),
    (socket, "getaddrinfo"),
    (socket, "gethostbyname"),
)
"""What Python code uses to reach a network. A library in C, such as libcurl, is not seen."""
WAITING: tuple[tuple[Any, str], ...] = (
    (time, "sleep"),
    (builtins, "open"),
    (io, "open"),
    (os, "open"),
    (subprocess, "Popen"),
)
"""What waits for a clock, a disk or a process."""
THREADS = 8
LONGEST_SECONDS = 30.0
"""Seconds after which a call counts as one that does not return."""


@contextmanager
def watched(functions: Sequence[tuple[Any, str]]) -> Iterator[list[str]]:
    """The names of these functions that are called meanwhile. Each raises OSError instead of doing anything."""
    called: list[str] = []

    def refuse(name: str) -> Callable[..., Any]:
        def refused(*_: object, **__: object) -> Any:
            called.append(name)
            raise OSError(f"the contract does not allow {name} here")

        return refused

    with ExitStack() as stack:
        for place, name in functions:
            stack.enter_context(mock.patch.object(place, name, refuse(f"{place.__name__}.{name}")))
        yield called


@contextmanager
def later(seconds: float) -> Iterator[None]:
    """``time.time`` is ``seconds`` ahead meanwhile."""
    now = time.time
    with mock.patch.object(time, "time", side_effect=lambda: now() + seconds):
        yield


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """The results of calls that several threads make at the same time, in order.

    Raises the first exception of a call, and AssertionError if one does not return.
    """
    results: dict[int, T] = {}
    errors: list[BaseException] = []
    start = threading.Barrier(len(calls))

    def make(number: int) -> None:
        try:
            start.wait()
            results[number] = calls[number]()
        except BaseException as error:  # noqa: BLE001  # raised again below, in the thread of the test
            errors.append(error)

    threads = [threading.Thread(target=make, args=(number,), daemon=True) for number in range(len(calls))]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns as often as possible, so that they meet where they can
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONGEST_SECONDS)
    finally:
        sys.setswitchinterval(before)
    if errors:
        raise errors[0]
    assert len(results) == len(calls), "a call by one of several threads does not return"
    return [results[number] for number in range(len(calls))]
