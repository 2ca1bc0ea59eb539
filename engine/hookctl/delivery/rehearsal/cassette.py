"""Cassettes: one recorded exchange of a webhook, in the format of vcrpy (version 1), so tests can load it with vcrpy.

A cassette is written from an :class:`Attempt`, in which every secret is masked already. Values that differ in each
exchange (ids, times, hookctl's version) are written as :data:`VARIES`, so recording again changes nothing. vcrpy itself
is not needed: it is a mock for tests, and importing it would cost more than this module.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from hookctl.errors import CassetteError, FileError, FileMissingError
from hookctl.files import SHARED, make_directory, read_file, resolve_given, write_file
from hookctl.model import MASK, Attempt, Request, Response

if TYPE_CHECKING:
    import yaml

VARIES = "<varies>"
VARYING_HEADERS = frozenset({"webhook-id", "webhook-timestamp", "date", "age"})
SECRET_HEADERS = frozenset({"set-cookie", "authorization", "proxy-authorization", "authentication-info"})
"""Response headers whose values are masked: a session from the target is a secret without a reference."""
OWN_AGENT = re.compile(r"hookctl/\S+")
SUFFIX = ".yaml"
VERSION = 1
MAX_BYTES = 4 * 1024 * 1024
"""The maximum size of a cassette: several times a request with the largest body and a response at the limit."""
Headers = tuple[tuple[str, str], ...]


class Kept(StrEnum):
    """The effect of a recording on a cassette."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its response, with secrets masked and :data:`VARIES` in place of values that differ each time."""

    request: Request
    response: Response


def settled(request: Request) -> Request:
    """The request, with :data:`VARIES` in place of values that differ each time, and of copies of them by an auth."""
    varying = {value for name, value in request.headers if name.lower() in VARYING_HEADERS}
    headers = tuple(
        (name, VARIES if value in varying else _without_version(name, value)) for name, value in request.headers
    )
    return replace(request, headers=headers)


def exchange_of(attempt: Attempt) -> Exchange | None:
    """The exchange of an attempt; None if there is no response."""
    if attempt.request is None or attempt.response is None:
        return None
    headers = tuple((name, _settled_value(name.lower(), value)) for name, value in attempt.response.headers)
    return Exchange(settled(attempt.request), replace(attempt.response, headers=headers))


def cassette_name(webhook: str, events: Sequence[str], event_type: str) -> str:
    """The name of a webhook's cassette for an event type: with the type, if the webhook receives several."""
    return webhook if len(events) == 1 else f"{webhook}.{event_type}"


def path_of(directory: Path, name: str) -> Path:
    """The path of the cassette of that name. Every name of a webhook or an event type is valid in a file name."""
    return directory / f"{name}{SUFFIX}"


def keep(directory: Path, name: str, exchange: Exchange) -> Kept:
    """Write the cassette of that name, unless it has the same content already. Raises CassetteError."""
    path = path_of(directory, name)
    kept = Kept.CHANGED if os.path.lexists(path) else Kept.NEW
    if kept is Kept.CHANGED and _says_the_same(path, exchange):
        return Kept.UNCHANGED
    try:
        make_directory(directory)
        write_file(path, to_yaml(exchange), mode=SHARED)
    except FileError as error:
        raise CassetteError(
            f"{path} cannot be written: {error.message}", hint="Name another directory with --cassettes DIR."
        ) from error
    return kept


def read(directory: Path, name: str) -> Exchange:
    """The recorded exchange. Raises CassetteError if there is none, or if the file is not a valid cassette."""
    path = path_of(directory, name)
    try:
        return from_yaml(_content(path))
    except FileMissingError:
        raise CassetteError("no exchange was recorded", hint="Record one.") from None
    except FileError as error:
        raise CassetteError(f"{path} cannot be read: {error.message}", hint="Record it again.") from error
    except UnicodeDecodeError as error:
        raise CassetteError(f"{path} is not UTF-8 text", hint="Record it again.") from error
    except ValueError as error:
        raise CassetteError(f"{path} is not a hookctl cassette: {error}", hint="Record it again.") from error


def _content(path: Path) -> str:
    """The bytes of a cassette as text.

    Raises UnicodeDecodeError, and FileError, also if a link leads out of the directory.
    """
    return read_file(path, resolve_given(path.parent), limit=MAX_BYTES).decode()


