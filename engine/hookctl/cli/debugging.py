"""What ``--debug`` shows: tracebacks, with every secret that is known masked."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from typing import TYPE_CHECKING

from hookctl.cli.echo import echo
from hookctl.errors import HookctlError
from hookctl.report.text.printable import printable

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.plugin.calls import Plugins

MAX_TRACEBACK = 64 * 1024
"""Characters that are shown of one failure: an exception may say as much as fits into memory."""


def show_failure(message: str, error: BaseException, secrets: frozenset[str]) -> None:
    """Show on standard error where a call of a plugin failed; ``secrets`` are those that its text may hold."""
    _show(f"{message}\n{_formatted(error)}", secrets)


def show_traceback(error: BaseException) -> None:
    """Show on standard error where something failed that was given no secret."""
    _show(_formatted(error), frozenset())


def unexpected(
    session: Session | None, error: BaseException, command: str, plugins: Plugins | None, *, debug: bool
) -> HookctlError:
    """The error to end with for an exception that nobody expected. Shows its traceback if that was asked for.

    ``plugins`` are given for a ``command`` of theirs; without them the bug is hookctl's, and the text of the exception, which
    may hold what an event or a secret holds, is left out.
    """
    from hookctl.plugin.contain import text_of

    loaded: Plugins | None = plugins or (session.__dict__.get("plugins") if session else None)
    secrets = frozenset(loaded.containment.secrets) if loaded else frozenset()
    origin = plugins.origins.get(("command", command)) if plugins else None
    if origin:
        text = _masked(text_of(error), secrets)
        message = f"command {command} of plugin {origin}: {type(error).__name__}" + (f": {text}" if text else "")
    else:
        message = f"a bug in hookctl: an unexpected {type(error).__name__}"
    if debug:
        _show(_formatted(error), secrets)
    hint = "Fix or uninstall the plugin" if origin else "Please report it"
    return HookctlError(message, hint=f"{hint}; `hookctl --debug` shows where it fails.")


def _show(text: str, secrets: frozenset[str]) -> None:
    masked = _masked(
        text, secrets
    )  # before it is cut, or a secret at the end would be cut into something that nothing knows
    shown = "\n".join(printable(f"debug: {line}") for line in masked.splitlines())
    if len(shown) > MAX_TRACEBACK:
        shown = f"{shown[:MAX_TRACEBACK]}\ndebug: ... (the rest is left out: --debug shows {MAX_TRACEBACK:,} characters of a failure)"
    echo(shown, err=True)


def _masked(text: str, secrets: frozenset[str]) -> str:
    from hookctl.delivery.attempt.redact import Redactor

    return Redactor(secrets).text(text)


def _formatted(error: BaseException) -> str:
    """The traceback, up to twice :data:`MAX_TRACEBACK` characters: what is masked in the first half may reach into the second."""
    try:
        return _first(traceback.TracebackException.from_exception(error).format(), 2 * MAX_TRACEBACK)
    except BaseException as failed:  # noqa: BLE001  # an exception that a plugin made may refuse to be shown
        return f"its traceback cannot be shown: {type(failed).__name__}"


def _first(pieces: Iterable[str], most: int) -> str:
    """The first ``most`` characters of what the pieces make together; no piece beyond them is asked for."""
    taken: list[str] = []
    for piece in pieces:
        taken.append(piece[:most])
        most -= len(taken[-1])
        if most <= 0:
            break
    return "".join(taken)
