"""Every webhook that there is, in the files or applied, with the result of its last attempt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from hookctl.cli.echo import echo
from hookctl.report.text.printable import printable
from hookctl.report.text.webhooks import Entry
from hookctl.store.records import NO_BACKLOG

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.model import Plan


def entries(session: Session) -> list[Entry]:
    """One entry per name, in order of name. Files that have errors are left out, and standard error reports it."""
    from hookctl.model import Action, Change
    from hookctl.model.change import by_name

    plan, unreadable = _plan(session)
    standing = _standing(session)
    changes = [*plan.changes, *(Change(name, Action.UNCHANGED, one, one) for name, one in plan.unchanged.items())]
    found = []
    for change in sorted(changes, key=lambda change: by_name(change.name)):
        name = change.renamed_from or change.name
        entry = Entry(change, None, is_unreadable=name in unreadable)
        found.append(standing(entry, name) if change.before or name in unreadable else entry)
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


def _standing(session: Session) -> Callable[[Entry, str], Entry]:
    """Adds to the entry of an applied webhook what the store knows under its applied name.

    That of a webhook which is not applied, such as one that was removed before, is about earlier deliveries only.
    """
    store = session.existing_store()
    if store is None:
        return lambda entry, _: entry
    held = {one.webhook: one for one in store.stopped(store.read_state()) if one.hold}
    results, circuits, backlogs = store.last_results(), store.circuits(), store.backlogs()
    return lambda entry, name: replace(
        entry,
        last_result=results.get(name),
        circuit=circuits.get(name),
        stopped=held.get(name),
        backlog=backlogs.get(name, NO_BACKLOG),
    )
