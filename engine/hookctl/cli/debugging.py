"""What ``--debug`` shows: tracebacks, with every known secret masked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookctl.cli.echo import echo
from hookctl.errors import HookctlError
from hookctl.plugin.raised import trace_of
from hookctl.report.text.printable import printable

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.plugin.calls import Plugins

MAX_TRACEBACK = 64 * 1024
"""Characters that are shown of one failure: the text of an exception may be as large as memory allows."""


def show_failure(message: str, trace: str, secrets: frozenset[str]) -> None:
    """Show on standard error where a call of a plugin failed; ``secrets`` are the ones that the traceback may have."""
    _show(f"{message}\n{trace}", secrets)


def show_traceback(error: BaseException) -> None:
    """Show on standard error where code failed that was not given any secret."""
    _show(trace_of(error), frozenset())


def unexpected(
    session: Session | None, error: BaseException, command: str, plugins: Plugins | None, *, debug: bool
) -> HookctlError:
    """The error to end with after an unexpected exception. Shows its traceback with ``debug``.

    ``plugins`` are given if the ``command`` is a plugin's. Otherwise the bug is in hookctl, and the exception's text is
    left out, since it may contain parts of an event or of a secret.
    """
    from hookctl.plugin.raised import text_of

    loaded: Plugins | None = plugins or (session.__dict__.get("loaded") if session else None)
    secrets = frozenset(loaded.containment.secrets) if loaded else frozenset()
    origin = plugins.origins.get(("command", command)) if plugins else None
    if origin:
        text = _masked(text_of(error), secrets)
        message = f"command {command} of plugin {origin}: {type(error).__name__}" + (f": {text}" if text else "")
    else:
        message = f"unexpected {type(error).__name__}; this is a bug in hookctl"
    if debug:
        _show(trace_of(error), secrets)
    hint = "Fix or uninstall the plugin" if origin else "Please report this bug"
    return HookctlError(message, hint=f"{hint}. `hookctl --debug` shows a traceback.")


def _show(text: str, secrets: frozenset[str]) -> None:
    masked = _masked(text, secrets)  # before it is cut: a part of a secret would not be recognized
    shown = "\n".join(printable(f"debug: {line}") for line in masked.splitlines())
    if len(shown) > MAX_TRACEBACK:
        rest = f"debug: ... (the rest is omitted: --debug shows {MAX_TRACEBACK:,} characters of a failure)"
        shown = f"{shown[:MAX_TRACEBACK]}\n{rest}"
    echo(shown, err=True, fit=False)


def _masked(text: str, secrets: frozenset[str]) -> str:
    from hookctl.delivery.attempt.redact import Redactor

    return Redactor(secrets).text(text)
