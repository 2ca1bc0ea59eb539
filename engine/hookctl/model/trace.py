"""Trace contexts of W3C Trace Context: where an event comes from, and what an attempt's request carries."""

from __future__ import annotations

import re

from msgspec import Struct

# Compiled on first use: most commands read no trace.
_TRACEPARENT = r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
_KEY = r"[a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}"
_VALUE = r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
MAX_STATE = 512
"""Characters of a ``tracestate``, the length that every system should pass on."""
MAX_MEMBERS = 32


class TraceContext(Struct, frozen=True):
    """A span that another one has as its parent. Ids are in lower-case hexadecimal digits."""

    trace_id: str
    """32 digits."""
    span_id: str
    """16 digits."""
    is_sampled: bool
    """Whether the span may be recorded."""
    state: str = ""
    """The ``tracestate``, which is passed on unchanged; empty if there is none."""

    @property
    def traceparent(self) -> str:
        """The value of the header ``traceparent``."""
        return f"00-{self.trace_id}-{self.span_id}-{self.is_sampled:02d}"


class AttemptTrace(Struct, frozen=True):
    """The trace of an attempt: the ids that its span and that of its delivery have, whoever records them."""

    context: TraceContext
    """The span of the attempt; the request carries it."""
    delivery_span_id: str
    """The parent of the attempt's span: the same for all attempts of a delivery until it is replayed."""
    delivery_began_at: float
    """When the delivery was made or replayed, in epoch seconds."""
    event: TraceContext | None = None
    """What came with the event, the parent of the delivery's span; None: the delivery begins the trace."""


def read_trace(traceparent: str, tracestate: str = "") -> TraceContext | None:
    """The context in the values of both headers; None if ``traceparent`` is not valid, as W3C defines it.

    A ``tracestate`` that is not valid, or is longer than ``MAX_STATE``, counts as empty.
    """
    match = re.fullmatch(_TRACEPARENT, traceparent.strip(" \t"))
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest) or not (trace_id.strip("0") and span_id.strip("0")):
        return None
    return TraceContext(trace_id, span_id, bool(int(flags, 16) & 1), _state(tracestate))


def trace_text(trace: TraceContext) -> str:
    """Both headers in one line, as a store keeps them: what :func:`trace_from_text` reads."""
    return f"{trace.traceparent} {trace.state}".rstrip()


def trace_from_text(text: object) -> TraceContext | None:
    """What :func:`trace_text` wrote; None for anything else, whatever its type."""
    if not isinstance(text, str):
        return None
    traceparent, _, state = text.partition(" ")
    return read_trace(traceparent, state)


def _state(text: str) -> str:
    """The ``tracestate``, without spaces around it; empty if it is not valid."""
    text = text.strip(" \t")
    members = [member for part in text.split(",") if (member := part.strip(" \t"))]
    found = [re.fullmatch(f"({_KEY})={_VALUE}", member) for member in members]
    keys = {match[1] for match in found if match}
    return text if len(text) <= MAX_STATE and len(keys) == len(members) <= MAX_MEMBERS else ""
