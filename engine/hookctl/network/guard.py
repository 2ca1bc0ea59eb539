"""Checks addresses before hookctl connects: resolves a name once, and returns its addresses only if all are public.

With a proxy, the proxy resolves and checks the names of targets, and hookctl connects only to the proxy. Hosts for
which this machine has an exception of its own are still resolved, checked and reached directly.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from hookctl.errors import AddressBlockedError
from hookctl.network.addresses import why_blocked
from hookctl.network.lookup import GetAddrInfo, look_up

if TYPE_CHECKING:
    from hookctl.network.proxy import Proxy, Tunnel

HTTPS_PORT = 443


@dataclass(frozen=True, slots=True)
class Target:
    """The addresses that hookctl may connect to for a host."""

    host: str
    """The host name, for SNI, certificate verification and the Host header."""
    addresses: tuple[str, ...]
    """Vetted addresses of the host, or the addresses of the proxy, in the resolver's order."""
    port: int
    """The port to connect to at these addresses."""
    tunnel: Tunnel | None = None
    """What to ask the proxy at ``addresses`` for; None: they are the host's own."""


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
    ports: Mapping[str, int] = field(default_factory=dict)
    """The port to use instead of 443, by host name."""
    ca_files: Mapping[str, str] = field(default_factory=dict)
    """A PEM file with the only authorities to trust, by host name, instead of ``ca_file``. A host may be the proxy."""
    proxy: Proxy | None = None
    """The proxy for every host that is not in ``connect_to`` and has no networks in ``allow``."""

    def resolve(self, host: str) -> Target:
        """The vetted addresses of ``host``, or those of the proxy. Blocks while the resolver answers.

        Raises:
            NameNotFoundError: The name does not resolve.
            AddressBlockedError: At least one address is neither public nor allowed for this host.
            ProxyError: The proxy's name does not resolve, or its credentials cannot be read.
            LocalError: This machine lacks a resource that the resolver needs.
        """
        instead = self.connect_to.get(host)
        if instead is not None:
            return Target(host, (instead[0],), instead[1])
        port = self.ports.get(host, HTTPS_PORT)
        networks = self.allow.get(host, ())
        if self.proxy is not None and not networks:
            from hookctl.network.proxy import Tunnel  # imported with a proxy only: a plan does not need it

            reached = self.proxy.reach(self.getaddrinfo)
            return Target(host, reached.addresses, self.proxy.port, Tunnel(self.proxy, port, reached.credentials))
        addresses = tuple(dict.fromkeys(look_up(host, port, self.getaddrinfo)))
        for address in addresses:
            why = why_blocked(address)
            if why and not any(address in network for network in networks):
                raise AddressBlockedError(
                    f"{host} resolves to {address}, which is {why}",
                    hint="To allow this host, list it under [allow] in hookctl.toml.",
                )
        return Target(host, tuple(str(address) for address in addresses), port)

    def authorities(self, host: str) -> str | None:
        """The PEM file with the only authorities to trust for ``host``; None: those of certifi."""
        return self.ca_files.get(host, self.ca_file)
