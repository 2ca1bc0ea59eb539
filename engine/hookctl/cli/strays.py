"""What plugins do outside the calls that hookctl makes: threads and destructors that raise, changes of global state."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from hookctl.cli.echo import echo

Secrets = Callable[[], frozenset[str]]


def report_strays(secrets: Secrets, *, debug: bool) -> None:
    """From now on, report an exception that ends a thread, or that a destructor raises, without its text.

    Python would print the text, which may contain a secret. ``debug`` adds the traceback, with ``secrets()`` masked. A
    test or an embedding program that has set these handlers keeps its own.
    """
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = lambda args: _report("a thread", args.exc_value, secrets, debug=debug)
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = lambda args: _report("a destructor", args.exc_value, secrets, debug=debug)


@contextmanager
def global_state() -> Iterator[None]:
    """At the end of the block, restore the streams, the working directory and the recursion limit."""
    streams, limit = (sys.stdin, sys.stdout, sys.stderr), sys.getrecursionlimit()
    directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        sys.setrecursionlimit(limit)
        with suppress(OSError):  # it was deleted, so there is nothing to return to
            os.fchdir(directory)
        os.close(directory)


def _report(what: str, error: BaseException | None, secrets: Secrets, *, debug: bool) -> None:
    if error is None or isinstance(error, SystemExit):
        return
    from hookctl.plugin.raised import trace_of

    message = f"{what} of the module {_module(error)} raised {type(error).__name__}"
    echo(f"Warning: {message}\n  hookctl continues. `hookctl --debug` shows where it was raised.", err=True)
    if debug:
        from hookctl.cli.debugging import show_failure

        show_failure(message, trace_of(error), secrets())


def _module(error: BaseException) -> str:
    """The module whose code raised an exception."""
    trace: TracebackType | None = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    name = trace.tb_frame.f_globals.get("__name__") if trace else None
    return name if type(name) is str else "(unknown)"
