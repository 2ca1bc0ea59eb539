"""The final check of a request before it is sent: no value may change the meaning of the bytes around it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hookctl.errors import TransportError
from hookctl.network.url import split_url

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_HEADER = re.compile(
    r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\n[\t\x20-\x7e\x80-\xff]*"
)  # a name, a line break (which neither a name nor a value can contain), and a value
_REFUSED = frozenset(
    {"transfer-encoding", "upgrade", "te", "trailer", "expect", "proxy-authorization", "proxy-connection"}
)
_SET_BY_TRANSPORT = frozenset({"accept-encoding", "connection", "content-length", "host", "keep-alive"})


def vet_request(
    method: str, url: str, headers: Iterable[tuple[str | bytes, str | bytes]]
) -> tuple[str, list[tuple[str, str]]]:
    """The host to connect to, and the headers to send.

    Headers that belong to the transport (Host, Content-Length, Accept-Encoding, Connection) are left out.

    Raises:
        TransportError: The URL is not allowed, or the method or a header is not safe to send. The message contains no
            value.
    """
    host = vet_target(method, url)
    return host, [
        vetted for name, value in headers if (vetted := vet_header(as_text(name), as_text(value), host)) is not None
    ]


def vet_target(method: str, url: str) -> str:
    """The host to connect to. Raises TransportError as :func:`vet_request`."""
    if method not in METHODS:
        raise TransportError(
            f"{method!r} is not a supported method",
            hint=f"Use one of {', '.join(sorted(METHODS))}.",
        )
    parts = split_url(url)
    if parts is None:
        raise TransportError(
            "hookctl does not connect to this URL",
            hint="Run `hookctl validate` for the reason. Percent-encode a secret in the URL.",
        )
    return parts[0]


def vet_header(name: str, value: str, host: str) -> tuple[str, str] | None:
    """The header to send to ``host``; None for a header that belongs to the transport.

    Raises TransportError as :func:`vet_request`.
    """
    if not _HEADER.fullmatch(f"{name}\n{value}"):
        shown = name if name.isascii() and name.isprintable() else repr(name)
        raise TransportError(
            f"the header {shown} cannot be sent",
            hint="A value cannot contain line breaks, NUL or characters outside Latin-1; a name cannot contain spaces.",
        )
    lower = name.lower()
    if lower in _SET_BY_TRANSPORT:
        if lower == "host" and value != host:
            raise TransportError("the header Host differs from the URL's host", hint="Remove it.")
        return None
    if lower in _REFUSED:
        raise TransportError(f"a webhook cannot set the header {name}", hint="Remove it.")
    return name, value


def as_text(value: str | bytes) -> str:
    """``value`` as a header's name or value is written; bytes are decoded as Latin-1."""
    return value if isinstance(value, str) else bytes(value).decode("latin-1")
