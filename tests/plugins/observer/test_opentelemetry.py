"""``opentelemetry``: spans with the ids that requests carried, and the histogram, by the stable conventions."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from msgspec.structs import replace
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import SpanKind, StatusCode

from hookctl.errors import SettingsError
from hookctl.model import (
    Attempt,
    AttemptTrace,
    Delivery,
    DeliveryStatus,
    Failure,
    FailureKind,
    Mismatch,
    Request,
    Response,
    Timing,
    TraceContext,
    Verdict,
)
from hookctl_plugins.observer.opentelemetry import BUCKETS, GivenIds, Spans, tracer_provider
from hookctl_plugins.observer.otel_environment import build

TRACE, EVENT_SPAN, DELIVERY_SPAN, ATTEMPT_SPAN = "4b" * 16, "e0" * 8, "d0" * 8, "a0" * 8
EVENT = TraceContext(TRACE, EVENT_SPAN, is_sampled=True, state="vendor=1")
DELIVERY = Delivery("d1", "e1", "Siem", DeliveryStatus.DELIVERED, 1, 60.0, "", 1000.0)
ATTEMPT = Attempt(
    plan_digest="digest",
    number=1,
    started_at=1001.0,
    request=Request("POST", "https://siem.example.com/in?key=***", (("Authorization", "Bearer ***"),), b"body"),
    response=Response(200, "OK", (), b"answer"),
    failure=None,
    timing=Timing(total=0.5),
    trace=AttemptTrace(TraceContext(TRACE, ATTEMPT_SPAN, is_sampled=True), DELIVERY_SPAN, 1000.0, EVENT),
)
NO_RESPONSE = replace(ATTEMPT, response=None, failure=Failure(FailureKind.TIMEOUT, "too slow"))
RETRYING = replace(DELIVERY, status=DeliveryStatus.RETRYING)


class Recorded:
    """Spans and metrics in memory."""

    def __init__(self, sampler: Any = None) -> None:
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        ids = GivenIds()
        tracers = tracer_provider(ids, sampler=sampler)
        tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.spans_of = Spans(tracers, ids, MeterProvider([self._reader], shutdown_on_exit=False), "1")

    def attempted(self, delivery: Delivery, attempt: Attempt) -> list[ReadableSpan]:
        self.spans_of.attempted(delivery, attempt)
        return self.spans()

    def spans(self) -> list[ReadableSpan]:
        return [*self._exporter.get_finished_spans()]

    def points(self) -> list[Any]:
        data: Any = self._reader.get_metrics_data()
        if data is None:
            return []
        (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
        assert (metric.name, metric.unit) == ("http.client.request.duration", "s")
        return [*metric.data.data_points]


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    found = Recorded()
    yield found
    found.spans_of.close()


def ids(span: ReadableSpan) -> tuple[str, str, str]:
    """The ids of the trace, the span and its parent."""
    assert span.context is not None
    parent = f"{span.parent.span_id:016x}" if span.parent else ""
    return f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}", parent


def test_an_attempt_and_its_delivery_are_spans_with_the_ids_that_the_request_carried(recorded: Recorded) -> None:
    attempt, delivery = recorded.attempted(DELIVERY, ATTEMPT)
    assert ids(attempt) == (TRACE, ATTEMPT_SPAN, DELIVERY_SPAN)
    assert ids(delivery) == (TRACE, DELIVERY_SPAN, EVENT_SPAN)
    assert (attempt.name, attempt.kind, delivery.name, delivery.kind) == (
        "POST",
        SpanKind.CLIENT,
        "deliver Siem",
        SpanKind.PRODUCER,
    )
    assert (attempt.start_time, attempt.end_time) == (1001 * 10**9, 1001_500_000_000)
    assert (delivery.start_time, delivery.end_time) == (1000 * 10**9, 1001_500_000_000)
    of_both = {
        "hookctl.webhook": "Siem",
        "hookctl.delivery.id": "d1",
        "hookctl.event.id": "e1",
        "hookctl.plan.digest": "digest",
    }
    assert dict(attempt.attributes or {}) == of_both | {
        "hookctl.attempt.number": 1,
        "http.request.method": "POST",
        "server.address": "siem.example.com",
        "server.port": 443,
        "url.full": "https://siem.example.com/in?key=***",
        "http.response.status_code": 200,
    }
    assert dict(delivery.attributes or {}) == of_both | {
        "hookctl.delivery.status": "delivered",
        "hookctl.delivery.attempts": 1,
    }
    (link,) = attempt.links
    assert f"{link.context.span_id:016x}" == EVENT_SPAN
    assert link.context.trace_state.to_header() == "vendor=1"
    assert attempt.status.status_code is delivery.status.status_code is StatusCode.UNSET


def test_a_delivery_without_a_trace_of_its_event_is_the_root(recorded: Recorded) -> None:
    trace = replace(ATTEMPT.trace, event=None) if ATTEMPT.trace else None
    attempt, delivery = recorded.attempted(DELIVERY, replace(ATTEMPT, trace=trace))
    assert ids(attempt) == (TRACE, ATTEMPT_SPAN, DELIVERY_SPAN)
    assert ids(delivery) == (TRACE, DELIVERY_SPAN, "")
    assert not attempt.links


def test_a_retry_has_a_resend_count_and_the_delivery_no_span_yet(recorded: Recorded) -> None:
    (span,) = recorded.attempted(RETRYING, replace(NO_RESPONSE, number=3))
    assert span.attributes is not None
    assert span.attributes["http.request.resend_count"] == 2
    assert span.attributes["error.type"] == "timeout"
    assert "http.response.status_code" not in span.attributes
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "too slow")


@pytest.mark.parametrize("status", [301, 404, 503])
def test_a_status_that_is_not_a_success_is_an_error(recorded: Recorded, status: int) -> None:
    dead = replace(DELIVERY, status=DeliveryStatus.DEAD, reason=f"HTTP {status}")
    attempt, delivery = recorded.attempted(dead, replace(ATTEMPT, response=Response(status, "", (), b"")))
    for span in (attempt, delivery):
        assert span.attributes is not None
        assert span.attributes["error.type"] == str(status)
        assert span.status.status_code is StatusCode.ERROR
    assert delivery.status.description == f"HTTP {status}"


def test_a_mismatch_is_an_error_of_the_attempt_and_not_of_http(recorded: Recorded) -> None:
    verdicts = (Verdict("json_path", (Mismatch("json_path", "no"),)),)
    (span,) = recorded.attempted(RETRYING, replace(ATTEMPT, verdicts=verdicts))
    assert span.attributes is not None
    assert span.attributes["error.type"] == "mismatch"
    assert span.status.status_code is StatusCode.ERROR
    assert "error.type" not in recorded.points()[0].attributes


def test_an_attempt_without_a_request_is_a_span_and_no_duration(recorded: Recorded) -> None:
    (span,) = recorded.attempted(RETRYING, replace(NO_RESPONSE, request=None))
    assert (span.name, span.kind) == ("attempt", SpanKind.INTERNAL)
    assert "url.full" not in (span.attributes or {})
    assert recorded.points() == []


def test_a_held_delivery_has_no_span_yet(recorded: Recorded) -> None:
    assert len(recorded.attempted(replace(DELIVERY, status=DeliveryStatus.HELD), ATTEMPT)) == 1


def test_what_an_event_says_about_sampling_decides(recorded: Recorded) -> None:
    quiet = replace(EVENT, is_sampled=False)
    trace = AttemptTrace(TraceContext(TRACE, ATTEMPT_SPAN, is_sampled=False), DELIVERY_SPAN, 1000.0, quiet)
    assert recorded.attempted(DELIVERY, replace(ATTEMPT, trace=trace)) == []
    assert len(recorded.points()) == 1


def test_the_sampler_decides_about_traces_that_begin_here() -> None:
    recorded = Recorded(ParentBased(ALWAYS_OFF))
    trace = AttemptTrace(TraceContext(TRACE, ATTEMPT_SPAN, is_sampled=False), DELIVERY_SPAN, 1000.0)
    assert recorded.attempted(DELIVERY, replace(ATTEMPT, trace=trace)) == []
    recorded.spans_of.close()


def test_durations_are_a_histogram_up_to_five_minutes(recorded: Recorded) -> None:
    recorded.attempted(RETRYING, replace(NO_RESPONSE, timing=Timing(total=200.0)))
    recorded.attempted(DELIVERY, ATTEMPT)
    failed, succeeded = sorted(recorded.points(), key=lambda point: -point.sum)
    assert failed.attributes == {
        "http.request.method": "POST",
        "server.address": "siem.example.com",
        "server.port": 443,
        "error.type": "timeout",
    }
    assert succeeded.attributes == {
        "http.request.method": "POST",
        "server.address": "siem.example.com",
        "server.port": 443,
        "http.response.status_code": 200,
    }
    assert (succeeded.count, succeeded.sum) == (1, 0.5)
    assert tuple(failed.explicit_bounds) == BUCKETS
    assert failed.bucket_counts[BUCKETS.index(300)] == 1


class Collector:
    """An OTLP collector on loopback that keeps what it gets, by path."""

    def __init__(self) -> None:
        received: list[tuple[str, bytes]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append((self.path, gzip.decompress(body) if self.headers["Content-Encoding"] else body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass  # tests print nothing

        self.received = received
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.close()


@pytest.fixture
def otel(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets ``OTEL_*`` variables, and no others."""

    def set_variables(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"OTEL_{name}", value)

    return set_variables


