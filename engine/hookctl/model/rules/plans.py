"""Rules about what is said of a plan and of a test, and not of a file."""

from __future__ import annotations

from hookctl.model.rules.rule import Rule

PLAN_RULES = (
    Rule(
        "protected",
        "The plan removes a protected webhook.",
        "No apply removes a webhook with `protected: true`, with no option: bring its file back, or apply `protected: false` first. It may be renamed.",
        "",
        "",
    ),
    Rule(
        "removals",
        "The plan removes or deactivates many webhooks at once.",
        "A directory that was lost, or a wrong --dir, is not a wish. An apply does so only with --allow-removals; `plan` says it as a warning. How many "
        "are too many is set under [safety] in hookctl.toml: more than 30 % of at least 10 by default.",
        "",
        "",
    ),
    Rule(
        "drift",
        "The state was changed by other means than an apply.",
        "Its target has suspended a webhook (HTTP 410), somebody has held deliveries, or the store was edited. An apply makes it again what the files "
        "say, whether it changes anything else or not. This is a warning.",
        "",
        "",
    ),
    Rule(
        "against",
        "A webhook of the other revision cannot be compared.",
        "Its file has an error at the revision that --against names, so it is compared as if it did not exist. This is a warning.",
        "",
        "",
    ),
    Rule(
        "policy",
        "A policy of your organisation refuses the plan.",
        "Policies look at what an apply would change. Some are built in (allowed_hosts, authenticated, timeout_at_most, "
        "retry_horizon_at_least, owner_label), plugins add others, and each is off unless hookctl.toml has a table [policies.NAME]. The finding "
        "names the policy and says what it wants; an error stops plan and apply. A webhook that violates one and is not changed is a warning. "
        'With severity = "warning" in the table, every finding of the policy is.',
        "",
        "",
    ),
    Rule(
        "test-failed",
        "The test event was not accepted.",
        "`hookctl test` sent the webhook an event, or replayed what was recorded, and it failed; the message says why, and what to look at next.",
        "",
        "",
    ),
)
