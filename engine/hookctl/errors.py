"""Every error that hookctl raises, in one tree.

::

    HookctlError                    anything that hookctl itself reports; has a message and a hint
    |-- FileError                   a file cannot be read or written; the message is the reason alone
    |   |-- FileMissingError        it is not there
    |   |-- FileOutsideError        a link leads to it, or out of the directory that it must be in
    |   `-- FileTooLargeError       it is over the limit
    |-- InvalidFilesError           webhook files have errors; holds the findings
    |-- UnknownWebhookError         there is no webhook of that name; suggests the nearest
    |-- SettingsError               hookctl.toml, an option or an environment variable is wrong
    |-- OutputError                 standard output cannot be written; knows whether its reader has left
    |-- PluginError                 a plugin raised, or broke its contract; names the plugin
    |-- RevisionError               a git revision cannot be read; says what git says
    |-- StateError
    |   |-- StalePlanError          the applied state has moved on since the plan was made
    |   |-- AlteredPlanError        a saved plan's content does not match its digest
    |   |-- SignatureError          a saved plan has not the signature that was asked for
    |   |-- StateLockedError        another apply holds the lock
    |   |-- StoreError              the store cannot be opened, read or written
    |   |   `-- StoreGoneError      the open store is no longer the file at its path alone
    |   `-- IntakeRefusedError      the store is too full to take in events; says when to ask again
    |-- SecretError                 a secret reference cannot be resolved; never holds the secret
    |-- TokenError                  a token endpoint refused, or answered nonsense; never holds secret or token
    |-- EventError                  an event is not acceptable; says why
    |-- CassetteError               a recorded exchange is missing, or cannot be read or written
    |-- TemplateError               a template cannot be compiled; knows where
    |-- RenderError                 a template cannot be rendered for this event
    |-- BudgetError                 an evaluation takes more steps than it may
    `-- TransportError              no complete response came back; knows its kind
        |-- NameNotFoundError       the host name does not resolve
        |-- AddressBlockedError     the guard refused an address; nothing was dialled
        |-- ConnectError            refused, unreachable, reset before the request was sent
        |-- TlsError                handshake or certificate verification failed
        |-- DeadlineError           the total deadline passed
        |-- CutResponseError        the connection ended inside the response
        `-- LocalError              this machine lacks what a request needs: a file descriptor, memory, a thread, a port

A message says what is wrong and where; a hint says what to do. Neither ever holds a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookctl.model import Finding


class HookctlError(Exception):
    """Base of all errors that hookctl raises on purpose."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class FileError(HookctlError):
    """A file cannot be read or written.

    The message is the reason alone: whoever catches it knows which file, and what for.
    """


class FileMissingError(FileError):
    """There is no such file."""


class FileOutsideError(FileError):
    """A link is where none may be, or leads out of the directory that the file must be in."""


class FileTooLargeError(FileError):
    """The file is larger than what it may be."""


class InvalidFilesError(HookctlError):
    """The webhook files have errors. ``findings`` are all that is wrong with them, warnings too."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("the webhook files have errors", hint="Fix the findings that `hookctl validate` shows.")
        self.findings = tuple(findings)


class UnknownWebhookError(HookctlError):
    """There is no webhook of the name that was asked for. The hint suggests the nearest of those that exist."""


class SettingsError(HookctlError):
    """A setting of this machine is wrong: hookctl.toml, an option, an environment variable."""


class OutputError(HookctlError):
    """Standard output cannot be written. ``reader_left`` is true where it is a pipe that nobody reads any more."""

    def __init__(self, message: str, *, hint: str = "", reader_left: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.reader_left = reader_left


class PluginError(HookctlError):
    """A plugin raised or broke its contract; the message names the plugin.

    ``plugin`` is the name of the plugin, where hookctl and not the plugin made the error; else empty.
    """

    def __init__(self, message: str, *, hint: str = "", plugin: str = "") -> None:
        super().__init__(message, hint=hint)
        self.plugin = plugin


class RevisionError(HookctlError):
    """A git revision cannot be read: no repository, no such revision, no git."""


class StateError(HookctlError):
    """The applied state refuses."""


class StalePlanError(StateError):
    """The applied state's serial is no longer the one that the plan starts from."""


