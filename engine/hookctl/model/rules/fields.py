"""Rules about fields: names, types, plugins, headers and secrets."""

from __future__ import annotations

from hookctl.model.rules.rule import Rule

UNKNOWN_FIELD = Rule(
    id="unknown-field",
    summary="The field does not exist.",
    explanation=(
        "hookctl reports unknown fields because a misspelled field would otherwise have no effect. `hookctl "
        "schema webhook` lists all fields, and `hookctl plugins` lists those of each plugin's block."
    ),
    message="unknown field `{name}`{where}",
    hint="{fix}",
    bad="timeout: 10",
    good="timeout_seconds: 10",
)

MISSING_FIELD = Rule(
    id="missing-field",
    summary="A required field is missing.",
    explanation="The hint describes the field.",
    message="`{name}` is missing",
    hint="{advice}",
    bad="auth:\n  type: bearer",
    good="auth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
)

WRONG_TYPE = Rule(
    id="wrong-type",
    summary="The value has the wrong type.",
    explanation="YAML reads a number, or a word such as true, as text only if it is in quotes.",
    message="`{place}` must be {types}, not {given}",
    hint="{advice}",
    variants={
        "body": (
            "`{place}` must be {types}, not {given}",
            "Write `body_template: |`, and the body indented on the lines below it.",
        ),
    },
    bad="headers:\n  X-Count: 5",
    good='headers:\n  X-Count: "5"',
)

WRONG_VALUE = Rule(
    id="wrong-value",
    summary="The field does not accept this value.",
    explanation="Values are case-sensitive.",
    message="`{place}` must be {options}, not {given}",
    hint="{advice}",
    variants={
        "repeated": ("`{place}` contains an item twice", "{advice}"),
        "other": ("`{place}` does not match its schema ({keyword})", "{advice}"),
    },
    bad="method: post",
    good="method: POST",
)

OUT_OF_RANGE = Rule(
    id="out-of-range",
    summary="A number is too small or too large, or a value is too short or too long.",
    explanation="The message states the limit.",
    message="`{place}` {limit}",
    hint="{advice}",
    bad="timeout_seconds: 0",
    good="timeout_seconds: 10",
)

WRONG_FORMAT = Rule(
    id="wrong-format",
    summary="The text does not have the form that the field requires.",
    explanation="The hint describes the form.",
    message="`{place}` has the wrong form: {given}",
    hint="{advice}",
    variants={"key": ("the key {given} in `{place}` has the wrong form", "{advice}")},
    bad="rate_limit: 50 per second",
    good="rate_limit: 50/s",
)

UNSUPPORTED_VERSION = Rule(
    id="unsupported-version",
    summary="The file is written for another version of the format.",
    explanation=(
        "This version of hookctl reads format version 1. A file with a later format version needs a later "
        "version of hookctl; see its release notes."
    ),
    message="hookctl {version} reads version 1 of this format, not {given}",
    hint="{advice}",
    bad="version: 2",
    good="version: 1",
)

NAME_INVALID = Rule(
    id="name-invalid",
    summary="The name contains invalid characters, or is too long.",
    explanation=(
        "Names are used in commands, file names and logs. They consist of the letters a-z in either case, "
        "digits, and single spaces, - or _ between them, with at most 64 characters."
    ),
    message="{what}",
    hint="{advice}",
    bad="name: Siem/Anomalies",
    good="name: Siem-Anomalies",
)

NAME_DUPLICATE = Rule(
    id="name-duplicate",
    summary="Two webhooks have the same name.",
    explanation=(
        "hookctl identifies a webhook by its name in plans, state and deliveries. Names that differ only in "
        "case count as the same name."
    ),
    message="the name {name!r} is taken by the webhook at {place}{as_written}",
    names_position=True,
    hint="Give each webhook its own name.",
    bad="name: Siem\nevent: anomaly\nurl: https://a.example.com/\n---\nname: SIEM\nevent: anomaly\nurl: https://b.example.com/",
    good="name: Siem A\nevent: anomaly\nurl: https://a.example.com/\n---\nname: Siem B\nevent: anomaly\nurl: https://b.example.com/",
)

UNKNOWN_EVENT_TYPE = Rule(
    id="unknown-event-type",
    summary="The event type does not exist.",
    explanation=(
        "Event types are built in, or defined by the files in events.d and by plugins. `hookctl schema event` lists "
        "them, and `hookctl schema event NAME` shows the fields of one."
    ),
    message="unknown event type {name!r}",
    hint="{fix}",
    bad="event: anomalies",
    good="event: anomaly",
)

UNKNOWN_PLUGIN = Rule(
    id="unknown-plugin",
    summary="No installed plugin has this name.",
    explanation="`type` names the plugin that a block configures. `hookctl plugins` lists the installed plugins.",
    message="unknown {kind} plugin {name!r}",
    hint="{fix}",
    bad="auth:\n  type: bearerr\n  token: ${env:SIEM_TOKEN}",
    good="auth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
)