@pytest.mark.parametrize(("name", "expected"), [("", "hookctl"), ("webhooks", "webhooks")])
def test_closing_sends_everything_to_the_collector_of_the_environment(
    collector: Collector, otel: Callable[..., None], name: str, expected: str
) -> None:
    otel(EXPORTER_OTLP_ENDPOINT=collector.url, SERVICE_NAME=name)
    observer = build()
    assert observer.records_traces
    assert observer.attempted is not None
    assert observer.close is not None
    observer.attempted(DELIVERY, ATTEMPT)
    observer.close()
    bodies = dict(collector.received)
    spans = ExportTraceServiceRequest.FromString(bodies["/v1/traces"]).resource_spans[0]
    assert {span.name for span in spans.scope_spans[0].spans} == {"POST", "deliver Siem"}
    attributes = {attribute.key: attribute.value.string_value for attribute in spans.resource.attributes}
    assert attributes["service.name"] == expected
    metrics = ExportMetricsServiceRequest.FromString(bodies["/v1/metrics"]).resource_metrics[0]
    assert [metric.name for metric in metrics.scope_metrics[0].metrics] == ["http.client.request.duration"]


@pytest.mark.parametrize("variables", [{"TRACES_EXPORTER": "none"}, {"SDK_DISABLED": "true"}])
def test_without_an_exporter_of_traces_requests_carry_none(
    otel: Callable[..., None], variables: dict[str, str]
) -> None:
    otel(METRICS_EXPORTER="none", **variables)
    observer = build()
    assert not observer.records_traces
    assert observer.attempted is not None
    assert observer.close is not None
    observer.attempted(DELIVERY, ATTEMPT)
    observer.close()


