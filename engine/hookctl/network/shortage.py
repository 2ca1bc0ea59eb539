"""Distinguishes shortages of this machine from failures of a target."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from typing import Any

from hookctl.errors import LocalError, PluginError

LOCAL_ERRNOS = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL, errno.ENOSPC, errno.EDQUOT}
)
"""File descriptors (of the process, of the system), memory, buffers, local ports, disk space."""
NO_THREAD = "can't start new thread"
"""The text of the RuntimeError that Python raises when the system cannot start a thread: it has no code or type."""
HINT = "Raise the limit that it names (ulimit -n, ulimit -u, the container's memory), or stop what else uses it."


def shortage_of(error: BaseException) -> str | None:
    """What this machine lacks, in words, if ``error`` or its cause means that; else None.

    A MemoryError of third-party code counts as the plugin's failure: its cause may be what the plugin asked for, and
    then no wait helps.
    """
    is_plugins = isinstance(error, PluginError)
    for cause in causes(error):
        if isinstance(cause, LocalError):
            return cause.message
        if (isinstance(cause, MemoryError) and not is_plugins) or (
            isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_MEMORY
        ):
            return "this machine is out of memory"
        if isinstance(cause, OSError) and not isinstance(cause, socket.gaierror) and cause.errno in LOCAL_ERRNOS:
            return lacks(cause.errno)
        if isinstance(cause, RuntimeError) and NO_THREAD in str(cause):
            return "this machine has no thread left for hookctl"
        if isinstance(cause, (ImportError, socket.gaierror)) and (
            found := lacking()
        ):  # they name what is missing, but not the reason
            return found
    return None


def shortage_in_connect(number: int, address: str) -> str | None:
    """What this machine lacks when it cannot connect to ``address``, by the ``errno``; None when it lacks nothing.

    EADDRNOTAVAIL means that no local port is free; for an IPv6 address it means as a rule that the machine has no IPv6,
    and waiting does not help.
    """
    is_known = number in LOCAL_ERRNOS and not (number == errno.EADDRNOTAVAIL and ":" in address)
    return lacks(number) if is_known else None


def lacks(number: int) -> str:
    """A description of a shortage, by its ``errno``."""
    return f"this machine is at its limit: {os.strerror(number)}"


def lacking() -> str | None:
    """Whether not even one file descriptor can be had now, in words; None when one can."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return lacks(error.errno) if error.errno in LOCAL_ERRNOS else None
    return None


def causes(error: BaseException) -> Iterator[BaseException]:
    """``error`` and the exceptions behind it, nearest first.

    By cause, by context unless it was left out on purpose, by urllib3's ``reason``, and by arguments that are
    exceptions.
    """
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        current = waiting.pop(0)
        if issubclass(type(current), BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            context = None if current.__suppress_context__ else current.__context__
            waiting += [getattr(current, "reason", None), current.__cause__, context, *current.args]
