"""Checks of the store for ``doctor``: its files, its rows, and the secrets that applied webhooks need."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hookctl.errors import HookctlError
from hookctl.model.secret import plan_references

if TYPE_CHECKING:
    from pathlib import Path

    from hookctl.cli.session import Session
    from hookctl.model import AppliedState
    from hookctl.model.secret import SecretReference
    from hookctl.report.text.doctor import Check
    from hookctl.store.interface import Store
    from hookctl.store.records import Damaged

DAMAGED_SHOWN = 10
"""Damaged rows of one table that are shown."""
UNREADABLE = (
    "Its deliveries wait. Run `hookctl apply`: it applies the webhook's file, or removes a webhook without one."
)
RESTORE = "Nothing else is affected. To get it back, restore a backup while no hookctl is running."
WHAT_TO_DO = {
    "events": "Its deliveries will be dead when they are due. Have its publisher send it again with a new id.",
    "deliveries": "It is not tried, or is dead. Run `hookctl deliveries replay ID`, or have the event sent again.",
    "attempts": "`hookctl deliveries show` omits it; nothing else depends on it.",
    "plans": "Replay without --as-planned, which uses the delivery plan that is applied now.",
    "holds": "Its webhook stays held. End the hold with `hookctl deliveries resume NAME`.",
    "last_results": "The next attempt replaces it.",
    "circuits": "The next failure or success of its target replaces it.",
    "reconciled": "The next `hookctl run` replaces it.",
    "known_ids": "An event with the same id would be accepted as new.",
    "new_ids": "An event with the same id would be accepted as new.",
    "lock": "If no apply is running, release it: hookctl unlock ID",
}
"""The hint for a damaged row, by table."""


def checks_of_store(session: Session, *, every_row: bool) -> Iterator[Check]:
    """The store: its files, its rows, the secrets that it refers to, and its room.

    ``every_row``: read every row to find damage, which takes some 20 seconds for a million deliveries.
    """
    from hookctl.cli.checks_of_certificates import checks_of_certificates
    from hookctl.model.quantities import counted
    from hookctl.report.text.doctor import Check
    from hookctl.store.opening import check_server

    store = session.existing_store()
    if store is None:
        yield Check("store", "ok", f"{session.store_name} does not exist yet")
        return
    open_to = [*_readable_by_others(session.store_files[:1])]
    if open_to:
        yield Check(
            "store",
            "warning",
            f"other users of this machine can read {', '.join(map(str, open_to))}",
            "They contain events. Remove the permissions of others with chmod go=.",
        )
    else:
        yield Check("store", "ok", session.store_name)
    for found in check_server(session.store_url, session.store_types):
        yield Check(found.name, "warning" if found.hint else "ok", found.message, found.hint)
    applied = store.read_state()
    yield Check("applied", "ok", f"{counted(len(applied.plans), 'webhook')}, serial {applied.serial}")
    for name, why in sorted(applied.unreadable.items()):
        yield Check("applied", "problem", f"{name} cannot be read: {why}", UNREADABLE)
    if every_row:
        yield from _damage(store.damaged())
    yield from _secrets(session, applied)
    yield from checks_of_certificates(session, applied)
    yield from _room(session, store)


def _readable_by_others(files: Sequence[Path]) -> Iterator[Path]:
    """The files of the store, and the directories that hookctl made for them, that other users can read."""
    for file in files:
        for one in (file.parent, file):
            is_ours = one == file or one.name == ".hookctl"
            if is_ours and one.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                yield one


def _damage(damaged: Sequence[Damaged]) -> Iterator[Check]:
    """A problem for each row that cannot be read; where a table has many, for the first few."""
    from hookctl.report.text.doctor import Check

    for table in dict.fromkeys(one.table for one in damaged):
        rows = [one for one in damaged if one.table == table]
        for one in rows[:DAMAGED_SHOWN]:
            yield Check("damage", "problem", f"{table} {one.row}: {one.why}", WHAT_TO_DO.get(table, RESTORE))
        if len(rows) > DAMAGED_SHOWN:
            yield Check("damage", "problem", f"{table}: {len(rows) - DAMAGED_SHOWN:,} more rows like these")


def _secrets(session: Session, applied: AppliedState) -> Iterator[Check]:
    from hookctl.cli.secrets import read_secret
    from hookctl.cli.weak_secrets import weak_secrets
    from hookctl.report.text.doctor import Check

    users: dict[SecretReference, list[str]] = {}
    for name, plan in applied.plans.items():
        for reference in plan_references(plan):
            users.setdefault(reference, []).append(name)
    missing = False
    for reference, names in sorted(users.items(), key=lambda item: str(item[0])):
        try:
            read_secret(session, reference)
        except HookctlError as error:
            missing = True
            yield Check("secrets", "problem", f"{reference} of {', '.join(sorted(names))}: {error.message}", error.hint)
    if not missing:
        counts = {0: "no secret is needed", 1: "the one needed secret is available"}
        yield Check("secrets", "ok", counts.get(len(users), f"all {len(users)} needed secrets are available"))
    for weakness in weak_secrets(session, applied.plans.values()):
        yield Check("secrets", "warning" if weakness.is_usable else "problem", weakness.message, weakness.hint)


def _room(session: Session, store: Store) -> Iterator[Check]:
    from hookctl.cli.safety import limits_of_store
    from hookctl.delivery.runner.retention import why_full
    from hookctl.report.text.doctor import Check

    fullness = store.fullness()
    full, make_room = why_full(fullness, limits_of_store(session))
    free = "" if fullness.free_bytes is None else f", {fullness.free_bytes / 1e6:,.0f} MB free"
    size = f"{fullness.waiting:,} waiting, {fullness.used_bytes / 1e6:,.0f} MB used{free}"
    yield Check("room", "problem" if full else "ok", f"no events are accepted: {full}" if full else size, make_room)
