"""The heads of requests and responses, between hookctl's words and libcurl's, with a memory: most of their lines are the same each time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from hookctl.network.outgoing import vet_header, vet_target
from hookctl.plugin.responses import is_framed

Header = tuple[str, str]
Key = TypeVar("Key")
Value = TypeVar("Value")
MAX_KNOWN = 1024
"""URLs, and headers of each direction, that are remembered. When there are more, all are forgotten."""
MAX_KNOWN_LENGTH = 2048
"""Longer ones are not remembered: nobody may fill the memory with them."""
_OWN = {"accept": 1, "content-type": 2, "user-agent": 4}
"""The headers that libcurl would add, and a bit for each."""
_TAKEN_AWAY = tuple(
    [*(f"{name}:".encode() for name, bit in _OWN.items() if not present & bit), b"Expect:", b"Accept-Encoding: identity"] for present in range(8)
)
"""The lines that keep libcurl from adding any, by the bits of those that the request has itself. A name with nothing after it takes a header away."""


class Heads:
    """Vets and writes the heads of requests, and reads those of responses. Safe for use by many threads."""

    def __init__(self) -> None:
        self._hosts: dict[tuple[str, str], str] = {}
        self._sent: dict[Header, tuple[bytes, int]] = {}
        self._received: dict[bytes, tuple[Header, bool]] = {}
        self._status_lines: dict[bytes, tuple[int, str]] = {}

    # -- requests --

    def host(self, method: str, url: str) -> str:
        """The host to dial. Raises TransportError as ``vet_request``."""
        host = self._hosts.get((method, url))
        if host is None:
            host = vet_target(method, url)
            _remember(self._hosts, (method, url), host, len(url))
        return host

    def lines(self, headers: Iterable[Header], host: str) -> list[bytes]:
        """The headers to send to ``host``, as libcurl takes them. Raises TransportError as ``vet_request``."""
        lines, present = [], 0
        for header in headers:
            line = self._sent.get(header) or self._write(header, host)
            if line is not None:
                lines.append(line[0])
                present |= line[1]
        return lines + _TAKEN_AWAY[present]

    def _write(self, header: Header, host: str) -> tuple[bytes, int] | None:
        name, value = header
        if not vet_header(name, value, host):
            return None  # not remembered: Host is right for one host alone
        line = (f"{name}: {value}" if value else f"{name};").encode("latin-1"), _OWN.get(name.lower(), 0)
        _remember(self._sent, header, line, len(line[0]))
        return line

    # -- responses --

    def read(self, lines: Sequence[bytes]) -> tuple[int, str, tuple[Header, ...], bool] | None:
        """Status, reason, headers, and whether the end of the body is marked, from all header lines that came; None when no final head is whole."""
        status, reason, framed = 0, "", False
        headers: list[Header] = []
        for line in lines:
            if line.startswith(b"HTTP/"):  # the first, or what comes after an interim one
                status, reason = self._status_lines.get(line) or self._read_status(line)
                headers, framed = [], False
            elif line == b"\r\n" or not line.strip():
                if status >= 200:
                    return status, reason, tuple(headers), framed or is_framed(status, ())
            else:
                header, marks_end = self._received.get(line) or self._read(line)
                headers.append(header)
                framed = framed or marks_end
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
