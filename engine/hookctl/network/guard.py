"""The dial-time gate: resolves a name once, and returns addresses only if all of them are public."""

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
    """The addresses at which a host may be dialled."""

    host: str
    """The host name, for SNI, certificate verification and the Host header."""
    addresses: tuple[str, ...]
    """Vetted addresses, in the resolver's order."""
    port: int


@dataclass(frozen=True, slots=True)
class Network:
    """How this machine reaches targets. These are settings of the machine, never of a webhook."""

    allow: Mapping[str, tuple[IPv4Network | IPv6Network, ...]] = field(default_factory=dict)
    """The non-public networks that each host may resolve to, by host name."""
    connect_to: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """The address and port to dial instead, by host name, as in curl's ``--connect-to``. The user vouches for them."""
    ca_file: str | None = None
    """A PEM file with the only authorities to trust; None: those of certifi."""
    getaddrinfo: GetAddrInfo = socket.getaddrinfo
    """The system's resolver, which tests replace."""

    def resolve(self, host: str) -> Target:
        """The vetted addresses of ``host``. Blocks while the resolver answers.

        Raises:
            NameNotFoundError: the name does not resolve.
            AddressBlockedError: any of its addresses is not public, and not allowed for this host.
            LocalError: this machine lacks what the resolver needs.
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
        ) as error:  # ValueError: a name that cannot be asked for, such as one with a label of 64 characters
            if lack := shortage_of(error):  # a resolver without a file descriptor reports an unknown name
                raise LocalError(lack, hint=HINT) from error
            reason = getattr(error, "strerror", None) or error
            raise NameNotFoundError(
                f"{host} does not resolve: {reason}",
                hint="Check the spelling of the host, and this machine's name service.",
            ) from error
        if not answers:
            raise NameNotFoundError(f"{host} has no address", hint="Check the spelling of the host.")
        return [ip_address(answer[4][0]) for answer in answers]
