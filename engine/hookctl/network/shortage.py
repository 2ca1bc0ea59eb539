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
    """A description of the resource that this machine lacks, if ``error`` or its cause shows a shortage; else None.

    A MemoryError of third-party code counts as the plugin's failure: the plugin may have asked for too much memory, and
    then waiting does not help.
    """
    is_plugins = isinstance(error, PluginError)
    for cause in causes(error):
        if isinstance(cause, LocalError):
            return cause.message if type(cause.message) is str else "this machine lacks a resource"
        if (isinstance(cause, MemoryError) and not is_plugins) or (
            isinstance(cause, socket.gaierror) and type(cause.errno) is int and cause.errno == socket.EAI_MEMORY
        ):
            return "this machine is out of memory"
        number = cause.errno if isinstance(cause, OSError) and not isinstance(cause, socket.gaierror) else None
        if type(number) is int and number in LOCAL_ERRNOS:  # third-party code may put any object there
            return lacks(number)
        if isinstance(cause, RuntimeError) and any(type(arg) is str and NO_THREAD in arg for arg in cause.args):
            return "this machine has no thread left for hookctl"
        if isinstance(cause, (ImportError, socket.gaierror)) and (
            found := lacking()
        ):  # these texts name the missing resource, but not the reason
            return found
    return None


def shortage_in_connect(number: int, address: str) -> str | None:
    """A description of the resource that is missing to connect to ``address``, by ``errno``; None for other errors.

    EADDRNOTAVAIL means that no local port is free. For an IPv6 address it usually means that the machine has no IPv6,
    and waiting does not help.
    """
    is_known = number in LOCAL_ERRNOS and not (number == errno.EADDRNOTAVAIL and ":" in address)
    return lacks(number) if is_known else None


def lacks(number: int) -> str:
    """A description of a shortage, by its ``errno``."""
    return f"this machine is at its limit: {os.strerror(number)}"


def lacking() -> str | None:
    """A description of the shortage if this process cannot open a single file descriptor now; else None."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return lacks(error.errno) if error.errno in LOCAL_ERRNOS else None
    return None


def causes(error: BaseException) -> Iterator[BaseException]:
    """``error`` and the exceptions behind it, nearest first.

    It follows the cause, the context unless it was suppressed, urllib3's ``reason``, and arguments that are exceptions.
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
