"""Every webhook there is: those in the files and those applied, with what the last attempt came to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookctl.cli.echo import echo
from hookctl.report.text.printable import printable
from hookctl.report.text.webhooks import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookctl.cli.session import Session
    from hookctl.model import AppliedState, DeliveryPlan, DeliveryStatus
    from hookctl.store.interface import Circuit


def entries(session: Session) -> list[Entry]:
    """One entry per name, in order of name. Files that have errors are left out, and standard error says so."""
    from hookctl.config.diff import make_plan
    from hookctl.store.sqlite.applied import AppliedStore

    applied = AppliedStore(session.store_path).read()
    results, circuits, suspended = _standing(session, applied)
    found = []
    for change in make_plan(applied, _desired(session, applied), {}).changes:
        name = change.renamed_from or change.name
        unreadable = name in applied.unreadable
        found.append(Entry(change, results.get(name), circuits.get(name), suspended.get(name, ""), unreadable))
    for name, why in sorted(applied.unreadable.items()):
        echo(f"The applied webhook {printable(name)} cannot be read: {why}. See `hookctl doctor`.", err=True)
    return found


def _desired(session: Session, applied: AppliedState) -> Mapping[str, DeliveryPlan]:
    from hookctl.cli.checked import check

    checked = check(session)
    if checked.valid:
        return checked.plans
    directory = printable(str(session.directory))
    echo(f"{directory} has errors, so only what is applied is shown. See `hookctl validate`.", err=True)
    return applied.plans


def _standing(
    session: Session, applied: AppliedState
) -> tuple[Mapping[str, tuple[DeliveryStatus, float]], Mapping[str, Circuit], Mapping[str, str]]:
    """By webhook: what the last attempt came to, the circuits that are not closed, and why it is suspended."""
    if not session.store_path.exists():
        return {}, {}, {}
    from hookctl.cli.running import opened_queue

    with opened_queue(session.store_path) as queue:
        suspended = {one.webhook: one.reason for one in queue.stopped(applied) if one.is_suspended}
        return queue.last_results(), queue.circuits(), suspended
