"""Rules about fields: names, types, plugins, headers and secrets."""

from __future__ import annotations

from hookctl.model.rules.rule import Rule

UNKNOWN_FIELD = Rule(
    id="unknown-field",
    summary="There is no such field.",
    explanation="A misspelled field would do nothing otherwise. `hookctl schema webhook` lists all fields, `hookctl plugins` those of each plugin's block.",
    message="there is no field `{name}`{where}",
    hint="{fix}",
    bad="timeout: 10",
    good="timeout_seconds: 10",
)

MISSING_FIELD = Rule(
    id="missing-field",
    summary="A required field is not there.",
    explanation="The hint says what the field is for.",
    message="`{name}` is missing",
    hint="{advice}",
    bad="auth:\n  type: bearer",
    good="auth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
)

WRONG_TYPE = Rule(
    id="wrong-type",
    summary="A value is of another type than its field.",
    explanation="A number or a word such as true is text only in quotes.",
    message="`{place}` must be {types}, not {given}",
    hint="{advice}",
    bad="headers:\n  X-Count: 5",
    good='headers:\n  X-Count: "5"',
)

WRONG_VALUE = Rule(
    id="wrong-value",
    summary="A value is none of those that the field takes.",
    explanation="Case counts.",
    message="`{place}` must be {options}, not {given}",
    hint="{advice}",
    variants={
        "repeated": ("`{place}` holds an item twice", "{advice}"),
        "other": ("`{place}` is refused by its schema ({keyword})", "{advice}"),
    },
    bad="method: post",
    good="method: POST",
)

OUT_OF_RANGE = Rule(
    id="out-of-range",
    summary="A number is too small or too great, or something is too short or too long.",
    explanation="The message says the limit.",
    message="`{place}` {limit}",
    hint="{advice}",
    bad="timeout_seconds: 0",
    good="timeout_seconds: 10",
)

WRONG_FORMAT = Rule(
    id="wrong-format",
    summary="A text is not written in the form that its field takes.",
    explanation="The hint describes the form.",
    message="`{place}` has the wrong form: {given}",
    hint="{advice}",
    variants={"key": ("a key in `{place}` has the wrong form", "{advice}")},
    bad="rate_limit: 50 per second",
    good="rate_limit: 50/s",
)

UNSUPPORTED_VERSION = Rule(
    id="unsupported-version",
    summary="The file is written for another version of the format.",
    explanation="This hookctl reads version 1. A file of a later version needs a later hookctl, which its own release notes name.",
    message="hookctl {version} reads version 1 of this format, not {given}",
    hint="{advice}",
    bad="version: 2",
    good="version: 1",
)

NAME_INVALID = Rule(
    id="name-invalid",
    summary="The name holds something else than letters, digits and single separators, or is too long.",
    explanation="A name stands in commands, file names and logs: letters a-z in either case, digits, and single spaces, - or _ between them, at most 64 characters.",
    message="{what}",
    hint="{advice}",
    bad="name: Siem/Anomalies",
    good="name: Siem-Anomalies",
)

NAME_DUPLICATE = Rule(
    id="name-duplicate",
    summary="Two webhooks have one name.",
    explanation="A webhook is known by its name in plan, state and deliveries. Names that differ in case alone count as one.",
    message="the name {name!r} is taken by the webhook at {place}{as_written}",
    hint="Give each webhook a name of its own.",
    bad="name: Siem\nevent: anomaly\nurl: https://a.example.com/\n---\nname: SIEM\nevent: anomaly\nurl: https://b.example.com/",
    good="name: Siem A\nevent: anomaly\nurl: https://a.example.com/\n---\nname: Siem B\nevent: anomaly\nurl: https://b.example.com/",
)

UNKNOWN_EVENT_TYPE = Rule(
    id="unknown-event-type",
    summary="There is no such event type.",
    explanation="Event types come from plugins; `hookctl plugins` lists them, and `hookctl schema event NAME` shows the fields of one.",
    message="there is no event type {name!r}",
    hint="{fix}",
    bad="event: anomalies",
    good="event: anomaly",
)

UNKNOWN_PLUGIN = Rule(
    id="unknown-plugin",
    summary="There is no plugin of that name.",
    explanation="`type` names the plugin that a block is for. `hookctl plugins` lists those that are installed here.",
    message="no {kind} plugin is called {name!r}",
    hint="{fix}",
    bad="auth:\n  type: bearerr\n  token: ${env:SIEM_TOKEN}",
    good="auth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
)

PLUGIN_FAILED = Rule(
    id="plugin-failed",
    summary="A plugin raised an error while its block was checked.",
    explanation="The plugin is at fault, not the file. Update it, uninstall it, or tell its author; the message names it and says what it raised.",
    message="{what}",
    hint="Update or uninstall the plugin, or tell its author.",
)

SECRET_LITERAL = Rule(
    id="secret-literal",
    summary="A secret is written out in the file.",
    explanation=(
        "Files are committed, reviewed and copied, so they hold references alone: ${env:NAME}, ${file:PATH}, or those that a plugin adds. "
        "A secret that was in a file has been seen: change it."
    ),
    message="a secret is written out in the file",
    hint="Write where it comes from, such as ${{env:NAME}} or ${{file:/run/secrets/name}}, and change the secret: it has been seen.",
    bad="auth:\n  type: bearer\n  token: 7f3c1b0e",
    good="auth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
)

SECRET_MALFORMED = Rule(
    id="secret-malformed",
    summary="Something looks like a secret reference and is none.",
    explanation="A reference is ${scheme:key}: a scheme in lower case, a colon, and a key without spaces and braces.",
    message="{text} is not a secret reference",
    hint="Write ${{scheme:key}} with one of the schemes {schemes}.",
    variants={"expression": ("an expression cannot stand in a secret reference", "Write the whole reference out.")},
    bad="auth:\n  type: bearer\n  token: ${SIEM_TOKEN}",
    good="auth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
)

SECRET_MISPLACED = Rule(
    id="secret-misplaced",
    summary="A secret reference stands where it is not resolved.",
    explanation="References are resolved in url, headers, auth and transport. Anywhere else the text would be sent, or shown, as it is written.",
    message="the reference {text} is not resolved in `{field}`",
    hint="Put secrets into `auth` or `headers`; here the text would be sent as it is written.",
    variants={
        "expression": ("a secret reference inside an expression is not resolved", "Write it beside the expression.")
    },
    bad="description: uses ${env:SIEM_TOKEN}",
    good="description: uses the SIEM's token",
)
