"""Sets up OpenTelemetry from the variables ``OTEL_*``, as its own programs do.

The SDK reads most of them itself; it leaves to its caller which exporters to use.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import entry_points, version
from typing import Any

from hookctl.errors import SettingsError
from hookctl.plugin import Observer

INSTALL = "Install it in the environment of hookctl: pip install 'hookctl[otel]'."
PROTOCOLS = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}
"""The names of the exporters' entry points, by the value of ``OTEL_EXPORTER_OTLP_PROTOCOL``."""
Make = Callable[[], Any]


def build() -> Observer:
    """The observer, by the variables. Raises SettingsError if OpenTelemetry or an exporter is not installed."""
    try:
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        from hookctl_plugins.observer.opentelemetry import NAME, GivenIds, Spans, tracer_provider
    except ImportError as error:
        raise SettingsError(f"the Python package {error.name} is not installed", hint=INSTALL) from error
    spans, metrics = _exporters("traces"), _exporters("metrics")
    own = version("hookctl")
    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, "unknown_service")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: NAME, "service.version": own}))
    ids = GivenIds()
    tracers = tracer_provider(ids, resource) if spans else None
    if tracers:
        for make in spans:
            tracers.add_span_processor(BatchSpanProcessor(make()))
    readers = [PeriodicExportingMetricReader(make()) for make in metrics]
    meters = MeterProvider(readers, resource, shutdown_on_exit=False) if readers else None
    recorder = Spans(tracers, ids, meters, own)
    return Observer(
        name="opentelemetry",
        attempted=recorder.attempted,
        close=recorder.close,
        records_traces=tracers is not None,
        sampled_share=_sampled_share(),
    )


def _exporters(signal: str) -> list[Make]:
    """What makes each exporter of ``traces`` or ``metrics``; empty if nothing is to be exported."""
    if _variable("OTEL_SDK_DISABLED").lower() == "true":
        return []
    variable = f"OTEL_{signal.upper()}_EXPORTER"
    names = [name for part in _variable(variable, "otlp").split(",") if (name := part.strip())]
    return [_exporter(signal, variable, name) for name in names if name != "none"]


def _exporter(signal: str, variable: str, name: str) -> Make:
    if name == "otlp":
        own = f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL"
        variable = own if _variable(own) else "OTEL_EXPORTER_OTLP_PROTOCOL"
        protocol = _variable(variable, "http/protobuf")
        name = PROTOCOLS.get(protocol, protocol)
    found = [entry.load() for entry in entry_points(group=f"opentelemetry_{signal}_exporter", name=name)]
    if not found:
        raise SettingsError(
            f"no installed package has the exporter {name!r} of {signal}",
            hint=f"Install it, or set {variable}. hookctl[otel] contains that of OTLP over HTTP.",
        )
    make: Make = found[0]
    return make


def _sampled_share() -> float:
    """Of the traces that begin here, how many the sampler in ``OTEL_TRACES_SAMPLER`` records."""
    name = _variable("OTEL_TRACES_SAMPLER").lower().removeprefix("parentbased_")
    if name == "always_off":
        return 0.0
    try:
        return min(1.0, max(0.0, float(_variable("OTEL_TRACES_SAMPLER_ARG", "1")))) if name == "traceidratio" else 1.0
    except ValueError:
        return 1.0  # as the SDK does, which warns


def _variable(name: str, default: str = "") -> str:
    """A variable; one that is empty counts as not set, as OpenTelemetry defines it."""
    return os.environ.get(name, "").strip() or default