SETTING_INVALID = Rule(
    id="setting-invalid",
    summary="The plugin of a block does not accept a setting.",
    explanation=(
        "Some settings have rules that depend on the plugin. For example, the `content` of the auth hmac may only use"
        " names that hookctl knows. `hookctl plugins` describes the settings of each plugin."
    ),
    message="{what}",
    hint="{fix}",
    bad="auth:\n  type: hmac\n  secret: ${env:SIEM_KEY}\n  header: X-Signature\n  content: '{timestmp}.{body}'",
    good="auth:\n  type: hmac\n  secret: ${env:SIEM_KEY}\n  header: X-Signature\n  content: '{timestamp}.{body}'",
)

PLUGIN_FAILED = Rule(
    id="plugin-failed",
    summary="A plugin failed while hookctl checked its block.",
    explanation=(
        "The plugin is the cause, not the file. The message names the plugin and quotes its error. Update or "
        "uninstall the plugin, or report the error to its author."
    ),
    message="{what}",
    hint="Update or uninstall the plugin, or report the error to its author.",
)

SECRET_LITERAL = Rule(
    id="secret-literal",
    summary="The file contains a secret.",
    explanation=(
        "Files are committed, reviewed and copied, so they must contain only references: ${env:NAME}, "
        "${file:PATH}, or those that a plugin adds. Change any secret that was in a file, because others may "
        "have seen it. In a secret setting of a plugin, a literal is an error. In url, headers, form and body_template "
        "it is a warning, because hookctl can only guess: it knows the shape of many tokens and of secret URLs, and it "
        "knows names such as password, token, secret and api_key. Expressions and placeholders such as changeme are "
        "not secrets."
    ),
    message="the file contains a secret",
    hint=(
        "Write a reference, such as ${{env:NAME}} or ${{file:/run/secrets/name}}, and change the secret: "
        "others may have seen it."
    ),
    variants={
        "shape": (
            "the text looks like {what}",
            "Write a reference such as ${{env:NAME}} in its place, and change the secret: others may have seen it.",
        ),
        "named": (
            "the value of {name} looks like a secret",
            "Write a reference such as ${{env:NAME}} in its place, and change the secret: others may have seen it.",
        ),
    },
    is_sometimes_a_warning=True,
    bad="auth:\n  type: bearer\n  token: 7f3c1b0e",
    good="auth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
)

SECRET_MALFORMED = Rule(
    id="secret-malformed",
    summary="The text looks like a secret reference but is not one.",
    explanation=(
        "A reference has the form ${scheme:key}: a scheme in lower case, a colon, and a key without spaces or braces, "
        "in body_template also without quotes and backslashes. hookctl does not expand variables as a shell does: "
        "write ${env:NAME} for the environment variable NAME. To send the text ${NAME} itself, write {{ '$' }}{NAME}."
    ),
    message="{text} is not a secret reference",
    hint="Write ${{scheme:key}} with one of the schemes {schemes}.",
    variants={
        "expression": ("a secret reference cannot contain an expression", "Write the whole reference."),
        "path": ("{text} is not an expression, so it would be sent as it is", "Write {{{{ {path} }}}}."),
    },
    bad="auth:\n  type: bearer\n  token: ${SIEM_TOKEN}",
    good="auth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
)

SECRET_MISPLACED = Rule(
    id="secret-misplaced",
    summary="hookctl does not resolve a secret reference in this place.",
    explanation=(
        "hookctl resolves references in url, headers, form, auth and transport, and in the text of body_template: with "
        "JSON in its strings, with XML in the text of elements and in the values of attributes. Anywhere else it would "
        "send or show the reference itself. The ${NAME} of a shell is a warning there."
    ),
    message="the reference {text} is not resolved in `{field}`",
    hint=(
        "Put secrets into `auth`, `headers`, `form` or the text of `body_template`: here, the reference itself would "
        "be sent."
    ),
    variants={
        "expression": (
            "hookctl does not resolve a secret reference inside an expression",
            "Write it next to the expression.",
        ),
        "comment": ("hookctl does not resolve a secret reference inside a comment", "Remove it from the comment."),
        "bare": (
            "the reference {text} is not in a JSON string, so hookctl does not resolve it",
            'Write it in double quotes: "{text}". A secret is always sent as text.',
        ),
        "key": (
            "the reference {text} is in an object's key, so hookctl does not resolve it",
            "Write the key itself, and put the secret into its value.",
        ),
        "markup": (
            "the reference {text} is not in an element's text or an attribute's value, so hookctl does not resolve it",
            'Write it between tags, or in quotes as the value of an attribute: name="{text}".',
        ),
        "variable": (
            "{text} is not expanded in `{field}`",
            "Write the text itself. Only url, headers, form, auth, transport and body_template can contain {meant}.",
        ),
    },
    is_sometimes_a_warning=True,
    bad="description: uses ${env:SIEM_TOKEN}",
    good="description: uses the SIEM's token",
)
