"""The last look at a request before it is sent: nothing that could change the meaning of what goes over the wire."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hookctl.errors import TransportError
from hookctl.network.url import split_url

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_HEADER = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\n[\t\x20-\x7e\x80-\xff]*")  # name, a line break that neither can hold, value
_REFUSED = frozenset({"transfer-encoding", "upgrade", "te", "trailer", "expect", "proxy-authorization", "proxy-connection"})
_SET_BY_TRANSPORT = frozenset({"accept-encoding", "connection", "content-length", "host", "keep-alive"})


def vet_request(method: str, url: str, headers: Iterable[tuple[str | bytes, str | bytes]]) -> tuple[str, list[tuple[str, str]]]:
    """The host to dial and the headers to send; those that belong to the transport (Host, Content-Length, Accept-Encoding, Connection) are left out.

    Raises:
        TransportError: the URL is not one that may be dialled, or the method or a header is not safe to send. The message holds no value.
    """
    if method not in METHODS:
        raise TransportError(f"the method {method!r} is none that webhooks are sent with", hint=f"Use one of {', '.join(sorted(METHODS))}.")
    parts = split_url(url)
    if parts is None:
        raise TransportError("the URL is not one that may be dialled", hint="hookctl validate says why; a secret in it must be percent-encoded.")
    vetted = []
    for raw_name, raw_value in headers:
        name, value = _text(raw_name), _text(raw_value)
        if not _HEADER.fullmatch(f"{name}\n{value}"):
            shown = name if name.isascii() and name.isprintable() else repr(name)
            raise TransportError(
                f"the header {shown} cannot be sent as it is", hint="Line breaks, NUL and what Latin-1 lacks are refused, and spaces in names."
            )
        lower = name.lower()
        if lower in _SET_BY_TRANSPORT:
            if lower == "host" and value != parts[0]:
                raise TransportError("the header Host differs from the URL's host", hint="Remove it.")
        elif lower in _REFUSED:
            raise TransportError(f"the header {name} is not a webhook's to set", hint="Remove it.")
        else:
            vetted.append((name, value))
    return parts[0], vetted


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else bytes(value).decode("latin-1")