class AlteredPlanError(StateError):
    """A saved plan's digest does not match its content."""


class SignatureError(StateError):
    """A saved plan is not signed, or not with the key that it is verified with."""


class StateLockedError(StateError):
    """Another apply is at work on the same state."""


class StoreError(StateError):
    """The store cannot be opened, read or written."""


class StoreGoneError(StoreError):
    """The store that is open was deleted, renamed or replaced, or got a second name.

    What was done since its last commit must not be acknowledged.
    """


class IntakeRefusedError(StateError):
    """The store or its disk is too full to take in events. Nothing was stored.

    ``fits``: how many of the events, counted from the first, there was room for. ``retry_after``: seconds after which
    to try again.
    """

    def __init__(self, message: str, *, hint: str = "", fits: int = 0, retry_after: int = 30) -> None:
        super().__init__(message, hint=hint)
        self.fits = fits
        self.retry_after = retry_after


class SecretError(HookctlError):
    """A secret reference cannot be resolved. Holds the reference, never the value."""


class TokenError(HookctlError):
    """No access token: its endpoint cannot be reached, refused, or answered nonsense.

    Holds neither secret nor token.
    """


class EventError(HookctlError):
    """An event cannot be accepted."""


class CassetteError(HookctlError):
    """A recorded exchange is missing, or cannot be read or written."""


class TemplateError(HookctlError):
    """A template cannot be compiled.

    ``start`` and ``end`` are offsets in characters into the template's text (end exclusive),
    so that the caller can point into the file that holds it. ``rule`` is the id of a rule; where a plugin leaves it
    empty, hookctl chooses the rule.
    """

    def __init__(self, message: str, *, hint: str = "", rule: str = "", start: int = 0, end: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.rule = rule
        self.start = start
        self.end = end


class RenderError(HookctlError):
    """A template cannot be rendered for one event; the delivery is dead with this as its reason.

    ``start`` and ``end`` are offsets of the expression into the template's text, as :class:`TemplateError` has them;
    both 0 where it is not known.
    """

    def __init__(self, message: str, *, hint: str = "", start: int = 0, end: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.start = start
        self.end = end


class BudgetError(HookctlError):
    """An expression takes more steps than it may: it is too large, or the value that it is applied to is."""


class TransportError(HookctlError):
    """No complete response: the base of what a transport may raise.

    ``kind`` is a stable word for records and tips (see ``hookctl.model.FailureKind``); ``cause`` is one that says more,
    where more is known (see ``hookctl.model.Failure``).
    """

    kind = "transport"

    def __init__(self, message: str, *, hint: str = "", cause: str = "") -> None:
        super().__init__(message, hint=hint)
        self.cause = cause


class NameNotFoundError(TransportError):
    """The host name does not resolve."""

    kind = "name_not_found"


class AddressBlockedError(TransportError):
    """The guard refused what the name resolves to; nothing was dialled."""

    kind = "address_blocked"


class ConnectError(TransportError):
    """No connection: refused, unreachable, or reset before a response began."""

    kind = "connect"


class TlsError(TransportError):
    """The TLS handshake failed, or the certificate does not hold for the name."""

    kind = "tls"


class DeadlineError(TransportError):
    """The total deadline passed before the response was complete."""

    kind = "timeout"


class CutResponseError(TransportError):
    """The connection ended inside the response, or the response is not HTTP."""

    kind = "cut_response"


class LocalError(TransportError):
    """The machine that hookctl runs on lacks what a request needs: a file descriptor, memory, a thread, a local port.

    It says nothing about the target, so the delivery is tried again soon, and its retry schedule is not used up.
    """

    kind = "local"
