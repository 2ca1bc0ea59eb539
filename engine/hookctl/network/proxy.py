"""The egress proxy of this machine: where it is, how hookctl authenticates to it, and what its answers mean."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from hookctl.errors import HookctlError, LocalError, ProxyError, SettingsError
from hookctl.model import PROXY_CANNOT_REACH, PROXY_CREDENTIALS, PROXY_REFUSES
from hookctl.model.secret import REFERENCE
from hookctl.network.lookup import GetAddrInfo, ip_or_none, look_up
from hookctl.network.url import is_host

KEEP_SECONDS = 5.0
"""Seconds for which the proxy's addresses and credentials are reused, so that a thousand hosts need one lookup."""
WANTS_CREDENTIALS = frozenset({401, 407})
"""The statuses of a proxy that wants credentials. The standard is 407; tinyproxy answers 401 to wrong ones."""
_PART = r"(?:[^\s:@/?#\[\]$%]|\$\{[^{}]*\})+"
_URL = re.compile(
    rf"(?P<scheme>https?)://(?:(?P<user>{_PART}):(?P<password>{_PART})@)?"
    r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<host>[^\s:@/?#\[\]]+)):(?P<port>[0-9]{1,5})/?"
)
_HINT = (
    "Write http://HOST:PORT or https://HOST:PORT. Credentials go before the host, as secret references: "
    "http://${env:PROXY_USER}:${env:PROXY_PASSWORD}@HOST:PORT"
)


@dataclass(frozen=True, slots=True)
class Reached:
    """How to connect to the proxy now."""

    addresses: tuple[str, ...]
    """What its name resolves to. They need not be public, because the operator of this machine named the proxy."""
    credentials: tuple[str, str] | None = field(default=None, repr=False)
    """User name and password; None for a proxy without credentials."""


@dataclass(frozen=True, slots=True)
class Tunnel:
    """What to ask the proxy for."""

    proxy: Proxy
    port: int
    """The target's port, which hookctl asks the proxy to connect to."""
    credentials: tuple[str, str] | None = field(default=None, repr=False)


class Proxy:
    """One HTTP proxy that opens tunnels with CONNECT. Safe for use by many threads."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        is_tls: bool = False,
        credentials: Callable[[], tuple[str, str]] | None = None,
    ) -> None:
        """Describe a proxy; nothing is resolved yet.

        Args:
            host: its name or IP address.
            port: its TCP port.
            is_tls: whether the connection to the proxy itself uses TLS.
            credentials: reads its user name and password from their secret sources. It may block, and may raise
                HookctlError.
        """
        self.host, self.port, self.is_tls = host, port, is_tls
        self._credentials = credentials
        self._lock = threading.Lock()
        self._kept: tuple[float, Reached] | None = None

    @property
    def url(self) -> str:
        """Where the proxy is, without its credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.is_tls else 'http'}://{host}:{self.port}"

    @property
    def has_credentials(self) -> bool:
        """Whether hookctl authenticates to the proxy."""
        return self._credentials is not None

    def read_credentials(self) -> tuple[str, str] | None:
        """User name and password; None for a proxy without. May block.

        Raises ProxyError if a secret cannot be read, or cannot be sent as HTTP Basic; it contains no secret.
        """
        if self._credentials is None:
            return None
        try:
            user, password = self._credentials()
        except LocalError:
            raise
        except HookctlError as error:
            message = f"the credentials of the proxy {self.url} cannot be read: {error.message}"
            raise ProxyError(message, hint=error.hint, cause=PROXY_CREDENTIALS) from error
        if ":" in user or not (user + password).isprintable():
            raise ProxyError(
                f"the credentials of the proxy {self.url} cannot be sent: "
                "the user name contains a colon, or one of them a control character",
                hint="Check the secrets; files often end with a line break too many.",
                cause=PROXY_CREDENTIALS,
            )
        return user, password

    def reach(self, getaddrinfo: GetAddrInfo = socket.getaddrinfo) -> Reached:
        """The addresses and credentials of the proxy, reused for :data:`KEEP_SECONDS`. Blocks otherwise.

        Raises:
            ProxyError: Its name does not resolve, or its credentials cannot be read.
            LocalError: This machine lacks a resource that the resolver needs.
        """
        with self._lock:
            if self._kept and self._kept[0] > time.monotonic():
                return self._kept[1]
            reached = Reached(self._resolve(getaddrinfo), self.read_credentials())
            self._kept = time.monotonic() + KEEP_SECONDS, reached
            return reached

    def _resolve(self, getaddrinfo: GetAddrInfo) -> tuple[str, ...]:
        if ip_or_none(self.host):
            return (self.host,)
        try:
            return tuple(dict.fromkeys(map(str, look_up(self.host, self.port, getaddrinfo))))
        except LocalError:
            raise
        except HookctlError as error:
            message = f"the proxy {self.url} cannot be reached: {error.message}"
            raise ProxyError(
                message, hint="Check the proxy's name in --proxy, HOOKCTL_PROXY or hookctl.toml."
            ) from error


def proxy_from_url(text: str, source: str, read_secrets: Callable[[str], str] | None = None) -> Proxy:
    """The proxy that a setting names.

    Args:
        text: ``http://HOST:PORT`` or ``https://HOST:PORT``; before the host ``USER:PASSWORD@``, of which at least the
            password is a secret reference.
        source: what an error names as the place of the setting.
        read_secrets: replaces the secret references in a text; None where nothing is sent.

    Raises SettingsError, which does not repeat the text: it may contain a password.
    """
    match = _URL.fullmatch(text)
    if match is None:
        raise SettingsError(f"{source} is not the URL of a proxy", hint=_HINT)
    host, port = match["v6"] or match["host"], int(match["port"])
    if not (ip_or_none(host) or is_host(host)):
        raise SettingsError(f"{source}: {host!r} is not a host name in lower case or an IP address", hint=_HINT)
    if not 0 < port < 65536:
        raise SettingsError(f"{source}: {port} is not a port", hint=_HINT)
    user, password = match["user"], match["password"]
    if password and (not REFERENCE.search(password) or "$" in REFERENCE.sub("", user + password)):
        raise SettingsError(f"{source}: the password is not a secret reference", hint=_HINT)
    credentials = None
    if password:

        def credentials() -> tuple[str, str]:
            if read_secrets is None:
                raise ProxyError("no secrets can be read here")
            return read_secrets(user), read_secrets(password)

    return Proxy(host, port, is_tls=match["scheme"] == "https", credentials=credentials)


def refusal(proxy: Proxy, host: str, port: int, status: int) -> ProxyError:
    """The error for a proxy that answered CONNECT with ``status``, which is not 2xx.

    It quotes nothing else of the answer, which might repeat the credentials.
    """
    if status in WANTS_CREDENTIALS:
        cause, meaning = PROXY_CREDENTIALS, "it wants credentials" if not proxy.has_credentials else "wrong credentials"
    elif 400 <= status < 500:
        cause, meaning = PROXY_REFUSES, "its rules do not allow this target"
    elif 500 <= status < 600:
        cause, meaning = PROXY_CANNOT_REACH, "it could not connect to the target"
    else:
        cause, meaning = "", "not an answer to CONNECT"
    message = f"the proxy {proxy.url} answered {status} to CONNECT {host}:{port}: {meaning}"
    return ProxyError(message, cause=cause)
