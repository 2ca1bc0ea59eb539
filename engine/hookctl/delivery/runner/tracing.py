"""The ids of spans: made here, because a request carries them before any observer hears of it.

Ids that several attempts share are digests, so every process, and every attempt after a restart, makes the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from secrets import token_hex

from hookctl.model import AttemptTrace, Delivery, TraceContext
from hookctl.plugin.interfaces import Observer
from hookctl.store.records import Claimed

SAMPLED_BITS = 64
"""The last bits of a trace id, which decide whether it is sampled, as in OpenTelemetry's sampler by ratio."""


class Tracing:
    """Gives each attempt its place in a trace."""

    def __init__(self, sampled_share: float = 1.0) -> None:
        """``sampled_share``, from 0 to 1: of the traces that begin here. Any other trace has its own flag."""
        self._bound = round(sampled_share * (1 << SAMPLED_BITS))

    def trace(self, claimed: Claimed) -> AttemptTrace:
        """The trace of the next attempt of a delivery."""
        delivery, event = claimed.delivery, claimed.trace
        if event is None:
            trace_id = _digest(16, f"{delivery.event_id}\0{delivery.created_at!r}")
            is_sampled = int(trace_id[-SAMPLED_BITS // 4 :], 16) < self._bound
            context = TraceContext(trace_id, token_hex(8), is_sampled)
        else:
            context = TraceContext(event.trace_id, token_hex(8), event.is_sampled, event.state)
        began_at = delivery.created_at if claimed.replayed_at is None else claimed.replayed_at
        return AttemptTrace(context, _span_id(delivery, began_at), began_at, event)


def tracing_for(observers: Iterable[Observer]) -> Tracing | None:
    """What gives attempts their traces; None if no observer records traces, so that requests carry none."""
    shares = [observer.sampled_share for observer in observers if observer.records_traces]
    return Tracing(max(shares)) if shares else None


def _span_id(delivery: Delivery, began_at: float) -> str:
    """The id of the delivery's span. A replay has another one."""
    return _digest(8, f"{delivery.id}\0{delivery.created_at!r}\0{began_at!r}")


def _digest(size: int, text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()
