"""What ``hookctl serve`` prints about access: one-time links, and what an address that others can reach requires."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from hookctl.cli.echo import echo
from hookctl.errors import SettingsError

if TYPE_CHECKING:
    from hookctl.store.interface import Store

ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104
OTHERS_REACH = (
    "Others can reach {}. Every request needs a token. This is plain HTTP: have a proxy in front of it add TLS."
)


def require_token(store: Store, host: str) -> None:
    """For an address that others can reach: report that it requires a token. Raises SettingsError if there is none."""
    if not any(token.is_usable(time.time()) for token in store.tokens()):
        raise SettingsError(
            f"--listen: others can reach {host}, and there is no token that they would need",
            hint="Create one: hookctl tokens create NAME --scope intake. Or listen on 127.0.0.1.",
        )
    echo(OTHERS_REACH.format(host), err=True)


@contextmanager
def printing_links(new_link: Callable[[], str], address: tuple[str, int], names: Sequence[str]) -> Iterator[None]:
    """Print a one-time link now, and another one for each SIGUSR1 inside the block. Only for the main thread.

    Where others can reach the address, and standard error is not a terminal but perhaps a log that they read, it prints
    one only for the signal.

    Args:
        new_link: a new link, as a path.
        address: the host and the port on which the server listens.
        names: the names of the server, as ``--host`` has them.
    """
    from hookctl.serve.access.hosts import is_loopback

    origin = _origin(address, names, is_loopback=is_loopback(address[0]))

    def show() -> None:
        echo(f"Sign in with this link. It works once, within ten minutes:\n  {origin}{new_link()}", err=True)

    with _repeating(show):
        if is_loopback(address[0]) or sys.stderr.isatty():
            show()
        else:
            echo(f"Sign in with a token, or with the link that `kill -USR1 {os.getpid()}` prints here.", err=True)
        yield


@contextmanager
def _repeating(show: Callable[[], None]) -> Iterator[None]:
    """Call ``show`` on a thread for each SIGUSR1. A handler itself must not print: it may interrupt a print."""
    asked, ended = Event(), Event()

    def run() -> None:
        while True:
            asked.wait()
            asked.clear()
            if ended.is_set():
                return
            show()

    thread = Thread(target=run, name="hookctl-links", daemon=True)
    thread.start()
    before = signal.signal(signal.SIGUSR1, lambda _number, _frame: asked.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)
        ended.set()
        asked.set()
        thread.join()


def _origin(address: tuple[str, int], names: Sequence[str], *, is_loopback: bool) -> str:
    """Where a browser reaches the server: over loopback, or else through a proxy that adds TLS."""
    host, port = address
    if host in ANY_ADDRESS:
        host, is_loopback = "127.0.0.1", True
    if names and not is_loopback:
        return f"https://{names[0]}"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
