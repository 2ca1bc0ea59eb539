"""The head of a delivery plan's requests: the URL and the headers, which may contain expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from hookctl.errors import RenderError
from hookctl.model import DeliveryPlan, Json, TraceContext
from hookctl.model.problem import Filter
from hookctl.model.secret import Resolve
from hookctl.template import TextTemplate, compile_text, content_type

Headers = tuple[tuple[str, str], ...]
Written = tuple[str, Headers]
"""A URL and headers."""
Values = tuple[tuple[str, ...], ...]
"""The values that an event puts into the URL and into each header, in this order."""
TRACEPARENT, TRACESTATE = "traceparent", "tracestate"


@dataclass(frozen=True, slots=True)
class Head:
    """URL and headers before the values of an event are inserted. May contain secrets."""

    url: TextTemplate
    headers: tuple[tuple[str, TextTemplate], ...]

    @property
    def is_fixed(self) -> bool:
        """Whether all events give the same head."""
        return self.url.is_fixed and all(value.is_fixed for _, value in self.headers)

    def with_text(self, change: Callable[[str], str]) -> Head:
        """A copy with each piece of fixed text changed. ``change`` never receives values of an event."""
        return Head(self.url.with_text(change), tuple((name, value.with_text(change)) for name, value in self.headers))

    def with_secrets(self, resolve: Resolve) -> Head:
        """The same with secrets in place of the references in fixed text."""
        headers = tuple((name, value.with_secrets(resolve)) for name, value in self.headers)
        return Head(self.url.with_secrets(resolve), headers)

    def values(self, document: Mapping[str, Json]) -> Values:
        """The text of each value of an event. Raises RenderError that names the URL or the header."""
        with _naming("the URL"):
            found = [self.url.values(document)]
        for name, value in self.headers:
            with _naming(f"the header {name}"):
                found.append(value.values(document))
        return tuple(found)

    def fill(self, values: Values) -> Written:
        """URL and headers with the values of an event inserted."""
        first, *rest = values
        return self.url.fill(first), tuple(
            (name, value.fill(own)) for (name, value), own in zip(self.headers, rest, strict=True)
        )

    def vetted(self, values: Values) -> Written:
        """As :meth:`fill`, but raises RenderError for a head that cannot be sent."""
        first, *rest = values
        with _naming("the URL"):
            url = self.url.vetted(first)
        headers: list[tuple[str, str]] = []
        for (name, value), own in zip(self.headers, rest, strict=True):
            with _naming(f"the header {name}"):
                headers.append((name, value.vetted(own)))
        return url, tuple(headers)

    def sample(self) -> Written:
        """URL and headers with a letter in place of each value, for checks of the fixed text."""
        return self.fill(
            tuple(
                ("x",) * (len(template.literals) - 1) for template in (self.url, *(value for _, value in self.headers))
            )
        )


def compile_head(url: str, headers: Headers, filters: Mapping[str, Filter]) -> Head:
    """The compiled head. Raises TemplateError."""
    return Head(
        compile_text(url, filters, "url"),
        tuple((name, compile_text(value, filters, "header")) for name, value in headers),
    )


def static_headers(plan: DeliveryPlan, user_agent: str) -> Headers:
    """The headers of every request of ``plan``: the webhook's own, and those that hookctl adds.

    Secret references are not resolved.
    """
    headers = dict(plan.headers)
    given = {name.lower() for name in headers}
    of_body = content_type(plan)
    if of_body is not None and "content-type" not in given:
        headers["Content-Type"] = of_body
    if "user-agent" not in given:
        headers["User-Agent"] = user_agent
    return tuple(headers.items())


def own_headers(delivery_id: str, at: float) -> Headers:
    """The headers of the Standard Webhooks specification; ``at`` is in epoch seconds."""
    return (("webhook-id", delivery_id), ("webhook-timestamp", str(int(at))))


def has_own_trace(plan: DeliveryPlan) -> bool:
    """Whether the webhook has a header ``traceparent`` of its own, which hookctl then leaves as it is."""
    return any(name.lower() == TRACEPARENT for name in plan.headers)


def trace_headers(plan: DeliveryPlan, trace: TraceContext) -> Headers:
    """The headers of W3C Trace Context; none for a webhook that has a header ``traceparent`` of its own."""
    if has_own_trace(plan):
        return ()
    headers = ((TRACEPARENT, trace.traceparent),)
    return (*headers, (TRACESTATE, trace.state)) if trace.state else headers


@contextmanager
def _naming(what: str) -> Iterator[None]:
    try:
        yield
    except RenderError as error:
        raise RenderError(f"{what}: {error.message}", hint=error.hint, start=error.start, end=error.end) from error
