"""Resolves one name, and reports failures in hookctl's words."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from hookctl.errors import LocalError, NameNotFoundError
from hookctl.network.shortage import HINT, shortage_of

GetAddrInfo = Callable[..., Sequence[tuple[Any, Any, Any, Any, tuple[Any, ...]]]]
"""``socket.getaddrinfo``, or its replacement in tests."""


def look_up(host: str, port: int, getaddrinfo: GetAddrInfo) -> list[IPv4Address | IPv6Address]:
    """Every address of ``host``, unchecked, in the resolver's order. Blocks while the resolver answers.

    Raises NameNotFoundError, and LocalError if this machine lacks a resource that the resolver needs.
    """
    try:
        answers = getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, ValueError) as error:  # ValueError: a name that cannot be resolved, such as one with a label of 64
        if lack := shortage_of(error):  # a resolver that gets no file descriptor reports an unknown name
            raise LocalError(lack, hint=HINT) from error
        reason = getattr(error, "strerror", None) or error
        raise NameNotFoundError(
            f"{host} does not resolve: {reason}",
            hint="Check the spelling of the host, and this machine's name service.",
        ) from error
    if not answers:
        raise NameNotFoundError(f"{host} has no address", hint="Check the spelling of the host.")
    return [ip_address(answer[4][0]) for answer in answers]


def ip_or_none(text: str) -> IPv4Address | IPv6Address | None:
    """The IP address that ``text`` is; None for anything else."""
    try:
        return ip_address(text)
    except ValueError:
        return None
