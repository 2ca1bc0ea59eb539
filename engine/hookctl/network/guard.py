"""The dial-time gate: resolve once, refuse when any answer is not public, give out only what was vetted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network


@dataclass(frozen=True, slots=True)
class Target:
    """Where a host may be dialled."""

    host: str
    """The name: for SNI, certificate verification and the Host header."""
    addresses: tuple[str, ...]
    """Vetted addresses, in the resolver's order."""
    port: int


@dataclass(frozen=True, slots=True)
class Network:
    """How this machine reaches targets. Settings of the machine, never of a webhook."""

    allow: Mapping[str, tuple[IPv4Network | IPv6Network, ...]] = field(default_factory=dict)
    """Per host name: non-public networks that it may resolve to."""
    connect_to: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Per host name: an address and port to dial instead, as curl's ``--connect-to``; vetted by whoever set it."""
    ca_file: str | None = None
    """A PEM file of the only authorities to trust; None: those of certifi."""

    def resolve(self, host: str) -> Target:
        """The vetted addresses of ``host``. Blocks while the resolver answers.

        Raises:
            NameNotFoundError: the name does not resolve.
            AddressBlockedError: any of its addresses is not public, and not allowed for this host.
        """
        raise NotImplementedError
