"""What stores have in common in how they lock the applied state: waiting, and what others are told."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from hookctl._version import __version__
from hookctl.errors import StateError, StateLockedError
from hookctl.store.records import Lock

POLL_SECONDS = 0.2
"""Between two attempts to take the lock."""


@contextmanager
def hold_lock(
    take: Callable[[Lock], Lock | None],
    give_back: Callable[[str], object],
    *,
    operation: str,
    who: str,
    timeout: float,
    waiting: Callable[[Lock], None],
) -> Iterator[Lock]:
    """See :meth:`hookctl.store.interface.Locks.hold_lock`.

    ``take`` tries to store the lock, and returns one that is held already. ``give_back`` deletes the one with an id.
    """
    import secrets  # slow to import, and only an apply takes the lock

    deadline = time.monotonic() + timeout
    mine = Lock(secrets.token_hex(4), operation, who, os.getpid(), __version__, 0.0)
    while True:
        other = None
        try:
            mine = replace(mine, since=time.time())
            other = take(mine)
            if other is None:
                yield mine
                return
        finally:
            if other is None:  # it is ours, or after an interrupt it may be
                give_back(mine.id)
        if time.monotonic() >= deadline:
            raise _locked(other)
        waiting(other)
        time.sleep(POLL_SECONDS)


def refuse_other(held: Lock | None, lock_id: str) -> None:
    """Raise StateLockedError unless ``lock_id`` is the id of the lock; if it is empty, unless there is no lock."""
    if (held.id if held else "") == lock_id:
        return
    if held and not lock_id:
        raise _locked(held)
    taken = f", and it is now held by {held}" if held else ""
    raise StateLockedError(
        f"the lock {lock_id} of this apply was released{taken}", hint="Nothing was applied. Run `hookctl plan` again."
    )


def refuse_unknown(held: Lock | None, lock_id: str) -> Lock:
    """The lock that is held. Raises StateError unless it has this id."""
    if held is None:
        raise StateError("the state is not locked", hint="There is no lock to release.")
    if held.id != lock_id:
        raise StateError(
            f"there is no lock {lock_id}; the state is locked by {held}",
            hint="Release it only if you are sure that its process has ended.",
        )
    return held


def _locked(held: Lock) -> StateLockedError:
    hint = (
        "Wait for it with --lock-timeout 5m. "
        f"If that process no longer runs, release the lock: hookctl unlock {held.id}"
    )
    if held.is_left_over:
        hint = f"That process no longer exists. Release its lock: hookctl unlock {held.id}"
    return StateLockedError(f"the state is locked by {held}", hint=hint)
