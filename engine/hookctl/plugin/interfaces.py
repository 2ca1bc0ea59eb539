"""What a plugin gives: one frozen description per thing, with a function that builds it when it is needed.

Descriptions are made at start-up, so they and the modules that hold them stay light; what is heavy is imported inside
``build``. A description's ``schema`` is a JSON Schema (2020-12) of the YAML block without its ``type``; ``check``
applies it, editors and ``hookctl plugins`` show it. Three annotations go beyond JSON Schema, at any depth of it:
``"x-secret": true`` marks a string that must be written as a secret reference, ``"x-url": true`` one that must keep the
rules of ``hookctl.network.check_url``, and ``"x-headers": true`` an object whose keys and values must be able to be
sent as headers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from msgspec import Struct

from hookctl.bounded import RESPONSE_STEPS, Budget
from hookctl.model import Attempt, Delivery, Finding, Json, Mismatch, Plan, Request, Resolved, Response, Timing
from hookctl.model.delivery import Failure
from hookctl.plugin.report_format import FindingsReport, Pieces, ReportFormat, ResultsReport, ReviewReport

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter
    from requests.auth import AuthBase

    from hookctl.network import Network, UrlProblem

Settings = Mapping[str, Resolved]
"""A plugin's block without ``type``, valid by its schema, with secrets resolved."""


# -- auth ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AuthContext:
    """What an auth plugin may use while it authenticates."""

    adapter: BaseAdapter
    """Sends a request of the plugin's own (for a token, say). Guarded; ``timeout`` is a total deadline in seconds."""
    timeout: float
    """The webhook's ``timeout_seconds``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthType:
    """A way to authenticate a request."""

    name: str
    summary: str
    schema: Mapping[str, Json]
    build: Callable[[Settings, AuthContext], AuthBase]
    """Gives an ``AuthBase``, called with a ``PreparedRequest``. Built once per delivery plan and process."""
    per_attempt: bool = False
    """True when the result depends on the body, the time or a token: called for each attempt.
    Else once per delivery plan, unless an event's values stand in its URL or headers."""
    blocking: bool | None = None
    """True when building it or a call may wait (for a token); it is then never called on the runner's thread, and a 401
    may be the token's fault. False when neither ever waits nor sends. None, undeclared: kept off the runner's thread
    all the same."""
    adds: Callable[[Mapping[str, Json]], Mapping[str, str]] | None = None
    """The headers that it adds to a request, for `plan` and `render`, which read no secret and send nothing.

    Called with the settings as written; a reference in a value is shown as ``***``, and what is known only at send
    time is written so. None: the settings are shown in its place.
    """


@runtime_checkable
class Refreshable(Protocol):
    """An ``AuthBase`` that holds a token. After a 401 the runner asks once for a fresh one and tries again."""

    def refresh(self, request: Request) -> None:
        """Forget the token that ``request`` carried; if a newer one is there already, do nothing."""
        ...


# -- transport -------------------------------------------------------------------------------------------------------

DEFAULT_TRANSPORT = "curl"
"""The transport of a webhook that names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportType:
    """A way to send a request. It raises ``hookctl.errors.TransportError`` or ``requests`` exceptions."""

    name: str
    summary: str
    schema: Mapping[str, Json]
    build: Callable[[Settings, Network], BaseAdapter]
    """Gives a ``BaseAdapter``; one that is a :class:`ConcurrentTransport` too is driven without threads.

    ``send``'s ``timeout`` is a total deadline in seconds, and its ``Response`` has been read up to the cap."""
    check_url: Callable[[str], Sequence[UrlProblem]] | None = None
    """The URL rule of the transport's own URLs; None: HTTPS as ``hookctl.network.check_url`` has it."""


class Completion(Struct, frozen=True):
    """A submitted request that has ended, one way or the other."""

    ticket: int
    result: Response | Failure
    timing: Timing


