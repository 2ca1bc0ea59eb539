"""Copies a store into an empty one, of the same or of another kind, with every id and every number.

Rows are copied in the order of their keys, some thousand in one commit, which also stores how far the copy is. So a
copy that was interrupted goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from hookctl.errors import StateError
from hookctl.store.overview_bounds import COUNTS

if TYPE_CHECKING:
    from hookctl.store.interface import Store

ROWS = 2_000
"""Rows that are copied in one commit."""
Row = Sequence[Any]


class Part(NamedTuple):
    """A table that is copied."""

    name: str
    keys: tuple[str, ...]
    """The first columns, by which rows are in order."""
    others: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of a row."""
        return self.keys + self.others


PARTS = (
    Part("plans", ("digest",), ("document",)),
    Part("past_plans", ("digest",), ("document",)),
    Part("applied_webhooks", ("name",), ("digest", "document")),
    Part("applied_event_types", ("name",), ("document",)),
    Part("applies", ("serial",), ("applied_at", "applied_by", "plan_digest", "state_digest", "commit_id")),
    Part("renames", ("serial", "old"), ("new", "taken")),
    Part("routes", ("name", "serial"), ("event", "status", "condition")),
    Part("changes", ("name", "serial"), ("action", "before", "after", "renamed_from")),
    Part("audit", ("seq",), ("id", "at", "who", "action", "what", "reason", "deliveries")),
    Part(
        "tokens",
        ("seq",),
        (
            *("id", "name", "digest", "scopes", "event_types", "signature", "secrets", "wrap", "created_at"),
            *("created_by", "expires_at", "last_used_at", "revoked_at", "revoked_by"),
        ),
    ),
    Part("holds", ("webhook",), ("serial", "reason", "since", "plan", "secrets")),
    Part("last_results", ("webhook",), ("status", "at")),
    Part("circuits", ("webhook",), ("state", "reason", "since", "until")),
    Part("request_keys", ("key",), ("content", "at")),
    Part("events", ("seq",), ("id", "event_type", "event_time", "received_at", "document", "trace")),
    Part(
        "deliveries",
        ("seq",),
        (
            *("id", "event", "webhook", "status", "attempts", "reason", "created_at", "due_at", "set_at", "lease"),
            *("planned", "replayed_at", "cause", "waits"),
        ),
    ),
    Part("attempts", ("seq",), ("delivery", "record", "started_at", "seconds", "result", "delivered")),
    Part("causes", ("id",), ("result", "head")),
    Part("hours", ("hour", "webhook"), COUNTS),
    Part("recent", ("webhook",), COUNTS),
    Part("hour_causes", ("hour", "webhook", "cause"), ("attempts", "last_at", "delivery")),
)
"""All that is copied. ``waits`` is whether a delivery may be claimed. Claims, the lock and tokens of rate limits
are not copied."""


class Position(NamedTuple):
    """How far a copy is."""

    source: str
    """The id of the copy, from :meth:`Copying.copy_id` of the store that is copied."""
    part: str
    """The part that was copied last."""
    key: tuple[Any, ...]
    """The key of its last row that was copied; empty: all of the part."""


class Copying(Protocol):
    """What a store needs to be copied, or to become a copy. Nothing else may use it meanwhile."""

    def copy_id(self) -> str:
        """Distinguishes this store from every other one. The same as long as its applied state and events are."""
        ...

    def read_rows(self, part: Part, after: tuple[Any, ...], limit: int) -> list[Row]:
        """Rows of a part after a key, in order; ``after`` is empty for the first ones."""
        ...

    def write_rows(self, part: Part, rows: Sequence[Row], position: Position) -> None:
        """Add rows, and store how far the copy is, in one commit."""
        ...

    def copy_position(self) -> Position | None:
        """How far a copy into this store is that has not ended; None if there is none."""
        ...

    def end_copy(self, serial: int, counted: tuple[int, int]) -> None:
        """End a copy: the store may be used now.

        ``serial`` is the newest state that was reconciled in the store that was copied, and ``counted`` the number of
        the last attempt that is counted for pages, with the first hour that they cover.
        """
        ...

    def copy_counters(self) -> tuple[int, tuple[int, int]]:
        """The arguments of :meth:`end_copy`, of the store that is copied."""
        ...


def copy_store(source: Store, target: Store, show: Callable[[str, int], object]) -> dict[str, int]:
    """Copy a store; returns how many rows of each part were copied now. ``show`` is called with a part and that number.

    Raises:
        StateError: one of the stores is in use, the source has damaged rows, or the target is not empty.
        StoreError: a store failed. The next call goes on where this one ended.
    """
    _refuse_in_use(source, target)
    found = target.copy_position()
    name = source.copy_id()
    if found is None and (target.serial() or target.events(limit=1).events or target.tokens()):
        raise StateError(
            "the store to copy to is not empty", hint="Name a store that does not exist yet as the second URL, TO."
        )
    if found is not None and found.source != name:
        raise StateError(
            "the store to copy to has a part of another store, or the one to copy has changed",
            hint="Delete the incomplete copy, and name a store that does not exist yet.",
        )
    if found is None and (damaged := source.damaged()):
        raise StateError(
            f"the store to copy has {len(damaged)} damaged rows", hint="`hookctl doctor` lists them, with what to do."
        )
    copied: dict[str, int] = {}
    names = [part.name for part in PARTS]
    first = names.index(found.part) if found else 0
    for part in PARTS[first:]:
        is_begun = found is not None and found.part == part.name
        if is_begun and found is not None and not found.key:
            continue
        after = found.key if is_begun and found is not None else ()
        copied[part.name] = _copy_part(source, target, part, after, show)
    target.end_copy(*source.copy_counters())
    return copied


def _copy_part(
    source: Store, target: Store, part: Part, after: tuple[Any, ...], show: Callable[[str, int], object]
) -> int:
    name, total = source.copy_id(), 0
    while True:
        rows = source.read_rows(part, after, ROWS)
        is_last = len(rows) < ROWS
        after = () if is_last else tuple(rows[-1][: len(part.keys)])
        target.write_rows(part, rows, Position(name, part.name, after))
        total += len(rows)
        show(part.name, total)
        if is_last:
            return total


def _refuse_in_use(source: Store, target: Store) -> None:
    for store in (source, target):
        if store.has_runner() or store.live_workers():
            raise StateError(
                "a store is in use, so a copy would not be complete",
                hint="Stop every `hookctl run`, `serve` and `send` that uses it, and every program that sends events.",
            )
