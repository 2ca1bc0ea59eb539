"""Every webhook that there is, in the files or applied, with the result of its last attempt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hookctl.cli.echo import echo
from hookctl.report.text.printable import printable
from hookctl.report.text.webhooks import Entry

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.model import DeliveryStatus, Plan
    from hookctl.store.records import Circuit


def entries(session: Session) -> list[Entry]:
    """One entry per name, in order of name. Files that have errors are left out, and standard error reports it."""
    from hookctl.model import Action, Change
    from hookctl.model.change import by_name

    plan, unreadable = _plan(session)
    results, circuits, suspended = _standing(session)
    changes = [*plan.changes, *(Change(name, Action.UNCHANGED, one, one) for name, one in plan.unchanged.items())]
    found = []
    for change in sorted(changes, key=lambda change: by_name(change.name)):
        name = change.renamed_from or change.name
        found.append(Entry(change, results.get(name), circuits.get(name), suspended.get(name, ""), name in unreadable))
    for name, why in sorted(unreadable.items()):
        echo(f"The applied webhook {printable(name)} cannot be read: {why}. See `hookctl doctor`.", err=True)
    return found


def _plan(session: Session) -> tuple[Plan, Mapping[str, str]]:
    """How the files differ from what is applied, and the applied webhooks that cannot be read, with the reason."""
    from hookctl.cli.webhook_files import check_files
    from hookctl.config.diff import make_plan
    from hookctl.config.review import Options, review_files
    from hookctl.model import AppliedState

    checked = check_files(session)
    store = session.existing_store()
    if checked.valid:
        review = review_files(checked, session.directory, session.plugins, store, Options(with_effects=False))
        return review.plan, review.applied.unreadable
    applied = store.read_state() if store else AppliedState()
    directory = printable(str(session.directory))
    if not session.directory.exists():
        shown = "so only what is applied is shown" if applied.plans else "and no webhooks are applied"
        echo(f"There is no directory {directory}, {shown}. Create it with `hookctl init`.", err=True)
    else:
        echo(f"{directory} has errors, so only what is applied is shown. See `hookctl validate`.", err=True)
    return make_plan(applied, applied.plans, {}), applied.unreadable


def _standing(
    session: Session,
) -> tuple[Mapping[str, tuple[DeliveryStatus, float]], Mapping[str, Circuit], Mapping[str, str]]:
    """By webhook: the result of the last attempt, the circuits that are not closed, and why it is suspended."""
    store = session.existing_store()
    if store is None:
        return {}, {}, {}
    suspended = {one.webhook: one.reason for one in store.stopped(store.read_state()) if one.is_suspended}
    return store.last_results(), store.circuits(), suspended
