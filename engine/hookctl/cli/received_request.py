"""A received request on the command line: headers, a body, or a file with the whole request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import click

from hookctl.errors import EventError, FileError, HookctlError
from hookctl.files import read_given

LARGEST = 16 * 1024 * 1024
"""The largest body or request in bytes."""
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*(.*)")
_REQUEST_LINE = re.compile(r"([A-Z]+) (\S+)(?: HTTP/[0-9.]+)?")
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")


@dataclass(frozen=True, slots=True)
class Dump:
    """A request as a file has it."""

    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """None if the file has none, as in the output of ``curl -v``."""
    method: str = ""
    target: str = ""
    """The path and query, or the whole URL, as the request line has it."""

    def url(self) -> str:
        """The URL of the request, as far as it can be told: with https, since that is what a sender usually calls."""
        host = {name.lower(): value for name, value in self.headers.items()}.get("host", "")
        if self.target.startswith("/") and _HOST.fullmatch(host):
            return f"https://{host}{self.target}"
        return self.target if "://" in self.target else ""


def header_option(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> Mapping[str, str]:
    """A click callback: the headers of ``-H 'Name: value'``. Raises click.BadParameter for one of another form."""
    return join(map(_pair, given))


def _pair(text: str) -> tuple[str, str]:
    found = _HEADER.fullmatch(text.strip())
    if not found:
        raise click.BadParameter("a header has the form 'Name: value'.")
    return found[1], found[2]


def join(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by name. The values of a repeated one are joined with a comma, as HTTP defines it."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        known = next((known for known in headers if known.lower() == name.lower()), None)
        if known is None:
            headers[name] = value
        else:
            headers[known] = f"{headers[known]}, {value}"
    return headers


def read_dump(path: str) -> Dump:
    """The request in a file: raw HTTP, only its headers, or the output of ``curl -v``, whose lines begin with ``> ``.

    Raises HookctlError if it cannot be read or contains no headers.
    """
    try:
        data = read_given(path, limit=LARGEST)
    except FileError as error:
        raise HookctlError(f"{path} cannot be read: {error.message}", hint=error.hint) from error
    sent = [line[2:] for line in data.split(b"\n") if line.startswith(b"> ")]
    dump = _parse(sent, None) if sent else _raw(data)
    if not dump.headers:
        hint = "Write the request line, the headers, an empty line and the body, as HTTP has them."
        raise HookctlError(f"{path} contains no headers of a request", hint=hint)
    return dump


def _raw(data: bytes) -> Dump:
    found = re.search(rb"\r?\n\r?\n", data)
    head, body = (data[: found.start()], data[found.end() :]) if found else (data, None)
    return _parse(head.split(b"\n"), body)


def _parse(lines: Sequence[bytes], body: bytes | None) -> Dump:
    texts = [line.decode("latin-1").rstrip("\r") for line in lines]
    first = _REQUEST_LINE.fullmatch(texts[0]) if texts else None
    pairs = [(found[1], found[2]) for text in texts[1 if first else 0 :] if (found := _HEADER.fullmatch(text))]
    return Dump(join(pairs), body, first[1] if first else "", first[2] if first else "")


def read_body(file: BinaryIO) -> bytes:
    """The body in a file. Raises EventError if it cannot be read or is too large."""
    try:
        body = file.read(LARGEST + 1)
    except OSError as error:
        raise EventError(f"{file.name} cannot be read: {error.strerror}", hint="Name a file.") from error
    if len(body) > LARGEST:
        raise EventError(f"{file.name} is larger than {LARGEST} bytes", hint="Name the body of one request.")
    return body
