"""Reads exceptions of third-party code, whose every method and attribute may raise, hang, or contain anything."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, Final

from hookctl import errors
from hookctl.errors import HookctlError

MAX_TEXT = 300
"""The number of characters of an exception's text that a message quotes."""
MAX_MESSAGE = 4000
"""The maximum number of characters in the message or hint of an error that a plugin raises on purpose."""
MAX_TRACE = 128 * 1024
"""The maximum number of characters in a traceback: twice what is shown, because a secret may cross the limit."""

_LOOKED_AT = frozenset(
    {
        *(
            "__class__",
            "__dict__",
            "__getattribute__",
            "__getattr__",
            "__cause__",
            "__context__",
            "__suppress_context__",
            "__traceback__",
        ),
        *("args", "reason", "errno", "strerror", "message", "hint", "kind"),
    }
)
"""The attributes of an exception that hookctl and ``isinstance`` read."""
_TRUSTED = frozenset(
    {"builtins", "hookctl", "requests", "urllib3", "socket", "ssl", "http", "json", "oauthlib", "requests_oauthlib"}
)
"""Packages whose classes may compute attributes."""


def runs_no_code(error: BaseException) -> bool:
    """Whether an exception and its causes can be inspected without running a plugin's code.

    A class can define ``__class__``, ``args`` or any other attribute as a property that raises, exits or hangs.
    """
    waiting: list[Any] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop()
        if not issubclass(type(current), BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        if type(type(current)) is not type or not all(map(_is_plain, type(current).__mro__)):
            return False
        own = vars(current)
        if type(own) is not dict or not all(
            type(key) is str for key in own
        ):  # a dict lookup compares keys, which would run the code of a key's class
            return False
        waiting += [current.__cause__, current.__context__, *current.args, own.get("reason")]
    return True


def _is_plain(kind: type) -> bool:
    """Whether a class computes none of these attributes, or belongs to a trusted package."""
    own = vars(kind)
    if type(kind.__name__) is not str or len(kind.__name__) > MAX_TEXT or not all(type(key) is str for key in own):
        return False  # formatting a name that is not a real str would run its code
    if all(own[name] is None or type(own[name]) in {str, int} for name in _LOOKED_AT & own.keys()):
        return True
    module: object = kind.__module__  # a class can lie about its module, so the module itself is checked
    if type(module) is not str or module.partition(".")[0] not in _TRUSTED:
        return False
    return getattr(sys.modules.get(module), kind.__name__, None) is kind


def text_of(error: BaseException) -> str:
    """The text of an exception, in one line of at most :data:`MAX_TEXT` characters; empty if it has none."""
    try:
        text = " ".join(str.__str__(str(error))[: MAX_TEXT * 4].split())
    except BaseException:  # noqa: BLE001  # a plugin's exception may have any __str__
        return ""
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 3] + "..."


ON_PURPOSE: Final = (
    errors.SecretError,
    errors.TokenRefusedError,
    errors.TokenError,
    errors.TemplateError,
    errors.RenderError,
    errors.BudgetError,
    errors.SettingsError,
    errors.NameNotFoundError,
    errors.AddressBlockedError,
    errors.ConnectError,
    errors.TlsError,
    errors.ProxyError,
    errors.DeadlineError,
    errors.CutResponseError,
    errors.LocalError,
    errors.TransportError,
)
"""The errors that a plugin may raise on purpose; a subclass comes before its base class.

The other errors of hookctl control what a command does, such as how it ends, so they count as a failure of the plugin.
"""

OF_STORES: Final = (
    errors.StalePlanError,
    errors.StateLockedError,
    errors.StoreGoneError,
    errors.StoreError,
    errors.IntakeRefusedError,
    errors.StateError,
)
"""The errors that only a store may raise on purpose, in the same order."""


def on_purpose(error: BaseException, more: tuple[type[HookctlError], ...] = ()) -> HookctlError | None:
    """A copy of an error that a plugin raised on purpose, with plain attributes; None for any other exception.

    It is one of :data:`ON_PURPOSE` or of ``more``.
    """
    for kind in (*more, *ON_PURPOSE) if runs_no_code(error) else ():
        if isinstance(error, kind):
            copy: HookctlError = kind(_text(getattr(error, "message", "")), hint=_text(getattr(error, "hint", "")))
            for name in ("cause", "rule", "kind"):
                if type(text := getattr(error, name, None)) is str:
                    setattr(copy, name, text[:MAX_TEXT])
            for name in ("start", "end", "fits", "retry_after"):
                if type(offset := getattr(error, name, None)) is int:
                    setattr(copy, name, max(0, offset))
            return copy
    return None


def trace_of(error: BaseException) -> str:
    """The traceback, cut to :data:`MAX_TRACE` characters. May run code of the plugin, and take as long as that does."""
    import traceback

    try:
        if runs_no_code(error):
            return _first(traceback.TracebackException.from_exception(error).format(), MAX_TRACE)
        trace = vars(BaseException)["__traceback__"].__get__(error)  # not from its class, which may define another
        frames = _first(traceback.format_tb(trace), MAX_TRACE)
    except BaseException as failed:  # noqa: BLE001  # a plugin's exception may fail while it is formatted
        return f"the traceback cannot be shown: {type(failed).__name__}"
    return f"Traceback (most recent call last):\n{frames}an exception that cannot be read"


def _text(text: object) -> str:
    return text[:MAX_MESSAGE] if type(text) is str else ""


def _first(pieces: Iterable[str], most: int) -> str:
    """The first ``most`` characters of the joined pieces, without reading pieces beyond them."""
    taken: list[str] = []
    for piece in pieces:
        taken.append(piece[:most])
        most -= len(taken[-1])
        if most <= 0:
            break
    return "".join(taken)
