"""Every error that hookctl raises, in one tree.

::

    HookctlError                    anything that hookctl itself reports; has a message and a hint
    |-- SettingsError               hookctl.toml, an option or an environment variable is wrong
    |-- OutputError                 standard output cannot be written; knows whether its reader has left
    |-- PluginError                 a plugin raised, or broke its contract; names the plugin
    |-- RevisionError               a git revision cannot be read; says what git says
    |-- StateError
    |   |-- StalePlanError          the applied state has moved on since the plan was made
    |   |-- AlteredPlanError        a saved plan's content does not match its digest
    |   |-- StateLockedError        another apply holds the lock
    |   |-- StoreError              the store cannot be opened, read or written
    |   `-- IntakeRefusedError      the store is too full to take in events; says when to ask again
    |-- SecretError                 a secret reference cannot be resolved; never holds the secret
    |-- TokenError                  a token endpoint refused, or answered nonsense; never holds secret or token
    |-- EventError                  an event is not acceptable; says why
    |-- CassetteError               a recorded exchange is missing, or cannot be read or written
    |-- TemplateError               a template cannot be compiled; knows where
    |-- RenderError                 a template cannot be rendered for this event
    `-- TransportError              no complete response came back; knows its kind
        |-- NameNotFoundError       the host name does not resolve
        |-- AddressBlockedError     the guard refused an address; nothing was dialled
        |-- ConnectError            refused, unreachable, reset before the request was sent
        |-- TlsError                handshake or certificate verification failed
        |-- DeadlineError           the total deadline passed
        `-- CutResponseError        the connection ended inside the response

A message says what is wrong and where; a hint says what to do. Neither ever holds a secret.
"""

from __future__ import annotations


class HookctlError(Exception):
    """Base of all errors that hookctl raises on purpose."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SettingsError(HookctlError):
    """A setting of this machine is wrong: hookctl.toml, an option, an environment variable."""


class OutputError(HookctlError):
    """Standard output cannot be written. ``reader_left`` is true where it is a pipe that nobody reads any more."""

    def __init__(self, message: str, *, hint: str = "", reader_left: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.reader_left = reader_left


class PluginError(HookctlError):
    """A plugin raised or broke its contract; the message names the plugin."""


class RevisionError(HookctlError):
    """A git revision cannot be read: no repository, no such revision, no git."""


class StateError(HookctlError):
    """The applied state refuses."""


class StalePlanError(StateError):
    """The applied state's serial is no longer the one that the plan starts from."""


class AlteredPlanError(StateError):
    """A saved plan's digest does not match its content."""


class StateLockedError(StateError):
    """Another apply is at work on the same state."""


class StoreError(StateError):
    """The store cannot be opened, read or written."""


class IntakeRefusedError(StateError):
    """The store or its disk is too full to take in events. Nothing was stored; ``retry_after`` is the seconds after which to try again."""

    def __init__(self, message: str, *, hint: str = "", retry_after: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class SecretError(HookctlError):
    """A secret reference cannot be resolved. Holds the reference, never the value."""


class TokenError(HookctlError):
    """No access token: its endpoint cannot be reached, refused, or answered nonsense. Holds neither secret nor token."""


class EventError(HookctlError):
    """An event cannot be accepted."""


class CassetteError(HookctlError):
    """A recorded exchange is missing, or cannot be read or written."""


class TemplateError(HookctlError):
    """A template cannot be compiled.

    ``start`` and ``end`` are offsets in characters into the template's text (end exclusive),
    so that the caller can point into the file that holds it.
    """

    def __init__(self, message: str, *, hint: str = "", rule: str = "template-syntax", start: int = 0, end: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.rule = rule
        self.start = start
        self.end = end


class RenderError(HookctlError):
    """A template cannot be rendered for one event; the delivery is dead with this as its reason.

    ``start`` and ``end`` are offsets of the expression into the template's text, as :class:`TemplateError` has them; both 0 where it is not known.
    """

    def __init__(self, message: str, *, hint: str = "", start: int = 0, end: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.start = start
        self.end = end


class TransportError(HookctlError):
    """No complete response: the base of what a transport may raise.

    ``kind`` is a stable word for records and tips (see ``hookctl.model.FailureKind``).
    """

    kind = "transport"


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
