"""Every error that hookctl raises, in one tree.

::

    HookctlError                    anything that hookctl itself reports; has a message and a hint
    |-- FileError                   a file cannot be read or written; the message is only the reason
    |   |-- FileMissingError        it does not exist
    |   |-- FileOutsideError        a link leads to it, or out of the directory that it must be in
    |   `-- FileTooLargeError       it is larger than the limit
    |-- InvalidFilesError           webhook files have errors; has the findings
    |-- UnknownWebhookError         no webhook has that name; suggests the nearest names
    |-- SettingsError               hookctl.toml, an option or an environment variable is wrong
    |-- OutputError                 standard output cannot be written; has whether its reader has left
    |-- PluginError                 a plugin raised, or broke its contract; names the plugin
    |   `-- SameNameError           two plugins, or parts of two plugins, have the same name; names both plugins
    |-- RevisionError               a git revision cannot be read; quotes git's message
    |-- StateError                  the applied state does not allow the operation
    |   |-- StalePlanError          the applied state has changed since the plan was made
    |   |-- AlteredPlanError        a saved plan's content does not match its digest
    |   |-- SignatureError          a saved plan does not have the required signature
    |   |-- StateLockedError        another apply holds the lock
    |   |-- StoreError              the store cannot be opened, read or written
    |   |   `-- StoreGoneError      the file of the open store was deleted, replaced or linked
    |   |-- IntakeRefusedError      the store is too full to take in events; has when to retry
    |   `-- ChangedError            an id or a key was used before, with other content
    |-- SecretError                 a secret reference cannot be resolved; never contains the secret
    |-- TokenError                  a token endpoint failed; never contains secret or token
    |   `-- TokenRefusedError       it refuses the credentials
    |-- EventError                  an event is not acceptable
    |-- CassetteError               a recorded exchange is missing, or cannot be read or written
    |-- TemplateError               a template cannot be compiled; has the offsets
    |-- RenderError                 a template cannot be rendered for this event
    |-- BudgetError                 an evaluation takes too many steps
    `-- TransportError              no complete response was received; has the kind of failure
        |-- NameNotFoundError       the host name does not resolve
        |-- AddressBlockedError     the guard refused an address; no connection was attempted
        |-- ConnectError            refused, unreachable, reset before the request was sent
        |-- TlsError                handshake or certificate verification failed
        |-- ProxyError              the proxy failed or refused; nothing was sent to the target
        |-- DeadlineError           the total deadline passed
        |-- CutResponseError        the connection ended inside the response
        `-- LocalError              this machine lacks what a request needs: a file descriptor, memory, a thread, a port

A message states what is wrong and where; a hint states what to do. Neither ever contains a secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookctl.model import Finding, Json


class HookctlError(Exception):
    """Base of all errors that hookctl raises on purpose."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class FileError(HookctlError):
    """A file cannot be read or written. The message is only the reason: the caller adds the file and its purpose."""


class FileMissingError(FileError):
    """The file does not exist."""


class FileOutsideError(FileError):
    """A link is not allowed here, or leads out of the directory that the file must be in."""


class FileTooLargeError(FileError):
    """The file is larger than the limit."""


class InvalidFilesError(HookctlError):
    """The webhook files have errors. ``findings`` has all errors and warnings."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("the webhook files have errors", hint="Fix the findings that `hookctl validate` shows.")
        self.findings = tuple(findings)


class UnknownWebhookError(HookctlError):
    """No webhook has the given name. The hint suggests the nearest existing names."""


class SettingsError(HookctlError):
    """A setting of this machine is wrong: hookctl.toml, an option, or an environment variable."""


class OutputError(HookctlError):
    """Standard output cannot be written. ``reader_left`` is true if it is a pipe whose reader has closed it."""

    def __init__(self, message: str, *, hint: str = "", reader_left: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.reader_left = reader_left


class PluginError(HookctlError):
    """A plugin raised an exception or broke its contract; the message names the plugin.

    ``plugin`` is the name of the plugin if hookctl created the error, and empty if the plugin did.
    """

    def __init__(self, message: str, *, hint: str = "", plugin: str = "") -> None:
        super().__init__(message, hint=hint)
        self.plugin = plugin


class SameNameError(PluginError):
    """Two plugins, or parts of two plugins, have the same name; the message names both plugins."""


class RevisionError(HookctlError):
    """A git revision cannot be read: no repository, no such revision, no git."""


class StateError(HookctlError):
    """The applied state does not allow the operation."""


class StalePlanError(StateError):
    """The applied state's serial differs from the serial that the plan was made for."""


