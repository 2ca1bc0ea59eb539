"""Translates the heads of requests and responses between hookctl and libcurl.

It caches lines, because most of them are the same each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from hookctl.network.outgoing import vet_header, vet_target
from hookctl.plugin.responses import is_framed

Header = tuple[str, str]
Head = tuple[int, str, tuple[Header, ...], bool]
"""Status, reason, headers, and whether the end of the body is marked."""
Key = TypeVar("Key")
Value = TypeVar("Value")
MAX_KNOWN = 1024
"""The maximum number of cached URLs, and of cached headers of each direction. Beyond it, the cache is cleared."""
MAX_KNOWN_LENGTH = 2048
"""The maximum length of a cached line, so that no target can fill the memory."""
_NEW_EACH_TIME = frozenset({"webhook-id", "webhook-signature"})
_TAKEN_AWAY = [b"Accept:", b"Content-Type:", b"User-Agent:", b"Expect:", b"Accept-Encoding: identity"]
"""Keeps libcurl from adding any header. A name without a value removes libcurl's own header, but not one of the
request.
"""


class Heads:
    """Vets and writes the heads of requests, and reads those of responses. Safe for use by many threads."""

    def __init__(self) -> None:
        self._hosts: dict[tuple[str, str], str] = {}
        self._sent: dict[Header, bytes] = {}
        self._heads: dict[bytes, Head] = {}
        self._received: dict[bytes, tuple[Header, bool]] = {}
        self._status_lines: dict[bytes, tuple[int, str]] = {}

    # -- requests --

    def host(self, method: str, url: str) -> str:
        """The host to connect to. Raises TransportError as ``vet_request``."""
        host = self._hosts.get((method, url))
        if host is None:
            host = vet_target(method, url)
            _remember(self._hosts, (method, url), host, len(url))
        return host

    def lines(self, headers: Iterable[Header], host: str) -> list[bytes]:
        """The headers to send to ``host``, in the form for libcurl. Raises TransportError as ``vet_request``."""
        known = self._sent.get
        lines = [known(header) or self._write(header, host) for header in headers]
        return ([line for line in lines if line] if b"" in lines else lines) + _TAKEN_AWAY

    def _write(self, header: Header, host: str) -> bytes:
        """The line of one header; empty for a header that is not sent."""
        name, value = header
        # such a header would not pass vet_header
        if name in _NEW_EACH_TIME and value and value.isascii() and value.isprintable():
            return f"{name}: {value}".encode()
        if not vet_header(name, value, host):
            return b""  # not cached: Host is right for only one host
        line = (f"{name}: {value}" if value else f"{name};").encode("latin-1")
        _remember(self._sent, header, line, len(line))
        return line

    # -- responses --

    def read(self, lines: Sequence[bytes]) -> Head | None:
        """The head in all header lines that arrived; None if no final head is complete."""
        whole = b"".join(lines)
        head = self._heads.get(whole)
        if head is None and (head := self._read_lines(lines)) is not None:
            _remember(self._heads, whole, head, len(whole))
        return head

    def _read_lines(self, lines: Sequence[bytes]) -> Head | None:
        status, reason, framed = 0, "", False
        headers: list[Header] = []
        for line in lines:
            found = self._received.get(line)
            if found is None:
                if line.startswith(b"HTTP/"):  # the first head, or the one after an interim head
                    status, reason = self._status_lines.get(line) or self._read_status(line)
                    headers, framed = [], False
                    continue
                if not line.strip():
                    if status >= 200:
                        return status, reason, tuple(headers), framed or is_framed(status, ())
                    continue
                found = self._read(line)
            headers.append(found[0])
            framed = framed or found[1]
        return None

    def _read(self, line: bytes) -> tuple[Header, bool]:
        name, _, value = line.decode("latin-1").partition(":")
        header = name.strip(), value.strip()
        found = header, is_framed(0, (header,))
        _remember(self._received, line, found, len(line))
        return found

    def _read_status(self, line: bytes) -> tuple[int, str]:
        words = line.decode("latin-1").split(None, 2)
        status = int(words[1]) if len(words) > 1 and words[1].isascii() and words[1].isdigit() else 0
        found = status, words[2].strip() if len(words) > 2 else ""
        _remember(self._status_lines, line, found, len(line))
        return found


def _remember(known: dict[Key, Value], key: Key, value: Value, length: int) -> None:
    if length <= MAX_KNOWN_LENGTH:
        if len(known) >= MAX_KNOWN:
            known.clear()
        known[key] = value
