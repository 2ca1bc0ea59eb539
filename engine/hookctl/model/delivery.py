"""Deliveries and attempts: one event on its way to one webhook.

They are msgspec's structs and no dataclasses, since each attempt makes a dozen of them, and a frozen dataclass takes ten times as long.
``msgspec.structs.replace`` is to them what ``dataclasses.replace`` is to the others.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from hookctl.model.source import Json

MAX_RESPONSE_BYTES = 64 * 1024


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    """Not tried yet."""
    RETRYING = "retrying"
    """Tried, and due again at a time."""
    HELD = "held"
    """Its webhook is inactive or suspended."""
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
    TIMEOUT = "timeout"
    CUT_RESPONSE = "cut_response"
    TRANSPORT = "transport"
    """Anything else that a transport raised."""
    RENDER = "render"
    SECRET = "secret"  # noqa: S105 - a kind of failure
    TOKEN = "token"  # noqa: S105 - a kind of failure
    """The OAuth token endpoint refused, or answered nonsense."""
    PLUGIN = "plugin"
    """A plugin raised what its contract does not allow."""
    LOCAL = "local"
    """This machine lacks what the attempt needs: a file descriptor, memory, a thread, a port. Never the target's fault."""


class Request(Struct, frozen=True):
    """One HTTP request, ready to be sent."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


class Response(Struct, frozen=True):
    """One HTTP response, its body read up to the cap."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool = False
    """The body was longer than the cap; the rest was not read."""
    framed: bool = True
    """The body's end was marked (length or chunks). If not, a cut body cannot be told from a whole one."""


CERTIFICATE_EXPIRED: Final = "certificate_expired"
CERTIFICATE_WRONG_NAME: Final = "certificate_wrong_name"
CERTIFICATE_UNTRUSTED: Final = "certificate_untrusted"
BROKEN_URL: Final = "url"
CAUSES: Final = frozenset({CERTIFICATE_EXPIRED, CERTIFICATE_WRONG_NAME, CERTIFICATE_UNTRUSTED, BROKEN_URL})


class Failure(Struct, frozen=True):
    """Why there is no response."""

    kind: FailureKind
    message: str
    cause: str = ""
    """What the kind leaves open, as one of the stable words in :data:`CAUSES`; empty where nothing more is known.

    ``certificate_expired``: the certificate has expired, or is not valid yet. ``certificate_wrong_name``: it is for
    another host. ``certificate_untrusted``: its authority is not one that is trusted here. ``url``: a secret or a value
    of the event makes the URL one that no request may be sent to.
    """


def known_cause(cause: object) -> str:
    """``cause`` where it is one of :data:`CAUSES`; empty for anything else, such as a plugin's own word."""
    return cause if type(cause) is str and cause in CAUSES else ""


class Timing(Struct, frozen=True):
    """Seconds from the start of the attempt to the end of each phase; None where a phase did not happen or is not known."""

    resolved: float | None = None
    connected: float | None = None
    tls: float | None = None
    first_byte: float | None = None
    total: float = 0.0


class Mismatch(Struct, frozen=True):
    """What a response validator does not accept."""

    validator: str
    """Its type and what tells it from others of that type: ``json_path $.data.status``."""
    message: str
    path: str = ""
    expected: Json = None
    got: Json = None


class Verdict(Struct, frozen=True):
    """What one response validator said."""

    validator: str
    mismatches: tuple[Mismatch, ...] = ()

    @property
    def passed(self) -> bool:
        """True when there is nothing to object to."""
        return not self.mismatches


class Attempt(Struct, frozen=True, kw_only=True):
    """One request of a delivery and what came of it: the invocation data. Secrets are masked."""

    plan_digest: str
    number: int
    """From 1."""
    started_at: float
    """Epoch seconds."""
    request: Request | None
    """As it was sent, secrets masked; None when it could not be made."""
    response: Response | None
    failure: Failure | None
    timing: Timing
    verdicts: tuple[Verdict, ...] = ()

    @property
    def succeeded(self) -> bool:
        """True for a 2xx response with which every validator agrees."""
        if self.response is None or not 200 <= self.response.status < 300:
            return False
        return not any(verdict.mismatches for verdict in self.verdicts)


class Delivery(Struct, frozen=True):
    """One event for one webhook."""

    id: str
    """Stable over all attempts; sent as ``webhook-id``."""
    event_id: str
    webhook: str
    status: DeliveryStatus
    attempts: int
    due_at: float
    """Epoch seconds of the next attempt, for waiting and retrying deliveries."""
    reason: str
    """Why it is dead, held, cancelled or retrying; empty otherwise."""
    created_at: float
