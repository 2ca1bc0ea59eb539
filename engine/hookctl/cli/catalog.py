"""Every webhook there is: those in the files and those applied, with what the last attempt came to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hookctl.report.webhooks import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookctl.cli.session import Session
    from hookctl.model import AppliedState, DeliveryPlan, DeliveryStatus


def entries(session: Session) -> list[Entry]:
    """One entry per name, in order of name. Files that have errors are left out, and standard error says so."""
    from hookctl.apply import AppliedStore
    from hookctl.diff import make_plan

    applied = AppliedStore(session.store_path).read()
    results = _last_results(session)
    return [Entry(change, results.get(change.renamed_from or change.name)) for change in make_plan(applied, _desired(session, applied), {}).changes]


def _desired(session: Session, applied: AppliedState) -> Mapping[str, DeliveryPlan]:
    from hookctl.cli.checked import check

    checked = check(session)
    if checked.valid:
        return checked.plans
    click.echo(f"{session.directory} has errors, so only what is applied is shown. See `hookctl validate`.", err=True)
    return applied.plans


def _last_results(session: Session) -> Mapping[str, tuple[DeliveryStatus, float]]:
    if not session.store_path.exists():
        return {}
    from hookctl.queue.sqlite import SqliteQueue

    queue = SqliteQueue(session.store_path)
    try:
        return queue.last_results()
    finally:
        queue.close()
