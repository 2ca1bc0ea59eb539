"""Exceptions at the attempt boundary, turned into failures: whatever code raises, an attempt ends with a record.

A failure's message never repeats the text of an exception that hookctl did not define: that text may hold a secret.
"""

from __future__ import annotations

from types import TracebackType
from typing import Final

from hookctl.errors import (
    HookctlError,
    PluginError,
    RenderError,
    SecretError,
    TemplateError,
    TokenError,
    TokenRefusedError,
    TransportError,
)
from hookctl.model import CREDENTIALS_REFUSED, Failure, FailureKind
from hookctl.network.shortage import lacking, shortage_of
from hookctl.plugin.calls import Plugins
from hookctl.plugin.contain import is_interrupt
from hookctl.plugin.raised import runs_no_code
from hookctl.plugin.responses import failure_of_transport

_KINDS: Final = {
    SecretError: FailureKind.SECRET,
    TokenError: FailureKind.TOKEN,
    RenderError: FailureKind.RENDER,
    TemplateError: FailureKind.RENDER,
}


class AttemptFailedError(Exception):
    """Ends an attempt. Never leaves this package."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure: Final = failure


def failure_of(error: BaseException, who: str) -> Failure:
    """The failure that ``error`` means.

    ``who`` names whose code raised it, such as ``auth oauth2 of plugin hookctl_plugins.auth``.
    """
    if type(error) is AttemptFailedError:
        return error.failure
    if not runs_no_code(error):
        return Failure(FailureKind.PLUGIN, f"{who} raised an exception that cannot be read")
    if isinstance(error, TransportError):
        return failure_of_transport(error)
    if isinstance(error, PluginError) and (lack := shortage_of(error)):
        return Failure(FailureKind.LOCAL, lack)
    if isinstance(error, HookctlError) and type(error.message) is str:
        kind = next((kind for known, kind in _KINDS.items() if isinstance(error, known)), FailureKind.PLUGIN)
        cause = CREDENTIALS_REFUSED if isinstance(error, TokenRefusedError) else ""
        return Failure(kind, error.message, cause)
    lack = shortage_of(error) or lacking()  # without a free descriptor, anything may fail without saying why
    return (
        Failure(FailureKind.LOCAL, lack)
        if lack
        else Failure(FailureKind.PLUGIN, f"{who} raised {type(error).__name__}")
    )


# A class, since each attempt enters several, and a generator would cost four times as much.
class attributed_to:  # noqa: N801  # reads like a function in a with statement
    """Inside the block, every exception but Ctrl-C ends the attempt with the failure that it means."""

    __slots__ = ("_who",)

    def __init__(self, who: str) -> None:
        self._who = who

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and type(error) is not AttemptFailedError and not is_interrupt(error):
            raise AttemptFailedError(failure_of(error, self._who)) from error


def named(plugins: Plugins, what: str, name: str) -> str:
    """How messages name a part of a plugin: ``auth oauth2 of plugin hookctl_plugins.auth``."""
    origin = plugins.origins.get((what, name))
    return f"{what} {name} of plugin {origin}" if origin else f"{what} {name}"