class AlteredPlanError(StateError):
    """A saved plan's digest does not match its content."""


class SignatureError(StateError):
    """A saved plan is not signed, or its signature was made with another key."""


class StateLockedError(StateError):
    """Another apply holds the lock on the state."""


class StoreError(StateError):
    """The store cannot be opened, read or written."""


class StoreGoneError(StoreError):
    """The open store was deleted, renamed or replaced, or its file got a second name.

    Do not acknowledge anything that was written since its last commit.
    """


class IntakeRefusedError(StateError):
    """The store or its disk is too full to take in events. Nothing was stored.

    ``fits``: the number of events, counted from the first, for which there was room. ``retry_after``: seconds after
    which to try again.
    """

    def __init__(self, message: str, *, hint: str = "", fits: int = 0, retry_after: int = 30) -> None:
        super().__init__(message, hint=hint)
        self.fits = fits
        self.retry_after = retry_after


class ChangedError(StateError):
    """Events have ids, or requests have keys, that were used before with other content. Nothing was stored.

    ``events``: the numbers of these events in their batch, counted from 0, each with the document that was accepted
    before. ``keys``: the numbers of these keys.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        events: Mapping[int, Mapping[str, Json]] | None = None,
        keys: Sequence[int] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.events = events or {}
        self.keys = keys


class SecretError(HookctlError):
    """A secret reference cannot be resolved. Contains the reference, never the value."""


class TokenError(HookctlError):
    """No access token: the endpoint cannot be reached, refused the request, or sent an unusable answer.

    Contains neither secret nor token.
    """


class TokenRefusedError(TokenError):
    """The token endpoint refuses the client's credentials. Until they are fixed, hookctl holds the webhook."""


class EventError(HookctlError):
    """An event cannot be accepted. ``rule`` is the id of the rule that it breaks, if it is one about events."""

    def __init__(self, message: str, *, hint: str = "", rule: str = "") -> None:
        super().__init__(message, hint=hint)
        self.rule = rule


class CassetteError(HookctlError):
    """A recorded exchange is missing, or cannot be read or written."""


class TemplateError(HookctlError):
    """A template cannot be compiled.

    ``start`` and ``end`` are offsets in characters into the template's text (end exclusive), so the caller can point
    into the file that contains it. ``rule`` is the id of a rule. If a plugin leaves it empty, hookctl chooses the rule.
    """

    def __init__(self, message: str, *, hint: str = "", rule: str = "", start: int = 0, end: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.rule = rule
        self.start = start
        self.end = end


class RenderError(HookctlError):
    """A template cannot be rendered for one event. The delivery becomes dead with this error as its reason.

    ``start`` and ``end`` are offsets of the expression into the template's text, as in :class:`TemplateError`; both are
    0 if the place is not known.
    """

    def __init__(self, message: str, *, hint: str = "", start: int = 0, end: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.start = start
        self.end = end


class BudgetError(HookctlError):
    """An expression takes too many steps: it is too large, or the value that it is applied to is too large."""


class TransportError(HookctlError):
    """No complete response was received. Base of the errors that a transport may raise.

    ``kind`` is a stable word for records and tips (see ``hookctl.model.FailureKind``). ``cause`` is a more specific
    word, or empty (see ``hookctl.model.Failure``).
    """

    kind = "transport"

    def __init__(self, message: str, *, hint: str = "", cause: str = "") -> None:
        super().__init__(message, hint=hint)
        self.cause = cause


class NameNotFoundError(TransportError):
    """The host name does not resolve."""

    kind = "name_not_found"


class AddressBlockedError(TransportError):
    """The guard refused an address of the host; no connection was attempted."""

    kind = "address_blocked"


class ConnectError(TransportError):
    """No connection: refused, unreachable, or reset before a response began."""

    kind = "connect"


class TlsError(TransportError):
    """The TLS handshake failed, or the certificate does not hold for the name."""

    kind = "tls"


class ProxyError(TransportError):
    """The proxy of this machine failed or refused before it had opened a tunnel. The target got nothing."""

    kind = "proxy"


class DeadlineError(TransportError):
    """The total deadline passed before the response was complete."""

    kind = "timeout"


class CutResponseError(TransportError):
    """The connection ended inside the response, or the response is not HTTP."""

    kind = "cut_response"


class LocalError(TransportError):
    """hookctl's machine lacks a resource for the request: a file descriptor, memory, a thread, or a local port.

    The error says nothing about the target, so the delivery is retried soon, and its retry schedule is not used up.
    """

    kind = "local"
