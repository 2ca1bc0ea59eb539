"""What ``--debug`` shows: tracebacks, with every known secret masked."""

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
"""Characters that are shown of one failure: the text of an exception may be as large as memory allows."""


def show_failure(message: str, error: BaseException, secrets: frozenset[str]) -> None:
    """Show on standard error where a call of a plugin failed; ``secrets`` are the ones that its text may contain."""
    _show(f"{message}\n{_formatted(error)}", secrets)


def show_traceback(error: BaseException) -> None:
    """Show on standard error where code failed that was not given any secret."""
    _show(_formatted(error), frozenset())


def unexpected(
    session: Session | None, error: BaseException, command: str, plugins: Plugins | None, *, debug: bool
) -> HookctlError:
    """The error to end with after an unexpected exception. Shows its traceback with ``debug``.

    ``plugins`` are given if the ``command`` is a plugin's. Otherwise the bug is in hookctl, and the exception's text is
    left out, since it may contain parts of an event or of a secret.
    """
    from hookctl.plugin.contain import text_of

    loaded: Plugins | None = plugins or (session.__dict__.get("loaded") if session else None)
    secrets = frozenset(loaded.containment.secrets) if loaded else frozenset()
    origin = plugins.origins.get(("command", command)) if plugins else None
    if origin:
        text = _masked(text_of(error), secrets)
        message = f"command {command} of plugin {origin}: {type(error).__name__}" + (f": {text}" if text else "")
    else:
        message = f"unexpected {type(error).__name__}; this is a bug in hookctl"
    if debug:
        _show(_formatted(error), secrets)
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


def _formatted(error: BaseException) -> str:
    """The traceback, up to twice :data:`MAX_TRACEBACK` characters: a secret may cross the limit."""
    try:
        return _first(traceback.TracebackException.from_exception(error).format(), 2 * MAX_TRACEBACK)
    except BaseException as failed:  # noqa: BLE001  # a plugin's exception may fail while it is formatted
        return f"the traceback cannot be shown: {type(failed).__name__}"


def _first(pieces: Iterable[str], most: int) -> str:
    """The first ``most`` characters of the joined pieces, without reading pieces beyond them."""
    taken: list[str] = []
    for piece in pieces:
        taken.append(piece[:most])
        most -= len(taken[-1])
        if most <= 0:
            break
    return "".join(taken)
