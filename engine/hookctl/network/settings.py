"""Turns settings (``--connect-to``, ``--cacert``, ``[allow]`` in hookctl.toml) into a :class:`Network`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from hookctl.errors import FileError, SettingsError
from hookctl.files import read_given
from hookctl.network.guard import HTTPS_PORT, Network
from hookctl.network.url import is_host

MAX_CA_BYTES = 4 * 1024 * 1024
"""The maximum size of a file of certificate authorities. The file of certifi is a tenth of it."""
_CONNECT_TO = re.compile(
    r"(?P<host>[^:\[\]]+):(?P<port>[0-9]{1,5}):(?:\[(?P<v6>[^\[\]]+)\]|(?P<v4>[^:\[\]]+)):(?P<to>[0-9]{1,5})"
)


def network_from_settings(
    *,
    allow: Mapping[str, Any],
    connect_to: Sequence[str],
    cacert: str | None,
    connect_to_source: str = "--connect-to",
    cacert_source: str = "--cacert",
) -> Network:
    """How this machine reaches targets.

    Args:
        allow: per host name, a list of networks (``["10.1.0.0/16"]``) that it may resolve to although they are not
            public.
        connect_to: entries ``HOST:443:ADDRESS:PORT``; an IPv6 address in brackets.
        cacert: a PEM file of the only authorities to trust.
        connect_to_source: what an error names as the place of ``connect_to``.
        cacert_source: what an error names as the place of ``cacert``.

    Raises:
        SettingsError: A setting has the wrong form, or the file cannot be read.
    """
    return Network(
        allow={host: _networks(host, networks) for host, networks in allow.items()},
        connect_to=dict(_connect_to(entry, connect_to_source) for entry in connect_to),
        ca_file=_ca_file(cacert, cacert_source) if cacert else None,
    )


def _networks(host: str, networks: Any) -> tuple[IPv4Network | IPv6Network, ...]:
    if not is_host(host):
        raise SettingsError(
            f"[allow]: {host!r} is not a host name",
            hint="Write the host exactly as in the webhook's URL, in lower case.",
        )
    if not isinstance(networks, list) or not networks or not all(isinstance(network, str) for network in networks):
        raise SettingsError(
            f"[allow]: {host} needs a list of networks, not {networks!r}",
            hint='Write "host.example" = ["10.1.0.0/16"].',
        )
    try:
        return tuple(ip_network(network) for network in networks)
    except ValueError as error:
        raise SettingsError(
            f"[allow]: {host}: {error}", hint="Write networks such as 10.1.0.0/16 or fd00:1::/48."
        ) from error


def _connect_to(entry: str, source: str) -> tuple[str, tuple[str, int]]:
    hint = "Write HOST:443:ADDRESS:PORT, such as siem.example.com:443:127.0.0.1:8443."
    match = _CONNECT_TO.fullmatch(entry)
    if match is None or not is_host(match["host"]):
        raise SettingsError(f"{source}: {entry!r} is not HOST:443:ADDRESS:PORT", hint=hint)
    if int(match["port"]) != HTTPS_PORT:
        raise SettingsError(f"{source}: {entry!r}: webhooks are sent to port {HTTPS_PORT} only", hint=hint)
    try:
        address = ip_address(match["v6"] or match["v4"])
    except ValueError as error:
        raise SettingsError(f"{source}: {entry!r}: {error}", hint=hint) from error
    port = int(match["to"])
    if not 0 < port < 65536:
        raise SettingsError(f"{source}: {entry!r}: {port} is not a port", hint=hint)
    return match["host"], (str(address), port)


def _ca_file(path: str, source: str) -> str:
    hint = "Name a file of PEM certificates."
    try:
        content = read_given(path, limit=MAX_CA_BYTES)
    except FileError as error:
        raise SettingsError(f"{source}: {path} cannot be read: {error.message}", hint=hint) from error
    if b"-----BEGIN CERTIFICATE-----" not in content:
        raise SettingsError(f"{source}: {path} does not contain a PEM certificate", hint=hint)
    return path
