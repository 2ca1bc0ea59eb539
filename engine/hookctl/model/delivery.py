"""Deliveries and attempts: one event on its way to one webhook.

They are msgspec structs, not dataclasses: each attempt creates a dozen of them, and a frozen dataclass takes ten times
as long.
Use ``msgspec.structs.replace`` for them instead of ``dataclasses.replace``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from hookctl.model.client_certificate import ClientCertificate
from hookctl.model.source import Json
from hookctl.model.trace import AttemptTrace

MAX_RESPONSE_BYTES = 64 * 1024


class DeliveryStatus(StrEnum):
    """The status of a delivery."""

    WAITING = "waiting"
    """Not tried yet."""
    RETRYING = "retrying"
    """Tried without success, and due again at a set time."""
    HELD = "held"
    """Its webhook is inactive, or held after a result such as 401."""
    DELIVERED = "delivered"
    DEAD = "dead"
    """A dead letter: not tried again until someone replays it."""
    CANCELLED = "cancelled"
    """Its webhook was removed, or someone cancelled it."""


class FailureKind(StrEnum):
    """Why an attempt has no complete response, or never became a request."""

    NAME_NOT_FOUND = "name_not_found"
    ADDRESS_BLOCKED = "address_blocked"
    CONNECT = "connect"
    TLS = "tls"
    PROXY = "proxy"
    """This machine's proxy failed or refused before it had opened a tunnel. The target got nothing."""
    TIMEOUT = "timeout"
    CUT_RESPONSE = "cut_response"
    TRANSPORT = "transport"
    """Anything else that a transport raised."""
    RENDER = "render"
    SECRET = "secret"  # noqa: S105 - a kind of failure
    TOKEN = "token"  # noqa: S105 - a kind of failure
    """The OAuth token endpoint refused the request, or its answer is not valid."""
    PLUGIN = "plugin"
    """A plugin broke its contract, for example by raising an unexpected exception."""
    LOCAL = "local"
    """This machine lacks a resource that the attempt needs: a file descriptor, memory, a thread or a port. The target
    is not the cause."""


class Request(Struct, frozen=True):
    """One HTTP request, ready to be sent."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    certificate: ClientCertificate | None = None
    """What an auth set for the connection. It is not in records."""


class Response(Struct, frozen=True):
    """One HTTP response, with its body read up to :data:`MAX_RESPONSE_BYTES`."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool = False
    """The body is longer than the limit; the rest was not read."""
    framed: bool = True
    """The response marks the end of its body by a length or by chunks. If not, hookctl cannot tell whether the body is
    complete."""


CERTIFICATE_EXPIRED: Final = "certificate_expired"
CERTIFICATE_WRONG_NAME: Final = "certificate_wrong_name"
CERTIFICATE_UNTRUSTED: Final = "certificate_untrusted"
CLIENT_CERTIFICATE_REFUSED: Final = "client_certificate_refused"
BROKEN_URL: Final = "url"
CREDENTIALS_REFUSED: Final = "credentials_refused"
PROXY_CREDENTIALS: Final = "proxy_credentials"
PROXY_REFUSES: Final = "proxy_refuses"
PROXY_CANNOT_REACH: Final = "proxy_cannot_reach"
CAUSES: Final = frozenset(
    {
        CERTIFICATE_EXPIRED,
        CERTIFICATE_WRONG_NAME,
        CERTIFICATE_UNTRUSTED,
        CLIENT_CERTIFICATE_REFUSED,
        BROKEN_URL,
        CREDENTIALS_REFUSED,
        PROXY_CREDENTIALS,
        PROXY_REFUSES,
        PROXY_CANNOT_REACH,
    }
)


class Failure(Struct, frozen=True):
    """Why there is no response."""

    kind: FailureKind
    message: str
    cause: str = ""
    """What the kind leaves open, as one of the stable words in :data:`CAUSES`; empty where nothing more is known.

    ``certificate_expired``: the certificate has expired, or is not valid yet. ``certificate_wrong_name``: it is for
    another host. ``certificate_untrusted``: its authority is not one that is trusted here.
    ``client_certificate_refused``: the target requires a client certificate, or refuses the one that it got. ``url``: a
    secret or a value of the event makes the URL one that no request may be sent to. ``credentials_refused``: a token
    endpoint refuses the client's credentials. ``proxy_credentials``: the proxy wants other credentials (407, or 401).
    ``proxy_refuses``: its rules do not allow the target (another 4xx). ``proxy_cannot_reach``: it could not connect to
    the target (5xx).
    """


def known_cause(cause: object) -> str:
    """``cause`` where it is one of :data:`CAUSES`; empty for anything else, such as a plugin's own word."""
    return cause if type(cause) is str and cause in CAUSES else ""


class Timing(Struct, frozen=True):
    """Seconds from the start of the attempt to the end of each phase; None for a skipped or unknown phase."""

    resolved: float | None = None
    connected: float | None = None
    tls: float | None = None
    first_byte: float | None = None
    total: float = 0.0


class Mismatch(Struct, frozen=True):
    """One thing that a response validator does not accept."""

    validator: str
    """The validator's type, and what distinguishes it from others of that type: ``json_path $.data.status``."""
    message: str
    path: str = ""
    expected: Json = None
    got: Json = None


class Verdict(Struct, frozen=True):
    """The result of one response validator."""

    validator: str
    mismatches: tuple[Mismatch, ...] = ()

    @property
    def passed(self) -> bool:
        """True when the validator accepts the response."""
        return not self.mismatches


class Attempt(Struct, frozen=True, kw_only=True):
    """One request of a delivery and its result: the invocation data. Secrets are masked."""

    plan_digest: str
    number: int
    """From 1."""
    started_at: float
    """Epoch seconds."""
    request: Request | None
    """The request as it was sent, with secrets masked; None when it could not be built."""
    response: Response | None
    failure: Failure | None
    timing: Timing
    verdicts: tuple[Verdict, ...] = ()
    trace: AttemptTrace | None = None
    """Where it belongs in a trace, for observers. Not stored; None if no observer records traces."""

    @property
    def succeeded(self) -> bool:
        """True for a 2xx response that every validator accepts."""
        if self.response is None or not 200 <= self.response.status < 300:
            return False
        return not any(verdict.mismatches for verdict in self.verdicts)


class Delivery(Struct, frozen=True):
    """One event for one webhook."""

    id: str
    """The same for all attempts; sent as ``webhook-id``."""
    event_id: str
    webhook: str
    status: DeliveryStatus
    attempts: int
    due_at: float
    """Epoch seconds of the next attempt, for waiting and retrying deliveries."""
    reason: str
    """Why it is dead, held, cancelled or retrying; empty otherwise."""
    created_at: float
