"""Rules about what is said of a plan and of a test, and not of a file."""

from __future__ import annotations

from hookctl.model.finding import Severity
from hookctl.model.rules.rule import Rule

PROTECTED = Rule(
    id="protected",
    summary="The plan removes a protected webhook.",
    explanation="No apply removes a webhook with `protected: true`, with no option: bring its file back, or apply `protected: false` first. It may be renamed.",
    message="a protected webhook is never removed by an apply",
    hint="Bring its file back, or apply `protected: false` first.",
)

REMOVALS = Rule(
    id="removals",
    summary="The plan removes or deactivates many webhooks at once.",
    explanation=(
        "A directory that was lost, or a wrong --dir, is not a wish. An apply does so only with --allow-removals; `plan` says it as a warning. How many "
        "are too many is set under [safety] in hookctl.toml: more than 30 % of at least 10 by default."
    ),
    message="{stopped} of {applied} webhooks would be removed or go inactive at once, more than {percent:g} %",
    hint="If that is meant: hookctl apply --allow-removals",
    severity=Severity.WARNING,
)

DRIFT = Rule(
    id="drift",
    summary="The state was changed by other means than an apply.",
    explanation=(
        "Its target has suspended a webhook (HTTP 410), somebody has held deliveries, or the store was edited. An apply makes it again what the files "
        "say, whether it changes anything else or not. This is a warning."
    ),
    message="{what}",
    hint="An apply ends that, whether it changes anything or not.",
    variants={
        "unreadable": (
            "is applied and cannot be read: {why}",
            "An apply of all files puts what its file says in place, or removes it where there is no file.",
        ),
        "edited": (
            "the applied webhooks are not those that the last apply left: the store was changed by other means",
            "Compare this plan with what you expect to be applied.",
        ),
    },
    severity=Severity.WARNING,
)

AGAINST = Rule(
    id="against",
    summary="A webhook of the other revision cannot be compared.",
    explanation="Its file has an error at the revision that --against names, so it is compared as if it did not exist. This is a warning.",
    message="{what} compared as if it did not exist, since its file has an error: {place}: {why}{more}",
    hint="Compare with a revision without errors, or read its change as a whole.",
    severity=Severity.WARNING,
)

POLICY = Rule(
    id="policy",
    summary="A policy of your organisation refuses the plan.",
    explanation=(
        "Policies look at what an apply would change. Some are built in (allowed_hosts, authenticated, timeout_at_most, "
        "retry_horizon_at_least, owner_label), plugins add others, and each is off unless hookctl.toml has a table [policies.NAME]. The finding "
        "names the policy and says what it wants; an error stops plan and apply. A webhook that violates one and is not changed is a warning. "
        'With severity = "warning" in the table, every finding of the policy is.'
    ),
    message="{what}",
    hint="{fix}",
)

TEST_FAILED = Rule(
    id="test-failed",
    summary="The test event was not accepted.",
    explanation="`hookctl test` sent the webhook an event, or replayed what was recorded, and it failed; the message says why, and what to look at next.",
    message="{what}",
    hint="{fix}",
)
