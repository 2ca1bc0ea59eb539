"""Checks addresses before hookctl connects: resolves a name once, and returns its addresses only if all are public."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from hookctl.errors import AddressBlockedError, LocalError, NameNotFoundError
from hookctl.network.addresses import why_blocked
from hookctl.network.shortage import HINT, shortage_of

HTTPS_PORT = 443

GetAddrInfo = Callable[..., Sequence[tuple[Any, Any, Any, Any, tuple[Any, ...]]]]
"""``socket.getaddrinfo``, or its replacement in tests."""


@dataclass(frozen=True, slots=True)
class Target:
    """The addresses that hookctl may connect to for a host."""

    host: str
    """The host name, for SNI, certificate verification and the Host header."""
    addresses: tuple[str, ...]
    """Vetted addresses, in the resolver's order."""
    port: int


@dataclass(frozen=True, slots=True)
class Network:
    """How this machine reaches targets. These settings belong to the machine, never to a webhook."""

    allow: Mapping[str, tuple[IPv4Network | IPv6Network, ...]] = field(default_factory=dict)
    """The non-public networks that each host may resolve to, by host name."""
    connect_to: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """The address and port to connect to instead, by host name, as in curl's ``--connect-to``. They are not checked,
    because the user chose them.
    """
    ca_file: str | None = None
    """A PEM file with the only authorities to trust; None: those of certifi."""
    getaddrinfo: GetAddrInfo = socket.getaddrinfo
    """The system's resolver, which tests replace."""

    def resolve(self, host: str) -> Target:
        """The vetted addresses of ``host``. Blocks while the resolver answers.

        Raises:
            NameNotFoundError: The name does not resolve.
            AddressBlockedError: At least one address is neither public nor allowed for this host.
            LocalError: This machine lacks a resource that the resolver needs.
        """
        instead = self.connect_to.get(host)
        if instead is not None:
            return Target(host, (instead[0],), instead[1])
        addresses = tuple(dict.fromkeys(self._lookup(host)))
        for address in addresses:
            why = why_blocked(address)
            if why and not any(address in network for network in self.allow.get(host, ())):
                raise AddressBlockedError(
                    f"{host} resolves to {address}, which is {why}",
                    hint="To allow this host, list it under [allow] in hookctl.toml.",
                )
        return Target(host, tuple(str(address) for address in addresses), HTTPS_PORT)

    def _lookup(self, host: str) -> list[IPv4Address | IPv6Address]:
        try:
            answers = self.getaddrinfo(host, HTTPS_PORT, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        except (
            OSError,
            ValueError,
        ) as error:  # ValueError: a name that cannot be resolved, such as one with a label of 64 characters
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
