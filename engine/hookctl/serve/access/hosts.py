"""Which names the server answers to.

A page of another site can have its own name resolve to this server (DNS rebinding). The ``Host`` header of its requests
still has that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address

NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

UNSPECIFIED = frozenset({"0.0.0.0", "::"})  # noqa: S104
"""To listen there is to listen on every address; it is not a name of the server."""


def host_name(header: str) -> str:
    """The name in a ``Host`` header, without its port and in lower case; empty if it is not valid."""
    name, colon, port = header.rpartition(":")
    if header.startswith("["):
        name, bracket, rest = header[1:].partition("]")
        if not bracket or ":" not in name or not (rest == "" or _is_port(rest.removeprefix(":"), rest[:1])):
            return ""
        return name.lower()
    if not colon:
        return header.lower()
    return name.lower() if _is_port(port, colon) and ":" not in name else ""


def is_host_name(text: str) -> bool:
    """Whether a text is a name or an address, perhaps with a port, that a ``Host`` header can have."""
    name = host_name(text)
    return bool(NAME.fullmatch(name)) or (":" in name and _is_ip(name))


class Hosts:
    """The names of loopback, the names that the user gave, and the address at which a request arrived.

    The last is safe, because a name that is rebound stays in the header as a name, and never becomes an address.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = LOOPBACK_NAMES | {host_name(name) or name.lower() for name in names} - UNSPECIFIED
        self._name_of = lru_cache(256)(host_name)

    def allow(self, header: str, arrived_at: str) -> bool:
        """Whether a request with this ``Host`` header may be answered. ``arrived_at``: the server's own address."""
        name = self._name_of(header)
        return bool(name) and (name in self._names or name == arrived_at)


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach an address."""
    if address.lower() == "localhost":
        return True
    try:
        return ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _is_ip(text: str) -> bool:
    """Whether a text is an address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_port(text: str, colon: str) -> bool:
    return colon == ":" and text.isascii() and text.isdecimal() and int(text) < 65536