@pytest.mark.parametrize(
    ("sampler", "share"),
    [
        ({}, 1.0),
        ({"TRACES_SAMPLER": "parentbased_always_off"}, 0.0),
        ({"TRACES_SAMPLER": "traceidratio", "TRACES_SAMPLER_ARG": "0.25"}, 0.25),
        ({"TRACES_SAMPLER": "parentbased_traceidratio", "TRACES_SAMPLER_ARG": "0.5"}, 0.5),
    ],
)
def test_the_share_of_sampled_traces_is_that_of_the_sampler(
    otel: Callable[..., None], sampler: dict[str, str], share: float
) -> None:
    otel(TRACES_EXPORTER="console", METRICS_EXPORTER="none", **sampler)
    observer = build()
    assert observer.sampled_share == share
    assert observer.close is not None
    observer.close()


@pytest.mark.parametrize(
    ("variables", "variable"),
    [
        ({"TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER"),
        ({"EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL"),
        ({"EXPORTER_OTLP_METRICS_PROTOCOL": "http/json"}, "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"),
    ],
)
def test_an_exporter_that_is_not_installed_is_named(
    otel: Callable[..., None], variables: dict[str, str], variable: str
) -> None:
    otel(**variables)
    with pytest.raises(SettingsError, match="no installed package has the exporter") as raised:
        build()
    assert variable in raised.value.hint


def test_without_opentelemetry_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.metrics", None)
    with pytest.raises(SettingsError, match="is not installed") as raised:
        build()
    assert "hookctl[otel]" in raised.value.hint
