"""Checks of deliveries for ``doctor``: dead letters, held webhooks, lag, circuits, and whether a process delivers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hookctl.model.quantities import counted, span
from hookctl.report.text.doctor import Check

if TYPE_CHECKING:
    from hookctl.delivery.situation import Situation
    from hookctl.store.interface import Store

SHOWN = 10
"""Webhooks that are shown for one check; the others are counted."""
REASONS_READ = 1000
"""The newest dead letters of a webhook whose reasons are read."""
LAG_SECONDS = 60.0
"""Deliveries that have been due for longer are a warning."""
NOTICED_SECONDS = 5.0
"""A runner that is alive has begun with due deliveries after this time."""
DOWN_SECONDS = 60.0
"""Deliveries that have been due for longer without any runner are a problem. `hookctl send` as a cron job is one."""


def checks_of_deliveries(store: Store, situation: Situation) -> Iterator[Check]:
    """What an operator has to know about deliveries; of a million, only counts and a few reasons are read."""
    yield from _dead(store, situation)
    yield from _held(situation)
    yield from _lag(situation)
    yield from _runner(situation)
    yield from _circuits(situation)


def _dead(store: Store, situation: Situation) -> Iterator[Check]:
    from hookctl.report.text.causes import causes_text
    from hookctl.report.text.holds import argument

    dead = {name: backlog.dead for name, backlog in situation.backlogs.items() if backlog.dead}
    names = sorted(dead, key=lambda name: (-dead[name], name))
    for name in names[:SHOWN]:
        causes = causes_text(store.dead_reasons(name, REASONS_READ), dead[name])
        see = f"hookctl deliveries list --status dead --webhook {argument(name)}"
        replay = f"hookctl deliveries replay --webhook {argument(name)}"
        message = f"{name} has {counted(dead[name], 'dead letter')}: {causes}"
        yield Check("dead", "warning", message, f"To see them: {see}. When the cause is fixed: {replay}")
    if len(names) > SHOWN:
        others = sum(dead[name] for name in names[SHOWN:])
        more = f"{counted(len(names) - SHOWN, 'more webhook')} with {counted(others, 'dead letter')}"
        yield Check("dead", "warning", more, "`hookctl list` shows the number of each.")
    if not dead:
        yield Check("dead", "ok", "no dead letters")


def _held(situation: Situation) -> Iterator[Check]:
    from hookctl.report.text.holds import also_ends, resume_command

    for one in situation.held[:SHOWN]:
        if one.hold:
            waiting = f"; {counted(one.deliveries, 'delivery waits', 'deliveries wait')}" if one.deliveries else ""
            fix = f"When the cause is fixed: {resume_command(one.webhook)}. {also_ends(one.hold)}"
            yield Check("held", "warning", f"{one.webhook} is held: {one.reason}{waiting}", fix)
    if len(situation.held) > SHOWN:
        more = counted(len(situation.held) - SHOWN, "more webhook")
        yield Check("held", "warning", f"{more} held", "`hookctl list` shows them all.")


def _lag(situation: Situation) -> Iterator[Check]:
    due = situation.due
    late = {name: at for name, at in due.items() if situation.now - at > LAG_SECONDS}
    if not late:
        text = f"the longest due delivery has been due for {span(situation.lag)}" if due else "no delivery is due"
        yield Check("lag", "ok", text)
        return
    name = min(late, key=lambda one: (late[one], one))
    others = f", and those of {counted(len(late) - 1, 'more webhook')} for over a minute" if len(late) > 1 else ""
    message = f"deliveries of {name} have been due for {span(situation.now - late[name])}{others}"
    if not situation.workers:
        hint = "No runner is alive: see below."
    elif name in situation.circuits:
        hint = "Its target fails: see its circuit below."
    else:
        hint = (
            "If its target is healthy, raise the webhook's rate_limit or max_in_flight, or start another `hookctl run`."
        )
    yield Check("lag", "warning", message, hint)


def _runner(situation: Situation) -> Iterator[Check]:
    """Whether a process delivers. Nothing of a webhook has to be sent while its circuit waits for the next probe."""
    if situation.workers:
        yield Check("runner", "ok", f"{counted(situation.workers, 'process is', 'processes are')} delivering")
        return
    circuits = situation.circuits
    starts = [max(at, circuits[name].until if name in circuits else at) for name, at in situation.due.items()]
    overdue = situation.now - min(starts, default=situation.now)
    if overdue <= NOTICED_SECONDS:
        yield Check("runner", "ok", "no runner is alive, but no delivery has been due for long")
        return
    yield Check(
        "runner",
        "problem" if overdue > DOWN_SECONDS else "warning",
        f"no runner is alive, but deliveries have been due for {span(overdue)}",
        "Start `hookctl run`, or deliver once with `hookctl send /dev/null`.",
    )


def _circuits(situation: Situation) -> Iterator[Check]:
    from hookctl.network.shortage import HINT

    ordered = sorted(situation.circuits.items(), key=lambda item: (item[1].state != "local", item[0]))
    for name, circuit in ordered[:SHOWN]:  # the problems first
        if circuit.state == "local":
            message = f"{name}: nothing is sent because this machine has run out of a resource: {circuit.reason}"
            yield Check("local", "problem", message, HINT)
            continue
        message = f"{name}: the circuit is {circuit.state} because the target failed: {circuit.reason}"
        yield Check("circuit", "warning", message, "hookctl tries it again automatically.")
    if len(situation.circuits) > SHOWN:
        more = counted(len(situation.circuits) - SHOWN, "more webhook")
        yield Check("circuit", "warning", f"{more} whose circuit is not closed", "`hookctl list` shows them all.")
