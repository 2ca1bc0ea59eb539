"""Rules about fields: names, types, plugins, headers and secrets."""

from __future__ import annotations

from hookctl.model.rules.rule import Rule

FIELD_RULES = (
    Rule(
        "unknown-field",
        "There is no such field.",
        "A misspelled field would do nothing otherwise. `hookctl schema webhook` lists all fields, `hookctl plugins` those of each plugin's block.",
        "timeout: 10",
        "timeout_seconds: 10",
    ),
    Rule(
        "missing-field",
        "A required field is not there.",
        "The hint says what the field is for.",
        "auth:\n  type: bearer",
        "auth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
    ),
    Rule(
        "wrong-type",
        "A value is of another type than its field.",
        "A number or a word such as true is text only in quotes.",
        "headers:\n  X-Count: 5",
        'headers:\n  X-Count: "5"',
    ),
    Rule(
        "wrong-value", "A value is none of those that the field takes.", "Case counts.", "method: post", "method: POST"
    ),
    Rule(
        "out-of-range",
        "A number is too small or too great, or something is too short or too long.",
        "The message says the limit.",
        "timeout_seconds: 0",
        "timeout_seconds: 10",
    ),
    Rule(
        "wrong-format",
        "A text is not written in the form that its field takes.",
        "The hint describes the form.",
        "rate_limit: 50 per second",
        "rate_limit: 50/s",
    ),
    Rule(
        "unsupported-version",
        "The file is written for another version of the format.",
        "This hookctl reads version 1. A file of a later version needs a later hookctl, which its own release notes name.",
        "version: 2",
        "version: 1",
    ),
    Rule(
        "name-invalid",
        "The name holds something else than letters, digits and single separators, or is too long.",
        "A name stands in commands, file names and logs: letters a-z in either case, digits, and single spaces, - or _ between them, at most 64 characters.",
        "name: Siem/Anomalies",
        "name: Siem-Anomalies",
    ),
    Rule(
        "name-duplicate",
        "Two webhooks have one name.",
        "A webhook is known by its name in plan, state and deliveries. Names that differ in case alone count as one.",
        "name: Siem\nevent: anomaly\nurl: https://a.example.com/\n---\nname: SIEM\nevent: anomaly\nurl: https://b.example.com/",
        "name: Siem A\nevent: anomaly\nurl: https://a.example.com/\n---\nname: Siem B\nevent: anomaly\nurl: https://b.example.com/",
    ),
    Rule(
        "unknown-event-type",
        "There is no such event type.",
        "Event types come from plugins; `hookctl plugins` lists them, and `hookctl schema event NAME` shows the fields of one.",
        "event: anomalies",
        "event: anomaly",
    ),
    Rule(
        "unknown-plugin",
        "There is no plugin of that name.",
        "`type` names the plugin that a block is for. `hookctl plugins` lists those that are installed here.",
        "auth:\n  type: bearerr\n  token: ${env:SIEM_TOKEN}",
        "auth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
    ),
    Rule(
        "plugin-failed",
        "A plugin raised an error while its block was checked.",
        "The plugin is at fault, not the file. Update it, uninstall it, or tell its author; the message names it and says what it raised.",
        "",
        "",
    ),
    Rule(
        "secret-literal",
        "A secret is written out in the file.",
        "Files are committed, reviewed and copied, so they hold references alone: ${env:NAME}, ${file:PATH}, or those that a plugin adds. "
        "A secret that was in a file has been seen: change it.",
        "auth:\n  type: bearer\n  token: 7f3c1b0e",
        "auth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
    ),
    Rule(
        "secret-malformed",
        "Something looks like a secret reference and is none.",
        "A reference is ${scheme:key}: a scheme in lower case, a colon, and a key without spaces and braces.",
        "auth:\n  type: bearer\n  token: ${SIEM_TOKEN}",
        "auth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
    ),
    Rule(
        "unknown-secret-scheme",
        "No secret source has that scheme.",
        "The scheme, before the colon, says where a secret comes from. `hookctl plugins` lists the sources.",
        "auth:\n  type: bearer\n  token: ${envv:SIEM_TOKEN}",
        "auth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
    ),
    Rule(
        "secret-misplaced",
        "A secret reference stands where it is not resolved.",
        "References are resolved in url, headers, auth and transport. Anywhere else the text would be sent, or shown, as it is written.",
        "description: uses ${env:SIEM_TOKEN}",
        "description: uses the SIEM's token",
    ),
    Rule(
        "header-invalid",
        "A header's name or value cannot be sent.",
        "Names are letters, digits and a few signs; a value is printable ASCII on one line, without spaces at its ends. A name stands once, whatever its case.",
        "headers:\n  X Source: hookctl",
        "headers:\n  X-Source: hookctl",
    ),
    Rule(
        "header-reserved",
        "A header that hookctl sets itself.",
        "Host, Content-Length, Transfer-Encoding and the like follow from the request; webhook-id, webhook-timestamp and webhook-signature from the delivery.",
        "headers:\n  Host: siem.example.com",
        "headers:\n  X-Forwarded-For-Host: siem.example.com",
    ),
)
