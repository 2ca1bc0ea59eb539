"""Which names the server answers to.

A page of another site can have its own name resolve to this server (DNS rebinding). The ``Host`` header of its requests
still has that name.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

UNSPECIFIED = frozenset({"0.0.0.0", "::"})  # noqa: S104
"""To listen there is to listen on every address; it is not a name of the server."""


def host_name(header: str) -> str:
    """The name in a ``Host`` header, without its port and in lower case; empty if it is not valid."""
    name, colon, port = header.rpartition(":")
    if header.startswith("["):
        name, bracket, rest = header[1:].partition("]")
        if not bracket or not (rest == "" or _is_port(rest.removeprefix(":"), rest[:1])):
            return ""
        return name.lower()
    if not colon:
        return header.lower()
    return name.lower() if _is_port(port, colon) and ":" not in name else ""


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
        return name in self._names or (bool(name) and name == arrived_at)


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach an address."""
    if address.lower() == "localhost":
        return True
    try:
        return ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _is_port(text: str, colon: str) -> bool:
    return colon == ":" and text.isascii() and text.isdecimal() and int(text) < 65536
