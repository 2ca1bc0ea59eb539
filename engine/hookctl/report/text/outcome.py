"""The outcome of an apply, for reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from hookctl.model import Action, Json, Plan
from hookctl.model.quantities import counted

if TYPE_CHECKING:
    from hookctl.report.formats.results import Result


class Ending(StrEnum):
    """How an apply ended."""

    APPLIED = "applied"
    NO_CHANGES = "no_changes"
    """There was nothing to do."""
    REFUSED = "refused"
    """A finding about the plan is an error."""
    TEST_FAILED = "test_failed"
    DECLINED = "declined"
    """The answer to the prompt was not yes."""
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    """An error: for example, the plan was stale, or the store could not be written."""


@dataclass(frozen=True, slots=True)
class Healed:
    """What became of the deliveries that a plan repairs."""

    replayed: int
    changed: int
    """Deliveries that were left alone because they have changed since the plan was made."""

    def __str__(self) -> str:
        left = f"; {self.changed:,} changed since the plan and left alone" if self.changed else ""
        return f"{counted(self.replayed, 'delivery', 'deliveries')} replayed{left}"


@dataclass(frozen=True, slots=True)
class ApplyOutcome:
    """The outcome of an apply."""

    ending: Ending
    message: str
    """One sentence for people."""
    serial: int | None = None
    """The serial of the new state; None unless something was applied."""
    tests: Sequence[Result] = ()
    """The results of the test events, if they were sent."""
    healed: Healed | None = None
    """What was replayed; None without ``--heal``."""


def applied(plan: Plan, serial: int, tests: Sequence[Result], healed: Healed | None = None) -> ApplyOutcome:
    """The outcome of a plan that was carried out."""
    counts = Counter(change.action for change in plan.changes)
    renamed = f", {counts[Action.RENAME]} renamed" if counts[Action.RENAME] else ""
    done = f"{counts[Action.CREATE]} added, {counts[Action.UPDATE]} changed, {counts[Action.DELETE]} removed{renamed}"
    if plan.event_types:
        done += f", {counted(len(plan.event_types), 'event type')}"
    message = f"Applied: {done}. The state now has serial {serial}."
    if healed:
        message = f"{message} Healed: {healed}."
    return ApplyOutcome(Ending.APPLIED, message, serial, tests, healed)


def outcome_document(outcome: ApplyOutcome) -> Json:
    """The outcome as JSON, as in ``schemas/plan.schema.json``."""
    return {
        "result": outcome.ending.value,
        "message": outcome.message,
        "serial": outcome.serial,
        "tests": [
            {"webhook": test.webhook, "result": test.outcome.value, "reason": test.reason} for test in outcome.tests
        ],
        "healed": {"replayed": outcome.healed.replayed, "changed": outcome.healed.changed} if outcome.healed else None,
    }
