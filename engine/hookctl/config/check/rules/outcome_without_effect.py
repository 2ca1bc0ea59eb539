"""Entries of ``outcomes`` that can have no effect, or that contradict another field."""

from __future__ import annotations

from hookctl.config.check.notes import Notes
from hookctl.delivery.outcomes import MISMATCH, Decision
from hookctl.model.finding import Severity
from hookctl.model.rules.rule import Rule
from hookctl.plugin.calls import Plugins

OUTCOME_WITHOUT_EFFECT = Rule(
    id="outcome-without-effect",
    summary="An entry of outcomes can have no effect, or contradicts another field.",
    explanation=(
        "`mismatch` is the result of a 2xx response that a validator rejects, so it needs `response_validators`; with"
        " `mismatch: delivered`, what they reject counts as delivered all the same. `retry` needs a delay in"
        " `retry.schedule`: with an empty one, the delivery is dead after its first attempt. This is a warning."
    ),
    message="`mismatch` has no effect, because there are no response_validators",
    hint="Add `response_validators`, or remove `mismatch`.",
    variants={
        "accepts": (
            "`mismatch: delivered` makes response_validators pointless: what they reject counts as delivered",
            "Remove the validators, or write mismatch: dead.",
        ),
        "retry": (
            "`{result}: retry` cannot try again, because retry.schedule is empty",
            "Add a delay to retry.schedule, or write {result}: dead.",
        ),
    },
    severity=Severity.WARNING,
    bad="outcomes:\n  mismatch: dead",
    good="response_validators:\n  - {json_path: $.data.ok, expected_values: [true]}\noutcomes:\n  mismatch: dead",
)


def check(notes: Notes, _plugins: Plugins) -> None:
    """Note the entries without effect of a webhook's ``outcomes``."""
    fields = notes.webhook.fields
    outcomes, retry = fields.get("outcomes"), fields.get("retry")
    if not isinstance(outcomes, dict):
        return
    never_again = isinstance(retry, dict) and retry.get("schedule") == []
    for result, chosen in outcomes.items():
        place = ("outcomes", result)
        if result == MISMATCH and not fields.get("response_validators"):
            notes.add(OUTCOME_WITHOUT_EFFECT, place, at_key=True)
        elif result == MISMATCH and chosen == Decision.DELIVERED:
            notes.add(OUTCOME_WITHOUT_EFFECT, place, "accepts")
        elif chosen == Decision.RETRY and never_again:
            notes.add(OUTCOME_WITHOUT_EFFECT, place, "retry", result=result)
