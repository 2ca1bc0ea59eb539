"""CloudEvents 1.0 over HTTP, as events of hookctl.

``type`` becomes ``event_type``, ``time`` becomes ``event_time`` in epoch seconds, and ``data`` stays ``data``. A
CloudEvent is identified by its source and id together, so the event's ``id`` is ``SOURCE|ID``: no URI contains ``|``.
``traceparent`` and ``tracestate`` of the extension for distributed tracing become the trace of the event. Other
attributes are not kept.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import unquote_to_bytes

from hookctl.delivery.events.intake import parse_strictly
from hookctl.delivery.events.rules import EventRule
from hookctl.errors import EventError
from hookctl.model import Json, TraceContext, read_trace

PREFIX = b"ce-"
SOURCE = re.compile(r"[^\s\x00-\x20\x7f|<>\"{}\\^`]+")
"""The characters that a URI reference may have, and those outside of ASCII."""
TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
"""RFC 3339, which Python's own parser understands once it is in upper case."""
ESCAPED = re.compile(rb"\\(.)")
JSON_TYPE = re.compile(r"(application|text)/([a-z0-9.!#$&^_-]+\+)?json", re.IGNORECASE)


def binary(headers: Mapping[bytes, bytes], body: bytes) -> dict[str, Json]:
    """The CloudEvent of a request in binary mode. Raises EventError."""
    attributes: dict[str, Json] = {
        name.removeprefix(PREFIX).decode("latin-1"): _header(name, value)
        for name, value in headers.items()
        if name.startswith(PREFIX)
    }
    media = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip()
    if not body:
        return attributes
    if not media or JSON_TYPE.fullmatch(media):
        return attributes | {"data": parse_strictly(body)}
    return attributes | {"data": _text(body)}


def to_event(cloud: Json, now: float) -> tuple[dict[str, Json], bool]:
    """The event for a CloudEvent in JSON, and whether it has a time of its own; without one, it gets ``now``.

    Raises EventError for what is not a CloudEvent.
    """
    if not isinstance(cloud, dict):
        raise EventError("a CloudEvent must be a JSON object", rule=EventRule.NOT_OBJECT)
    if cloud.get("specversion") != "1.0":
        raise _wrong("specversion", "must be 1.0")
    for name in ("id", "source", "type"):
        if not isinstance(cloud.get(name), str) or not cloud[name]:
            raise _wrong(name, "must be text that is not empty")
    source, time = str(cloud["source"]), cloud.get("time")
    if not SOURCE.fullmatch(source):
        raise _wrong("source", "must be a URI reference")
    event: dict[str, Json] = {
        "id": f"{source}|{cloud['id']}",
        "event_type": cloud["type"],
        "event_time": now if time is None else _seconds(time),
    }
    data = _data(cloud)
    return (event if data is None else event | {"data": data}), time is not None


def trace_of(cloud: Json) -> TraceContext | None:
    """The trace in which a CloudEvent was made; None if it has none, or one that is not valid."""
    parent, state = (cloud.get("traceparent"), cloud.get("tracestate")) if isinstance(cloud, dict) else (None, None)
    return read_trace(parent, state if isinstance(state, str) else "") if isinstance(parent, str) else None


def _data(cloud: Mapping[str, Json]) -> Json:
    """The data; None if there is none. Binary data is JSON if its type says so, and otherwise stays in base64."""
    if "data_base64" not in cloud:
        return cloud.get("data")
    encoded = cloud["data_base64"]
    if "data" in cloud or not isinstance(encoded, str):
        raise _wrong("data_base64", "must be text, and there must be no data beside it")
    media = str(cloud.get("datacontenttype", "application/json")).partition(";")[0].strip()
    try:
        content = b64decode(encoded, validate=True)
    except (Base64Error, ValueError) as error:
        raise _wrong("data_base64", "is not base64") from error
    return parse_strictly(content) if JSON_TYPE.fullmatch(media) else encoded


def _header(name: bytes, value: bytes) -> str:
    """The value of a header: perhaps in quotation marks, then percent-encoded once."""
    if len(value) > 1 and value[:1] == value[-1:] == b'"':
        value = ESCAPED.sub(rb"\1", value[1:-1])
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError as error:
        raise _wrong(name.decode("latin-1"), "is not percent-encoded UTF-8") from error


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise EventError(f"not UTF-8 at byte {error.start + 1}", rule=EventRule.NOT_JSON) from error


def _seconds(time: Json) -> float:
    """Epoch seconds of an RFC 3339 time."""
    if isinstance(time, str) and TIME.fullmatch(time):
        try:
            return datetime.fromisoformat(time.upper()).timestamp()
        except (ValueError, OverflowError):
            pass  # the form is right, and the month or another part is not
    raise _wrong("time", "must be a time as in RFC 3339, such as 2026-11-28T09:30:00Z")


def _wrong(name: str, what: str) -> EventError:
    return EventError(f"CloudEvent: {name} {what}", rule=EventRule.CLOUDEVENT)
