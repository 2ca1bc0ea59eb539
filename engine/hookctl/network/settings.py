"""Turns settings (``--connect-to``, ``--cacert``, ``[allow]`` in hookctl.toml) into a :class:`Network`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from types import MappingProxyType
from typing import Any

from hookctl.errors import FileError, SettingsError
from hookctl.files import read_given
from hookctl.network.guard import HTTPS_PORT, Network
from hookctl.network.lookup import ip_or_none
from hookctl.network.proxy import proxy_from_url
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
    cacert_for: Mapping[str, str] = MappingProxyType({}),
    proxy: str | None = None,
    read_secrets: Callable[[str], str] | None = None,
    connect_to_source: str = "--connect-to",
    cacert_source: str = "--cacert",
    proxy_source: str = "--proxy",
) -> Network:
    """How this machine reaches targets.

    Args:
        allow: per host name, a list of networks (``["10.1.0.0/16"]``) that it may resolve to although they are not
            public. With ``host:port``, that port is used instead of 443, and the list may be empty.
        connect_to: entries ``HOST:443:ADDRESS:PORT``; an IPv6 address in brackets.
        cacert: a PEM file of the only authorities to trust.
        cacert_for: per host name, a PEM file of the only authorities to trust for it.
        proxy: the URL of the proxy, as for :func:`proxy_from_url`.
        read_secrets: replaces the secret references in the proxy's credentials; None where nothing is sent.
        connect_to_source: what an error names as the place of ``connect_to``.
        cacert_source: what an error names as the place of ``cacert``.
        proxy_source: what an error names as the place of ``proxy``.

    Raises:
        SettingsError: A setting has the wrong form, or the file cannot be read.
    """
    allowed = [(*_host_and_port(key), networks) for key, networks in allow.items()]
    for host, _, _ in allowed:
        if [one for one, _, _ in allowed].count(host) > 1:
            raise SettingsError(
                f"[allow] names {host} more than once", hint="A host has one port: write one entry with all networks."
            )
    return Network(
        allow={host: _networks(host, networks, has_port=port != HTTPS_PORT) for host, port, networks in allowed},
        ports={host: port for host, port, _ in allowed if port != HTTPS_PORT},
        connect_to=dict(_connect_to(entry, connect_to_source) for entry in connect_to),
        ca_file=_ca_file(cacert, cacert_source) if cacert else None,
        ca_files={host: _ca_file_of(host, path) for host, path in cacert_for.items()},
        proxy=proxy_from_url(proxy, proxy_source, read_secrets) if proxy else None,
    )


def _host_and_port(key: str) -> tuple[str, int]:
    """The host and port of ``host`` or ``host:port``."""
    host, colon, text = key.partition(":")
    if not is_host(host):
        raise SettingsError(
            f"[allow]: {host!r} is not a host name",
            hint="Write the host exactly as in the webhook's URL, in lower case.",
        )
    port = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
    if colon and not 0 < port < 65536:
        raise SettingsError(f"[allow]: {key!r}: {text!r} is not a port", hint='Write "host.example:8088".')
    return host, port if colon else HTTPS_PORT


def _networks(host: str, networks: Any, *, has_port: bool) -> tuple[IPv4Network | IPv6Network, ...]:
    is_list = isinstance(networks, list) and all(isinstance(network, str) for network in networks)
    if not is_list or not (networks or has_port):
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


def _ca_file_of(host: str, path: str) -> str:
    if not (is_host(host) or ip_or_none(host)):
        raise SettingsError(
            f"[cacert_for]: {host!r} is not a host name",
            hint="Write the host of a webhook or of the proxy, in lower case.",
        )
    return _ca_file(path, f"[cacert_for]: {host}")


def _ca_file(path: str, source: str) -> str:
    hint = "Name a file of PEM certificates."
    try:
        content = read_given(path, limit=MAX_CA_BYTES)
    except FileError as error:
        raise SettingsError(f"{source}: {path} cannot be read: {error.message}", hint=hint) from error
    if b"-----BEGIN CERTIFICATE-----" not in content:
        raise SettingsError(f"{source}: {path} does not contain a PEM certificate", hint=hint)
    return path
