"""The descriptions that plugins return: frozen records, with functions that build each part when needed.

hookctl creates descriptions at start-up, so keep them and their modules light: import heavy libraries inside ``build``.

A description's ``schema`` is a JSON Schema (2020-12) of the YAML block without its ``type``. ``check`` applies it;
editors and ``hookctl plugins`` show it. Three annotations extend JSON Schema, at any depth: ``"x-secret": true`` marks
a string that must be a secret reference, ``"x-url": true`` a string that must follow the rules of
``hookctl.network.check_url``, and ``"x-headers": true`` an object whose keys and values must be valid headers.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from msgspec import Struct

from hookctl.bounded import RESPONSE_STEPS, Budget
from hookctl.model import Finding, Json, Mismatch, Plan, Request, Resolved, Response, Timing
from hookctl.model.delivery import Failure
from hookctl.model.store_type import EngineCheck, StoreType
from hookctl.plugin.observer import Observer
from hookctl.plugin.report_format import FindingsReport, Pieces, ReportFormat, ResultsReport, ReviewReport

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter
    from requests.auth import AuthBase

    from hookctl.model import Problem
    from hookctl.network import Network

Settings = Mapping[str, Resolved]
"""The settings of a plugin's block without ``type``. They are valid against the plugin's schema, with resolved
secrets.
"""


# -- auth ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AuthContext:
    """What an auth plugin may use while it authenticates."""

    adapter: BaseAdapter
    """Sends the plugin's own requests, for example for a token. The guard checks them. ``timeout`` is a total deadline
    in seconds.
    """
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
    process.
    """
    per_attempt: bool = False
    """True if the result depends on the body, the time or a token. It is then called for each attempt; otherwise once
    per delivery plan, or for each attempt if the URL or headers contain values of the event.
    """
    blocking: bool | None = None
    """True if building or calling it may wait, for example for a token. It then never runs on the runner's thread.
    False if it never waits and never sends. None (not declared): it does not run on the runner's thread either. The
    auth of a third-party plugin never runs there, whatever it declares.
    """
    adds: Callable[[Mapping[str, Json]], Mapping[str, str]] | None = None
    """The headers that it adds to a request, for `plan` and `render`, which read no secrets and send nothing. It
    receives the settings as written. Return ``***`` for a reference, or for a value that is known only at send time.
    None: `plan` and `render` show the settings instead, unless there is ``adds_query``.
    """
    signs: bool = False
    """True if it signs what the request contains. It must then come after every auth that does not sign, because those
    may change what is signed: the rule ``signature-not-last`` reports a list in another order.
    """
    problems: Callable[[Mapping[str, Json]], Mapping[str, Problem]] | None = None
    """The problems that no schema can express, such as a wrong template, each by the name of the setting that has it.
    ``check`` reports them as the rule ``setting-invalid``. It receives settings that the schema accepts, as written.
    """
    expand: Callable[[Mapping[str, Json]], Mapping[str, Json]] | None = None
    """The settings in full, such as the recipe in place of a preset's name. They are what a plan shows and what
    ``build`` receives, so that a new version of the plugin cannot change what was reviewed. It receives valid settings
    as written.
    """
    warnings: Callable[[Settings], Sequence[str]] | None = None
    """What is weak about resolved secrets that work, such as a short key, for `test` and `doctor`. The texts must not
    contain a secret.
    """
    adds_query: Callable[[Mapping[str, Json]], Mapping[str, str]] | None = None
    """The parameters that it adds to the URL's query, with the same rules as ``adds``."""


@runtime_checkable
class Refreshable(Protocol):
    """An ``AuthBase`` with a token. After a 401 or 403, hookctl asks once for a fresh token and sends again."""

    def refresh(self, request: Request) -> None:
        """Forget the token that ``request`` carried, unless a newer token has replaced it already."""
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
    """The number that :meth:`ConcurrentTransport.submit` got."""
    result: Response | Failure
    timing: Timing
    """How long each phase took."""


