"""The forms in which events come, selected by ``Content-Type``."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message
from enum import Enum

from hookctl.serve.problems import ProblemError


class Form(Enum):
    """What the body of a request is."""

    JSON = "one event, or an array of events"
    LINES = "JSON lines, one event on each"
    BINARY = "the data of one CloudEvent, whose attributes are headers"
    STRUCTURED = "one CloudEvent"
    BATCH = "an array of CloudEvents"


LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/jsonlines"})
HINT = (
    "Send application/json, application/x-ndjson, application/cloudevents+json or application/cloudevents-batch+json, "
    "in UTF-8 and without Content-Encoding."
)


def form_of(headers: Mapping[bytes, bytes]) -> Form:
    """The form of a request with these headers, whose names are in lower case. Raises ProblemError with status 415."""
    encoding = headers.get(b"content-encoding", b"").decode("latin-1").strip().lower()
    if encoding not in {"", "identity"}:
        raise _unsupported(f"Content-Encoding {encoding[:60]!r} is not supported")
    given = headers.get(b"content-type", b"").decode("latin-1")
    if given == "application/json" and b"ce-specversion" not in headers:
        return Form.JSON  # the usual case, without the cost of a parser
    message = Message()
    message["Content-Type"] = given
    media = message.get_content_type() if "/" in given else ""
    charset = str(message.get_param("charset", "utf-8")).lower()
    if charset not in {"utf-8", "utf8", "us-ascii"}:
        raise _unsupported(f"the charset {charset[:60]!r} is not supported")
    if media == "application/cloudevents+json":
        return Form.STRUCTURED
    if media == "application/cloudevents-batch+json":
        return Form.BATCH
    if media.startswith("application/cloudevents"):
        raise _unsupported(f"the CloudEvents format {media[:60]!r} is not supported")
    if b"ce-specversion" in headers:
        return Form.BINARY
    if media == "application/json":
        return Form.JSON
    if media in LINES:
        return Form.LINES
    raise _unsupported(f"Content-Type {given[:60]!r} is not supported" if given else "Content-Type is missing")


def _unsupported(detail: str) -> ProblemError:
    return ProblemError(
        415, type="unsupported-media-type", title="The form of the body is not supported", detail=detail, hint=HINT
    )
