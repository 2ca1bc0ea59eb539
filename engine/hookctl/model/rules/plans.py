"""Rules about what is said of a plan and of a test, and not of a file."""

from __future__ import annotations

from hookctl.model.finding import Severity
from hookctl.model.rules.rule import Rule

PROTECTED = Rule(
    id="protected",
    summary="The plan removes a protected webhook.",
    explanation=(
        "No apply, with any option, removes a webhook with `protected: true`. Restore its file, or apply "
        "`protected: false` first. You can rename it."
    ),
    message="a protected webhook cannot be removed",
    hint="Restore its file, or apply `protected: false` first.",
)

REMOVALS = Rule(
    id="removals",
    summary="The plan removes or deactivates many webhooks at once.",
    explanation=(
        "This is rarely intended: often the directory was lost, or --dir is wrong. An apply does it only with"
        " --allow-removals; `plan` shows a warning. [safety] in hookctl.toml sets the limit: by default, more"
        " than 30 % of at least 10 webhooks. A plan that leaves no webhook at all always exceeds it."
    ),
    message="{stopped} of {applied} webhooks would be removed or deactivated; the limit is {percent:g} %",
    hint="To apply it anyway, run hookctl apply --allow-removals.",
    variants={
        "all": (
            "no webhook would be left, because there are no webhook files",
            "To apply it anyway, run hookctl apply --allow-removals.",
        ),
    },
    severity=Severity.WARNING,
)

DRIFT = Rule(
    id="drift",
    summary="Something other than an apply changed the state.",
    explanation=(
        "Someone held deliveries, or the store was edited. Any apply restores the state that the files describe, even "
        "if it changes nothing else. This is a warning."
    ),
    message="{what}",
    hint="Any apply corrects this, even if it changes nothing else.",
    variants={
        "unreadable": (
            "it is applied, but cannot be read: {why}",
            "An apply of all files replaces it, or removes it if it has no file.",
        ),
        "edited": (
            "the applied webhooks are not those of the last apply: something else changed the store",
            "Compare this plan with what you expect to be applied.",
        ),
    },
    severity=Severity.WARNING,
)

HELD = Rule(
    id="held",
    summary="A webhook is held, so it sends nothing.",
    explanation=(
        "Its target refused the credentials (401 or 403), wants no more events (410), or gave an answer that its"
        " `outcomes` map to hold. Its deliveries wait. The hold ends with `hookctl deliveries resume NAME`, with an"
        " apply that changes the webhook, or when one of its secrets changes. This is a warning."
    ),
    message="the webhook is held: {reason}; {count}",
    hint=(
        "The hold ends with an apply that changes the webhook, a change of its secret, or"
        ' `hookctl deliveries resume "{name}"`.'
    ),
    severity=Severity.WARNING,
)

AGAINST = Rule(
    id="against",
    summary="A webhook of the other revision cannot be compared.",
    explanation=(
        "It has an error in the revision that --against names, so the plan shows it as new. If it has no file "
        "now, its removal is missing from the plan. `--detailed-exitcode` counts it as a change. This is a "
        "warning."
    ),
    message="{name} is shown as new, because it has an error in the other revision: {place}: {why}{more}",
    names_position=True,
    hint="Compare with a revision without errors, or review the webhook as if it were new.",
    variants={
        "removed": (
            (
                "{name} is not in the files and cannot be compared, because it has an error in the other revision: "
                "{place}: {why}{more}"
            ),
            "Compare with a revision without errors, or check that {name} may be removed.",
        ),
        "unnamed": (
            "webhooks cannot be compared, because their file has an error in the other revision: {place}: {why}{more}",
            "Compare with a revision without errors. The plan may show these webhooks as new, or miss their removal.",
        ),
    },
    severity=Severity.WARNING,
)

POLICY = Rule(
    id="policy",
    summary="A policy of your organization refuses the plan.",
    explanation=(
        "Policies check what an apply would change. Some are built in (allowed_hosts, authenticated, "
        "timeout_at_most, retry_horizon_at_least, owner_label), and plugins add others. Each is off unless "
        "hookctl.toml has a table [policies.NAME]. The finding names the policy and what it requires. An "
        "error blocks plan and apply; for a webhook that does not change, it is a warning. With severity = "
        '"warning" in the table, all findings of the policy are warnings.'
    ),
    message="{what}",
    hint="{fix}",
)

TEST_FIELD = Rule(
    id="test-field",
    summary="A value that --set gives does not fit the event type.",
    explanation=(
        "`hookctl test --set` and `hookctl events mock --set` change a field of the mock event. The field must be one "
        "that the event type has, and the value must be one that it allows, as `hookctl schema event NAME` shows."
    ),
    message="{what}",
    hint="{fix}",
)

TEST_FAILED = Rule(
    id="test-failed",
    summary="The test event was not accepted.",
    explanation=(
        "`hookctl test` sent an event to the webhook, or replayed a recording, and it failed. The message "
        "gives the reason, followed by tips."
    ),
    message="{what}",
    hint="{fix}",
)