@runtime_checkable
class ConcurrentTransport(Protocol):
    """A transport in which one thread sends many requests at the same time."""

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
        """Make the current or next :meth:`poll` return at once. Only this method may be called from other threads."""
        ...

    def cancel(self, ticket: int) -> None:
        """Abandon a request. :meth:`poll` returns no completion for it."""
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
    body then fail.
    """
    not_json: str = ""
    """What the body is if it is not JSON, such as ``the body is empty``, to add to the message of a mismatch."""
    body: bytes = field(default=b"", repr=False)
    """The body as it was received."""
    not_text: str = ""
    """What the body is if it is not text either, such as ``the body is compressed with gzip``."""
    budget: Budget = field(default_factory=lambda: Budget(RESPONSE_STEPS), compare=False, repr=False)
    """The steps that all validators together may spend on the response, because they run on the thread that
    delivers.
    """

    @property
    def text(self) -> str:
        """The body as text, without a byte order mark. Bytes that are not UTF-8 are replaced; see :attr:`not_text`."""
        return self.body.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")


Validate = Callable[[Envelope], Sequence[Mismatch]]
"""Checks an envelope. It must be deterministic: hookctl does not check the same bytes again after it accepted them."""

DEFAULT_VALIDATOR = "json_path"
"""The validator of entries in ``response_validators`` that do not name one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatorType:
    """A check on a response.

    ``build`` raises ``hookctl.errors.TemplateError`` for a bad expression, with offsets into it. If the schema rejects
    another setting, hookctl still calls ``build`` to check the expression, and ignores other errors.
    """

    name: str
    summary: str
    schema: Mapping[str, Json]
    build: Callable[[Mapping[str, Json]], Validate]
    """Returns the check for settings that are valid against the schema, as written."""
    label: Callable[[Mapping[str, Json]], str]
    """A label for people that distinguishes it from others of its type: ``json_path $.data.status``."""
    expression: str = ""
    """The setting that the offsets of errors from :attr:`build` refer to, such as ``json_path``."""


# -- secret source ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSource:
    """Resolves ``${scheme:key}``."""

    scheme: str
    """What comes before ``:`` in a reference, in lower case."""
    summary: str
    resolve: Callable[[str], str]
    """Returns the secret of a key. Raises ``hookctl.errors.SecretError``, whose text never contains the secret."""
    blocking: bool = True
    """False if it never waits for a disk or a network; it then runs on the runner's own thread. Ignored for third-party
    plugins, whose code never runs there.
    """


# -- event type ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """A named kind of event."""

    name: str
    summary: str
    schema: Mapping[str, Json]
    """JSON Schema of the whole event ``{id, event_type, event_time, data}``; every property has a ``description``."""
    mock: Mapping[str, Json]
    """A complete event that is valid against the schema, for tests and previews."""


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


# -- policy ----------------------------------------------------------------------------------------------------------


CheckPlan = Callable[[Plan], Sequence[Finding]]
"""Returns the findings of one policy about a plan. An error blocks the plan, unless hookctl.toml sets ``severity =
"warning"`` or the webhook is unchanged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """An organization's rule about plans. It is off unless hookctl.toml has a table ``[policies.NAME]``."""

    name: str
    summary: str
    schema: Mapping[str, Json]
    """JSON Schema of the table without ``severity``, which every policy accepts."""
    build: Callable[[Mapping[str, Json]], CheckPlan]
    """Returns the check for settings that are valid against the schema. Raises ``hookctl.errors.SettingsError`` for
    errors that no schema can express.
    """


__all__ = [
    "AuthContext",
    "AuthType",
    "CheckPlan",
    "Completion",
    "ConcurrentTransport",
    "EngineCheck",
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
    "StoreType",
    "TransportType",
    "Validate",
    "ValidatorType",
]