def strays(directory: Path, names: Iterable[str]) -> tuple[Path, ...]:
    """The cassettes that have none of these names, in order."""
    try:
        resolve_given(directory)
    except FileError:
        return ()  # a link leads out of the directory: reading refuses it, and its names must not be shown
    known = {path_of(directory, name) for name in names}
    return tuple(path for path in sorted(directory.glob(f"*{SUFFIX}")) if path not in known)


def to_yaml(exchange: Exchange) -> str:
    """The text of a cassette."""
    import yaml

    class Dumper(yaml.CSafeDumper):
        """Writes multi-line text as a block, so that a diff shows which line changed."""

    def text(dumper: yaml.CSafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    request, response = exchange.request, exchange.response
    written: dict[str, Any] = {
        "status": {"code": response.status, "message": response.reason},
        "headers": _lists(response.headers),
        "body": {"string": _text(response.body)},
    }
    # vcrpy has no keys for these two, and ignores unknown keys.
    written |= {
        name: value
        for name, value, usual in (("truncated", response.truncated, False), ("framed", response.framed, True))
        if value is not usual
    }
    body = None if request.body is None else _text(request.body)
    sent = {"method": request.method, "uri": request.url, "headers": _lists(request.headers), "body": body}
    document = {"version": VERSION, "interactions": [{"request": sent, "response": written}]}
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1000)


def from_yaml(text: str) -> Exchange:
    """The exchange of a cassette. Raises ValueError if the text is not a cassette with exactly one exchange."""
    import yaml

    from hookctl.delivery.rehearsal.cassette_yaml import parse

    try:
        document = parse(text)
        if document["version"] != str(VERSION):
            raise ValueError(f"its version is not {VERSION}")
        interactions = document["interactions"]
        if len(interactions) != 1:
            raise ValueError(f"it contains {len(interactions)} exchanges, not one")
        return _exchange(interactions[0]["request"], interactions[0]["response"])
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"its structure is different ({type(error).__name__}: {error})") from error


def _exchange(sent: Mapping[str, Any], received: Mapping[str, Any]) -> Exchange:
    body = sent["body"]
    request = Request(
        str(sent["method"]), str(sent["uri"]), _pairs(sent["headers"]), None if body is None else _bytes(body)
    )
    response = Response(
        status=_status(received["status"]["code"]),
        reason=str(received["status"]["message"]),
        headers=_pairs(received["headers"]),
        body=_bytes(received["body"]["string"]),
        truncated=received.get("truncated", "false") == "true",
        framed=received.get("framed", "true") == "true",
    )
    return Exchange(request, response)


def _status(code: str) -> int:
    if not re.fullmatch("[1-9][0-9]{2}", code, re.ASCII):
        raise ValueError("its status is not a valid HTTP status")
    return int(code)


def _says_the_same(path: Path, exchange: Exchange) -> bool:
    """Whether two cassettes differ only in the values of response headers.

    Many of these count requests, or name the machine that answered.
    """
    try:
        recorded = from_yaml(_content(path))
    except (FileError, ValueError):
        return False
    return _essence(recorded) == _essence(exchange)


def _essence(exchange: Exchange) -> object:
    response = exchange.response
    names = frozenset(
        (name.lower(), value if name.lower() == "content-type" else "") for name, value in response.headers
    )
    headers = {name.lower(): value for name, value in exchange.request.headers}
    return replace(exchange.request, headers=()), headers, replace(response, headers=()), names


def _settled_value(name: str, value: str) -> str:
    return MASK if name in SECRET_HEADERS else VARIES if name in VARYING_HEADERS else value


def _without_version(name: str, value: str) -> str:
    return f"hookctl/{VARIES}" if name.lower() == "user-agent" and OWN_AGENT.fullmatch(value) else value


def _lists(headers: Headers) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    spelled: dict[str, str] = {}
    for name, value in headers:
        lists.setdefault(spelled.setdefault(name.lower(), name), []).append(value)
    return lists


def _pairs(lists: Mapping[str, Any]) -> Headers:
    return tuple(
        (str(name), str(value))
        for name, values in lists.items()
        for value in ([values] if isinstance(values, str) else values)
    )


def _text(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _bytes(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)
