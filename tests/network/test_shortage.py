"""What this machine lacks, told from everything else that may go wrong."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from typing import NoReturn

import pytest
import requests
import urllib3

from hookctl.errors import ConnectError, LocalError
from hookctl.network.shortage import LOCAL_ERRNOS, lacking, shortage_in_connect, shortage_of


def emfile() -> OSError:
    return OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def chained(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def in_context(error: Exception, context: Exception, *, suppressed: bool = False) -> Exception:
    error.__context__, error.__suppress_context__ = context, suppressed
    return error


@pytest.mark.parametrize("number", sorted(LOCAL_ERRNOS))
def test_each_shortage_is_named_by_its_errno(number: int) -> None:
    assert shortage_of(OSError(number, "x")) == f"this machine is at its limit: {os.strerror(number)}"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("can't start new thread"),
        socket.gaierror(socket.EAI_MEMORY, "Memory allocation failure"),
        LocalError("no room"),
        chained(ConnectError("siem.example.com cannot be reached"), emfile()),
        in_context(ValueError("in a handler"), emfile()),
        requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", emfile())),
    ],
    ids=repr,
)
def test_what_is_a_shortage(error: Exception) -> None:
    assert shortage_of(error)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
        OSError("no errno"),
        TimeoutError(),
        RuntimeError("something else"),
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
        ModuleNotFoundError("No module named 'x'"),
        in_context(ValueError("raised from None"), emfile(), suppressed=True),
    ],
    ids=repr,
)
def test_what_is_not_a_shortage(error: Exception) -> None:
    assert shortage_of(error) is None


def test_what_does_not_say_why_is_a_shortage_when_there_is_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object, **__: object) -> NoReturn:
        raise emfile()

    assert lacking() is None
    monkeypatch.setattr(os, "open", none_left)
    assert lacking() == "this machine is at its limit: Too many open files"
    assert shortage_of(ImportError("libx.so: cannot open shared object file"))
    assert shortage_of(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))


@pytest.mark.parametrize(
    ("number", "address", "expected"),
    [
        (errno.EADDRNOTAVAIL, "203.0.113.1", True),
        (errno.EADDRNOTAVAIL, "2001:db8::1", False),  # a machine without IPv6 says so, for ever
        (errno.EMFILE, "2001:db8::1", True),
        (errno.ECONNREFUSED, "203.0.113.1", False),
        (0, "203.0.113.1", False),
    ],
)
def test_connecting(number: int, address: str, *, expected: bool) -> None:
    assert bool(shortage_in_connect(number, address)) is expected


@pytest.mark.parametrize("raised", [MemoryError, emfile], ids=["memory", "files"])
def test_errors_that_point_at_themselves_end(raised: Callable[[], Exception]) -> None:
    error = ValueError("a circle")
    error.__cause__ = chained(KeyError("x"), error)
    assert shortage_of(error) is None
    error.args = (raised(),)
    assert shortage_of(error)
