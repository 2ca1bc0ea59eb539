"""What became of an apply, for the reports that are read afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from hookctl.model import Action, Json, Plan

if TYPE_CHECKING:
    from hookctl.report.formats.results import Result


class Ending(StrEnum):
    """How it ended."""

    APPLIED = "applied"
    NO_CHANGES = "no_changes"
    """There was nothing to do."""
    REFUSED = "refused"
    """What is said of the plan holds an error."""
    TEST_FAILED = "test_failed"
    DECLINED = "declined"
    """The answer to the question was not yes."""
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    """An error came up: the plan was stale, nobody could be asked, the store could not be written."""


@dataclass(frozen=True, slots=True)
class ApplyOutcome:
    """What became of an apply."""

    ending: Ending
    message: str
    """In one sentence."""
    serial: int | None = None
    """That of the state now; None unless something was applied."""
    tests: Sequence[Result] = ()
    """What the test events came to, where they were sent."""


def applied(plan: Plan, serial: int, tests: Sequence[Result]) -> ApplyOutcome:
    """The outcome of a plan that was carried out."""
    counts = Counter(change.action for change in plan.changes)
    renamed = f", {counts[Action.RENAME]} renamed" if counts[Action.RENAME] else ""
    done = f"{counts[Action.CREATE]} added, {counts[Action.UPDATE]} changed, {counts[Action.DELETE]} removed{renamed}"
    return ApplyOutcome(Ending.APPLIED, f"Applied: {done}. The state has serial {serial} now.", serial, tests)


def outcome_document(outcome: ApplyOutcome) -> Json:
    """As ``schemas/plan.schema.json`` has it."""
    return {
        "result": outcome.ending.value,
        "message": outcome.message,
        "serial": outcome.serial,
        "tests": [
            {"webhook": test.webhook, "result": test.outcome.value, "reason": test.reason} for test in outcome.tests
        ],
    }
