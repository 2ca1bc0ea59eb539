"""``opentelemetry``: spans and a histogram by the stable conventions for HTTP clients (1.44).

The ids of spans are those that the requests carried, so they come with each attempt and are not made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags, TraceState

from hookctl.model import Attempt, AttemptTrace, Delivery, DeliveryStatus, Request, TraceContext

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.sampling import Sampler

NAME = "hookctl"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 15, 30, 60, 120, 300)
"""Those of the conventions up to 10 s, and more: ``timeout_seconds`` may be 300."""
PORTS = {"https": 443, "http": 80}
MISMATCH = "mismatch"
Attributes = dict[str, str | int]


class Spans:
    """Records the spans of attempts and deliveries, and the durations of requests. Belongs to one thread at a time."""

    def __init__(
        self, tracers: TracerProvider | None, ids: GivenIds, meters: MeterProvider | None, version: str
    ) -> None:
        """``tracers`` must make its ids with ``ids``. None: no spans, or no histogram."""
        self._ids = ids
        self._tracer = tracers.get_tracer(NAME, version) if tracers else None
        self._durations = meters and meters.get_meter(NAME, version).create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=BUCKETS,
        )
        self._providers = [provider for provider in (tracers, meters) if provider]

    def attempted(self, delivery: Delivery, attempt: Attempt) -> None:
        """Record the span of an attempt and, if it was the last one, the span of its delivery."""
        if self._durations and attempt.request:
            self._durations.record(attempt.timing.total, _metric_attributes(attempt.request, attempt))
        if self._tracer is None or attempt.trace is None:
            return
        self._attempt_span(self._tracer, delivery, attempt, attempt.trace)
        if delivery.status in {DeliveryStatus.DELIVERED, DeliveryStatus.DEAD}:
            self._delivery_span(self._tracer, delivery, attempt, attempt.trace)

    def close(self) -> None:
        """Send what is not sent yet, and end the threads."""
        for provider in self._providers:
            provider.shutdown()

    def _attempt_span(self, tracer: trace.Tracer, delivery: Delivery, attempt: Attempt, ids: AttemptTrace) -> None:
        context = ids.context
        parent = TraceContext(context.trace_id, ids.delivery_span_id, context.is_sampled, context.state)
        attributes: Attributes = {**_of_delivery(delivery, attempt), "hookctl.attempt.number": attempt.number}
        if attempt.request:
            attributes |= _http_attributes(attempt.request, attempt) | {"url.full": attempt.request.url}
        if attempt.number > 1:
            attributes["http.request.resend_count"] = attempt.number - 1
        error = error_type(attempt)
        if error:
            attributes["error.type"] = error
        self._ids.prepare(context.trace_id, context.span_id)
        span = tracer.start_span(
            attempt.request.method if attempt.request else "attempt",
            context=_within(parent, is_remote=False),
            kind=SpanKind.CLIENT if attempt.request else SpanKind.INTERNAL,
            attributes=attributes,
            links=[Link(_span_context(ids.event, is_remote=True))] if ids.event else (),
            start_time=_nanoseconds(attempt.started_at),
        )
        if error:
            span.set_status(StatusCode.ERROR, attempt.failure.message if attempt.failure else None)
        span.end(_nanoseconds(attempt.started_at + attempt.timing.total))

    def _delivery_span(self, tracer: trace.Tracer, delivery: Delivery, attempt: Attempt, ids: AttemptTrace) -> None:
        self._ids.prepare(ids.context.trace_id, ids.delivery_span_id)
        span = tracer.start_span(
            f"deliver {delivery.webhook}",
            context=_within(ids.event, is_remote=True) if ids.event else trace.set_span_in_context(trace.INVALID_SPAN),
            kind=SpanKind.PRODUCER,
            attributes={
                **_of_delivery(delivery, attempt),
                "hookctl.delivery.status": delivery.status.value,
                "hookctl.delivery.attempts": delivery.attempts,
            },
            start_time=_nanoseconds(ids.delivery_began_at),
        )
        if delivery.status is DeliveryStatus.DEAD:
            span.set_attribute("error.type", error_type(attempt) or "dead")
            span.set_status(StatusCode.ERROR, delivery.reason)
        span.end(_nanoseconds(max(ids.delivery_began_at, attempt.started_at + attempt.timing.total)))


class GivenIds(IdGenerator):
    """Gives spans the ids that were prepared for them."""

    def __init__(self) -> None:
        self._trace_id = self._span_id = 0

    def prepare(self, trace_id: str, span_id: str) -> None:
        """Use these ids for the next span."""
        self._trace_id, self._span_id = int(trace_id, 16), int(span_id, 16)

    def generate_trace_id(self) -> int:
        """The trace id of the next span, which the SDK asks for if the span has no parent."""
        return self._trace_id

    def generate_span_id(self) -> int:
        """The id of the next span."""
        return self._span_id


def tracer_provider(ids: GivenIds, resource: Resource | None = None, sampler: Sampler | None = None) -> TracerProvider:
    """A provider whose spans have the ids from ``ids``. What is None comes from ``OTEL_*``."""
    return TracerProvider(sampler, resource, shutdown_on_exit=False, id_generator=ids)


def error_type(attempt: Attempt) -> str:
    """``error.type``: the kind of failure, the status, or ``mismatch``; empty if the attempt succeeded."""
    if attempt.succeeded:
        return ""
    if attempt.failure:
        return attempt.failure.kind.value
    status = attempt.response.status if attempt.response else 0
    return MISMATCH if 200 <= status < 300 else str(status)


def _of_delivery(delivery: Delivery, attempt: Attempt) -> Attributes:
    return {
        "hookctl.webhook": delivery.webhook,
        "hookctl.delivery.id": delivery.id,
        "hookctl.event.id": delivery.event_id,
        "hookctl.plan.digest": attempt.plan_digest,
    }


def _http_attributes(request: Request, attempt: Attempt) -> Attributes:
    attributes: Attributes = {"http.request.method": request.method}
    url = urlsplit(request.url)
    if url.hostname:
        attributes["server.address"] = url.hostname
        if port := url.port or PORTS.get(url.scheme):
            attributes["server.port"] = port
    if attempt.response:
        attributes["http.response.status_code"] = attempt.response.status
    return attributes


def _metric_attributes(request: Request, attempt: Attempt) -> Mapping[str, str | int]:
    """Those of the convention. A mismatch is not an error of HTTP."""
    error = error_type(attempt)
    attributes = _http_attributes(request, attempt)
    return {**attributes, "error.type": error} if error and error != MISMATCH else attributes


def _span_context(context: TraceContext, *, is_remote: bool) -> SpanContext:
    state = TraceState.from_header([context.state]) if context.state else None
    flags = TraceFlags(TraceFlags.SAMPLED if context.is_sampled else TraceFlags.DEFAULT)
    return SpanContext(int(context.trace_id, 16), int(context.span_id, 16), is_remote, flags, state)


def _within(parent: TraceContext, *, is_remote: bool) -> Context:
    return trace.set_span_in_context(trace.NonRecordingSpan(_span_context(parent, is_remote=is_remote)))


def _nanoseconds(at: float) -> int:
    return int(at * 1e9)
