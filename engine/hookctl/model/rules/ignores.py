"""Rules about comments in which authors ignore warnings. All are warnings: a comment never stops an apply."""

from __future__ import annotations

from hookctl.model.finding import Severity
from hookctl.model.rules.rule import Rule

IGNORE_SYNTAX = Rule(
    id="ignore-syntax",
    summary="A comment that ignores warnings does not have the right form.",
    explanation=(
        "hookctl reads `# hookctl: ignore[rule-id] reason`, with one or more ids between the brackets. This is a "
        "warning."
    ),
    message="the comment names no rule to ignore",
    hint="Write # hookctl: ignore[rule-id] reason.",
    variants={
        "many": (
            "a webhook has more than {limit} ids in such comments; from here on they ignore nothing",
            "Fix some of the warnings instead.",
        )
    },
    severity=Severity.WARNING,
    bad="timeout_seconds: 10 # hookctl: ignore this line",
    good="timeout_seconds: 10 # hookctl checks this line",
)

IGNORE_WITHOUT_REASON = Rule(
    id="ignore-without-reason",
    summary="A comment ignores a warning without a reason.",
    explanation=(
        "Whoever reviews the file needs to know why the warning does not matter here. Without a reason, the comment "
        "ignores nothing. This is a warning."
    ),
    message="the comment gives no reason, so it ignores nothing",
    hint="Write why the warning does not matter here, after the brackets.",
    severity=Severity.WARNING,
    bad="when: data.severity == 'High' # hookctl: ignore[never-matches]",
    good="when: data.severity == 'Critical' # hookctl: ignore[never-matches] the publisher adds this value in May",
)

IGNORE_UNKNOWN_RULE = Rule(
    id="ignore-unknown-rule",
    summary="A comment ignores a rule that does not exist.",
    explanation="`hookctl explain` lists the rules. Each finding names its rule in brackets. This is a warning.",
    message="there is no rule {rule}",
    hint="`hookctl explain` lists the rules.",
    severity=Severity.WARNING,
    bad="when: data.severity == 'High' # hookctl: ignore[never-match] the publisher adds this value in May",
    good="when: data.severity == 'Critical' # hookctl: ignore[never-matches] the publisher adds this value in May",
)

IGNORE_ERROR = Rule(
    id="ignore-error",
    summary="A comment ignores a rule that cannot be ignored.",
    explanation=(
        "Only warnings about a webhook file can be ignored. An error must be fixed, and a warning about a plan is not "
        "about a line of a file. This is a warning."
    ),
    message="the rule {rule} cannot be ignored: it is an error",
    hint="Fix what it reports, and remove the id from the comment.",
    variants={
        "plan": (
            "the rule {rule} cannot be ignored in a file: it is about plans or about the comments themselves",
            "Remove the id from the comment.",
        )
    },
    severity=Severity.WARNING,
    bad="url: https://siem.example.com/ingest # hookctl: ignore[url-scheme] it is only a test",
    good="url: https://siem.example.com/ingest # it is only a test",
)

IGNORE_UNUSED = Rule(
    id="ignore-unused",
    summary="A comment ignores a warning that is not there.",
    explanation=(
        "A comment on a line of its own covers the field or list item that begins on the next line, all of it. A "
        "comment at the end of a line covers that line. An id that ignores nothing there would hide a later mistake. "
        "It is not reported while the webhook has errors. This is a warning."
    ),
    message="no warning of {rule} is ignored here",
    hint="Remove the id, or put the comment directly above the field that the warning is about.",
    severity=Severity.WARNING,
    bad="when: data.severity == 'High' # hookctl: ignore[never-matches] the publisher adds this value in May",
    good="when: data.severity == 'Critical' # hookctl: ignore[never-matches] the publisher adds this value in May",
)
