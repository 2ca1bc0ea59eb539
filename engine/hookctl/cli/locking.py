"""The lock on the applied state, held while a command runs and released even when it is interrupted."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hookctl.cli.echo import echo
from hookctl.cli.interrupts import raising_interrupts

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.store.records import Lock


@contextmanager
def locked(session: Session, operation: str, timeout: float) -> Iterator[Lock]:
    """Hold the lock inside the block.

    SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt in it, and the lock is released.

    Waits for up to ``timeout`` seconds while another command holds it, which standard error names. Raises
    StateLockedError after that.
    """
    from hookctl.report.text.printable import printable

    named: set[str] = set()

    def waiting(other: Lock) -> None:
        if other.id not in named:
            named.add(other.id)
            echo(printable(f"Waiting for the lock held by {other}"), err=True)

    with (
        raising_interrupts() as interrupts,
        session.store.hold_lock(operation=operation, who=who(), timeout=timeout, waiting=waiting) as lock,
    ):
        try:
            yield lock
        finally:
            interrupts.requested = True  # signals are ignored from here on, so that the lock is always released


def who() -> str:
    """``user@host``."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