@runtime_checkable
class ConcurrentTransport(Protocol):
    """A transport that one thread drives, many requests at once."""

    def submit(self, ticket: int, request: Request, timeout: float) -> None:
        """Begin to send; ``timeout`` is the total deadline in seconds. Never blocks, never raises for a bad target."""
        ...

    def poll(self, wait: float) -> Sequence[Completion]:
        """What has ended since the last call; waits up to ``wait`` seconds for the first.

        Returns at once after :meth:`wake`.
        """
        ...

    def wake(self) -> None:
        """Make a running or the next :meth:`poll` return at once. The one method that other threads may call."""
        ...

    def cancel(self, ticket: int) -> None:
        """Give up a request; it has no completion."""
        ...

    def close(self) -> None:
        """Give up everything, and close every connection."""
        ...


# -- response validator ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Envelope:
    """A response as validators see it: ``$.status``, ``$.headers``, ``$.data``."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names; a repeated header's values are joined by ``, ``."""
    data: Json
    """The body as JSON, or as text when it is not JSON."""
    problem: str = ""
    """Why ``data`` cannot be trusted: ``the body is longer than 65536 bytes``, ``the body's end is not marked``. A
    validator of the body fails then."""
    budget: Budget = field(default_factory=lambda: Budget(RESPONSE_STEPS), compare=False, repr=False)
    """What looking at the response may cost, for all validators together: they run on the thread that delivers."""


Validate = Callable[[Envelope], Sequence[Mismatch]]
"""Says the same of the same envelope: an answer that is like the last one that passed, to the byte, is not shown to it
again."""

DEFAULT_VALIDATOR = "json_path"
"""The validator of an entry of ``response_validators`` that names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatorType:
    """A check on a response.

    ``build`` raises ``hookctl.errors.TemplateError`` for a bad expression, with offsets into it.

    Where a file has another setting that the schema refuses, ``build`` is called all the same for what it says of the
    expression; whatever else it raises then is passed over.
    """

    name: str
    summary: str
    schema: Mapping[str, Json]
    build: Callable[[Mapping[str, Json]], Validate]
    label: Callable[[Mapping[str, Json]], str]
    """What tells this one from others of its type, for people: ``json_path $.data.status``."""
    expression: str = ""
    """The setting that :attr:`build`'s error offsets count in, such as ``json_path``."""


# -- secret source ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSource:
    """Resolves ``${scheme:key}``."""

    scheme: str
    summary: str
    resolve: Callable[[str], str]
    """The secret of a key. Raises ``hookctl.errors.SecretError``, whose text never holds the secret."""
    blocking: bool = True
    """False when it never waits, for a disk or a network say: it is then called on the runner's thread, which spares a
    thread."""


# -- event type ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """A named kind of event."""

    name: str
    summary: str
    schema: Mapping[str, Json]
    """JSON Schema of the whole event ``{id, event_type, event_time, data}``; every property has a ``description``."""
    mock: Mapping[str, Json]
    """A whole event, valid by the schema, for tests and previews."""


# -- template filter -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterType:
    """A template filter: a pure function of JSON values, bounded in cost and output."""

    name: str
    summary: str
    call: Callable[..., Json]


# -- policy and observer ---------------------------------------------------------------------------------------------


CheckPlan = Callable[[Plan], Sequence[Finding]]
"""Gives the findings of one policy about a plan. An error keeps the plan from being applied, unless ``severity`` in
hookctl.toml says otherwise or the webhook is unchanged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """An organisation's rule about plans; off unless hookctl.toml has a table ``[policies.NAME]``."""

    name: str
    summary: str
    schema: Mapping[str, Json]
    """JSON Schema of the table without ``severity``, which every policy has."""
    build: Callable[[Mapping[str, Json]], CheckPlan]
    """Gives the check for settings that are valid by the schema. Raises ``hookctl.errors.SettingsError`` for what no
    schema can refuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Told of each attempt and each outcome, after it was recorded.

    Cannot change it; what goes wrong in it is logged once and dropped.
    """

    name: str
    attempted: Callable[[Delivery, Attempt], None] | None = None
    ended: Callable[[Delivery], None] | None = None


__all__ = [
    "AuthContext",
    "AuthType",
    "CheckPlan",
    "Completion",
    "ConcurrentTransport",
    "Envelope",
    "EventType",
    "FilterType",
    "FindingsReport",
    "Observer",
    "Pieces",
    "Policy",
    "Refreshable",
    "ReportFormat",
    "ResultsReport",
    "ReviewReport",
    "SecretSource",
    "Settings",
    "TransportType",
    "Validate",
    "ValidatorType",
]
