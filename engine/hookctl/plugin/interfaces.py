"""The descriptions that plugins return: frozen records, with functions that build each part when needed.

Descriptions are created at start-up, so keep them and their modules light: import heavy libraries inside ``build``. A
description's ``schema`` is a JSON Schema (2020-12) of the YAML block without its ``type``; ``check``
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

    from hookctl.model import Problem
    from hookctl.network import Network

Settings = Mapping[str, Resolved]
"""The settings of a plugin's block without ``type``. They are valid by the plugin's schema, and secrets are
resolved."""


# -- auth ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AuthContext:
    """What an auth plugin may use while it authenticates."""

    adapter: BaseAdapter
    """Sends the plugin's own requests, for example for a token. It is guarded, and ``timeout`` is a total deadline in
    seconds."""
    timeout: float
    """The webhook's ``timeout_seconds``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthType:
    """A way to authenticate a request."""

    name: str
    summary: str
    schema: Mapping[str, Json]
    build: Callable[[Settings, AuthContext], AuthBase]
    """Returns an ``AuthBase``, which is called with a ``PreparedRequest``. It is built once per delivery plan and
    process."""
    per_attempt: bool = False
    """True if the result depends on the body, the time or a token: it is called for each attempt. Otherwise it is
    called once per delivery plan, unless the URL or headers contain values of the event."""
    blocking: bool | None = None
    """True if building or calling it may wait, for example for a token: it never runs on the runner's thread, and a 401
    may mean that the token is no longer valid. False if it never waits and never sends. None (not declared): it does
    not run on the runner's thread either."""
    adds: Callable[[Mapping[str, Json]], Mapping[str, str]] | None = None
    """The headers that it adds to a request, for `plan` and `render`, which read no secrets and send nothing. It is
    called with the settings as written. Write a reference, or a value that is known only at send time, as ``***``.
    None: the settings are shown instead.
    """


@runtime_checkable
class Refreshable(Protocol):
    """An ``AuthBase`` with a token. After a 401, the runner asks once for a fresh token and sends the request again."""

    def refresh(self, request: Request) -> None:
        """Forget the token that ``request`` carried. If there is a newer token already, do nothing."""
        ...


# -- transport -------------------------------------------------------------------------------------------------------

DEFAULT_TRANSPORT = "curl"
"""The transport of a webhook that does not name one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportType:
    """A way to send a request. It raises ``hookctl.errors.TransportError`` or ``requests`` exceptions."""

    name: str
    summary: str
    schema: Mapping[str, Json]
    build: Callable[[Settings, Network], BaseAdapter]
    """Returns a ``BaseAdapter``. If it is also a :class:`ConcurrentTransport`, hookctl drives it without threads.

    The ``timeout`` of ``send`` is a total deadline in seconds, and its ``Response`` is read up to the limit."""
    check_url: Callable[[str], Sequence[Problem]] | None = None
    """Checks the transport's own URLs; None: HTTPS URLs, as in ``hookctl.network.check_url``."""


class Completion(Struct, frozen=True):
    """A submitted request that has ended, with a response or a failure."""

    ticket: int
    result: Response | Failure
    timing: Timing


@runtime_checkable
class ConcurrentTransport(Protocol):
    """A transport in which one thread drives many requests at the same time."""

    def submit(self, ticket: int, request: Request, timeout: float) -> None:
        """Start sending. ``timeout`` is the total deadline in seconds.

        Never blocks, and never raises because of a bad target.
        """
        ...

    def poll(self, wait: float) -> Sequence[Completion]:
        """The requests that ended since the last call.

        Waits up to ``wait`` seconds for the first; returns at once after :meth:`wake`.
        """
        ...

    def wake(self) -> None:
        """Make the current or next :meth:`poll` return at once. This is the only method that other threads may call."""
        ...

    def cancel(self, ticket: int) -> None:
        """Abandon a request; it gets no completion."""
        ...

    def close(self) -> None:
        """Abandon all requests, and close every connection."""
        ...


# -- response validator ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Envelope:
    """A response in the form that validators see: ``$.status``, ``$.headers``, ``$.data``."""

    status: int
    headers: Mapping[str, str]
    """Names are in lower case; the values of a repeated header are joined with ``, ``."""
    data: Json
    """The body as JSON, or as text when it is not JSON."""
    problem: str = ""
    """The reason why ``data`` cannot be trusted, such as ``the body is longer than 65536 bytes``. Validators of the
    body then fail."""
    budget: Budget = field(default_factory=lambda: Budget(RESPONSE_STEPS), compare=False, repr=False)
    """The budget of all validators together for reading the response: they run on the thread that delivers."""


Validate = Callable[[Envelope], Sequence[Mismatch]]
"""Checks an envelope. It must be deterministic: a response with exactly the bytes of the last accepted one is not
checked again."""

DEFAULT_VALIDATOR = "json_path"
"""The validator of entries of ``response_validators`` that do not name one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatorType:
    """A check on a response.

    ``build`` raises ``hookctl.errors.TemplateError`` for a bad expression, with offsets into it.

    If the schema rejects another setting, ``build`` is still called to check the expression, and other errors are
    ignored.
    """

    name: str
    summary: str
    schema: Mapping[str, Json]
    build: Callable[[Mapping[str, Json]], Validate]
    label: Callable[[Mapping[str, Json]], str]
    """A label that distinguishes it from others of its type, for people: ``json_path $.data.status``."""
    expression: str = ""
    """The setting that the offsets of errors from :attr:`build` refer to, such as ``json_path``."""


# -- secret source ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSource:
    """Resolves ``${scheme:key}``."""

    scheme: str
    summary: str
    resolve: Callable[[str], str]
    """Returns the secret of a key. Raises ``hookctl.errors.SecretError``, whose text never contains the secret."""
    blocking: bool = True
    """False if it never waits for a disk or a network: it then runs on the runner's own thread."""


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
    """Called with the value, followed by the arguments in the template. Raises ``hookctl.errors.RenderError`` for
    values that it does not accept."""
    takes: frozenset[str] = frozenset()
    """The types of JSON Schema that the value may have: ``string``, ``number`` (which includes ``integer``),
    ``integer``, ``boolean``, ``null``, ``array``, ``object``. The filter is never called with another value.
    Empty: any."""
    gives: frozenset[str] = frozenset()
    """The types that the result may have. A result of another type is a failure of the plugin. Empty: any."""


# -- policy and observer ---------------------------------------------------------------------------------------------


CheckPlan = Callable[[Plan], Sequence[Finding]]
"""Returns the findings of one policy about a plan. An error blocks the plan, unless hookctl.toml sets ``severity =
"warning"`` or the webhook is unchanged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """An organization's rule about plans. It is off unless hookctl.toml has a table ``[policies.NAME]``."""

    name: str
    summary: str
    schema: Mapping[str, Json]
    """JSON Schema of the table, without ``severity``, which every policy accepts."""
    build: Callable[[Mapping[str, Json]], CheckPlan]
    """Returns the check for settings that are valid by the schema. Raises ``hookctl.errors.SettingsError`` for errors
    that no schema can express."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Receives each attempt and each outcome after it was recorded. It cannot change them.

    Its errors are logged once and dropped.
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
