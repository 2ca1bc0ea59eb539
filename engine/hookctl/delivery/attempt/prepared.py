"""A delivery plan, ready to make requests, and the requests that it makes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from hookctl.delivery.attempt.authenticate import Auth, Authenticated
from hookctl.delivery.attempt.envelope import LastPassed, Validator
from hookctl.delivery.attempt.exchange import Job
from hookctl.delivery.attempt.failures import AttemptFailedError, attributed_to
from hookctl.delivery.attempt.head import Head, Written, own_headers, trace_headers
from hookctl.delivery.attempt.redact import Redactor
from hookctl.model import BROKEN_URL, DeliveryPlan, Failure, FailureKind, Request
from hookctl.model.rules.urls import URL_CHARACTER
from hookctl.network import Network, check_url
from hookctl.plugin.interfaces import Settings, TransportType
from hookctl.template import BodyTemplate, FormTemplate

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

_URL_CHARACTERS = re.compile(r"[\x21-\x7e]+")


class Unsigned(Struct, frozen=True):
    """The request of one attempt, before auth. Contains secrets: never written, never shown."""

    request: Request
    shown_body: bytes | None
    """Its body with secrets masked."""
    shown: Written | None = None
    """Its URL and headers with secrets masked, if they depend on the event."""

    def __repr__(self) -> str:
        """Without the request."""
        return f"Unsigned(shown={self.shown!r})"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery plan, ready to make requests. Contains secrets: never written, never shown."""

    plan: DeliveryPlan
    digest: str
    body: BodyTemplate | FormTemplate | None = field(repr=False)
    request: Request = field(repr=False)
    """Method, URL and headers of every request, without ``webhook-id``, ``webhook-timestamp`` and the body."""
    shown: Request
    """The same with secrets masked."""
    heads: tuple[Head, Head] | None = field(repr=False)
    """The URL and headers with secrets, and with secrets masked, if they contain expressions; else None. Once rendered,
    they replace the URL and headers of :attr:`request` and :attr:`shown`.
    """
    auths: tuple[Auth, ...]
    """The auths to apply to each attempt, in order."""
    blocking: bool
    """Whether making a request may block: in an auth, or in third-party code."""
    transport: Transport
    validators: tuple[Validator, ...]
    redactor: Redactor = field(repr=False)
    """Masks the secrets of the plan, and the values that auth derived from them when it was applied once."""
    redactor_for: Callable[[frozenset[str]], Redactor] = field(repr=False)
    """Returns a redactor that also masks the credentials of one attempt, and the last few before them."""
    secrets: bytes = field(default=b"", repr=False)
    """A digest of the plan's secrets; empty if it refers to none. Never written: it is not keyed."""
    judges_apart: bool = False
    """Whether a validator is third-party code, which never runs on the runner's thread."""
    opens_apart: bool = False
    """Whether the transport is third-party code."""
    last_passed: LastPassed = field(default_factory=LastPassed, repr=False)
    made_at: float = field(default_factory=time.monotonic)

    def make_request(self, job: Job, at: float) -> Unsigned:
        """The request of one attempt at ``at`` (epoch seconds), before auth. Raises AttemptFailedError."""
        with attributed_to(named_body(self.plan)):
            body, shown_body = (None, None) if self.body is None else self.body.render_both(job.document)
        own = own_headers(job.delivery_id, at)
        if job.trace is not None:
            own += trace_headers(self.plan, job.trace.context)
        if self.heads is None:
            fixed = self.request
            request = Request(fixed.method, fixed.url, fixed.headers + own, body, fixed.certificate)
            return Unsigned(request, shown_body)
        head, shown = self.heads
        with attributed_to("an expression in URL or headers"):
            values = head.values(job.document)
            url, headers = head.vetted(values)
        if rule := broken_rule(self.transport, url):
            message = f"with the event's values inserted, the URL breaks the rule {rule}"
            raise AttemptFailedError(Failure(FailureKind.RENDER, message, BROKEN_URL))
        return Unsigned(Request(self.request.method, url, headers + own, body), shown_body, shown.fill(values))

    def show(self, unsigned: Unsigned, sent: Authenticated) -> Request:
        """The sent request as records show it: secrets masked, and the body as it was before auth.

        ``unsigned`` is the result of :meth:`make_request`, ``sent`` the same request after the auth of this attempt.
        """
        own = unsigned.request.headers[len(self.request.headers) :]
        url, headers = unsigned.shown or (self.shown.url, self.shown.headers)
        return sent.show(Request(self.shown.method, url, headers + own, unsigned.shown_body))


@dataclass(frozen=True, slots=True)
class Transport:
    """The transport of a delivery plan, and its settings."""

    key: bytes
    """Equal for delivery plans that may share a transport."""
    who: str
    kind: TransportType
    settings: Settings = field(repr=False)

    def build(self, network: Network) -> BaseAdapter:
        """A new adapter."""
        return self.kind.build(self.settings, network)


def named_body(plan: DeliveryPlan) -> str:
    """What writes the bodies of a delivery plan, as messages name it."""
    return "the body template" if plan.form is None else "the form"


def broken_rule(transport: Transport, url: str) -> str | None:
    """The rule that a complete URL violates, with the transport if it is one of its own; None if there is none.

    Raises AttemptFailedError.
    """
    with attributed_to(transport.who):
        problems = (transport.kind.check_url or check_url)(url)
    if problems and transport.kind.check_url:
        return f"{problems[0].rule} of {transport.who}"
    return problems[0].rule if problems else None if _URL_CHARACTERS.fullmatch(url) else URL_CHARACTER.id
