"""Rules about the files that define event types."""

from __future__ import annotations

from hookctl.model.finding import Severity
from hookctl.model.rules.rule import Rule

EVENT_FILE_NAME = Rule(
    id="event-file-name",
    summary="A file in events.d does not have the name of an event type.",
    explanation=(
        "The file of an event type is NAME.schema.json, where NAME is its `event_type`: letters, digits, `.`, `_` and "
        "`-`, beginning with a letter. hookctl reads no other file there, so a file with another name defines nothing."
    ),
    message="the name of the file is not NAME.schema.json",
    hint="Rename it, such as to order.paid.schema.json for the event type order.paid.",
    variants={
        "type": (
            "{name} is not the name of an event type",
            "Use letters, digits, `.`, `_` and `-`, and begin with a letter.",
        )
    },
)

EVENT_TYPE_TAKEN = Rule(
    id="event-type-taken",
    summary="Two event types have the same name.",
    explanation=(
        "A built-in event type, a plugin or another file already defines an event type with this name, perhaps in "
        "another case. Events would be checked against one schema and read by the other."
    ),
    message="the event type {name} is already defined by {owner}",
    hint="Rename the file and its `event_type`.",
)

EVENT_SCHEMA_NOT_JSON = Rule(
    id="event-schema-not-json",
    summary="The file of an event type is not JSON.",
    explanation=(
        "The file must contain one JSON object that every reader understands alike: no comments, no trailing comma, "
        "no key twice in one object, and no value nested more than 64 levels deep."
    ),
    message="not valid JSON: {why}",
    hint="Write one JSON object: a JSON Schema of the whole event.",
    names_position=True,
)

EVENT_SCHEMA_INVALID = Rule(
    id="event-schema-invalid",
    summary="The schema of an event type is not a JSON Schema that hookctl reads.",
    explanation=(
        "hookctl reads JSON Schema 2020-12. The schema describes the whole event, an object with `id`, `event_type`, "
        "`event_time` and `data`; hookctl adds what every event has where the schema leaves it out. Regular "
        "expressions must not look around or refer back, because they would take too long on some values."
    ),
    message="not a valid JSON Schema: {why}",
    hint="See the keyword in JSON Schema 2020-12.",
    variants={
        "draft": (
            "the schema is written for another version of JSON Schema: {given}",
            "Write https://json-schema.org/draft/2020-12/schema, and what has changed since.",
        ),
        "object": ("the schema does not describe an object", 'Write `"type": "object"` and `"properties"` at the top.'),
        "name": (
            "the schema is for the event type {given}, but the file is for {name}",
            'Rename the file, or write `"const": "{name}"`.',
        ),
        "pattern": (
            "hookctl does not accept this regular expression: {why}",
            "Use a regular expression without look-around and back-references.",
        ),
    },
)

EVENT_SCHEMA_REFERENCE = Rule(
    id="event-schema-reference",
    summary="A $ref of an event type leads outside of its file, or nowhere.",
    explanation=(
        "hookctl requests nothing to check a file, so a `$ref` must point into the same file: `#/$defs/NAME`. Names "
        "for references ($anchor, $dynamicRef, and $id below the top) are not supported."
    ),
    message="{reference} does not point into this file",
    hint="Copy that schema to `$defs`, and write `#/$defs/NAME`.",
    variants={
        "missing": ("there is nothing at {reference}", "Correct the reference, or add that schema to `$defs`."),
        "keyword": ("{reference} is not supported", "Write a `$ref` that begins with #/ instead."),
    },
)

EVENT_SCHEMA_COST = Rule(
    id="event-schema-cost",
    summary="The schema of an event type would take too long to use.",
    explanation=(
        "Some schemas make a validator look at the same value millions of times: alternatives of alternatives, or a "
        "schema that leads back to itself in more than one way. hookctl refuses them before it uses them."
    ),
    message="checking one event could take {cost:,} steps, more than {limit:,}",
    hint="Write fewer alternatives, and refer to fewer large schemas in several places.",
    variants={
        "recursion": (
            "the schema leads back to itself in several ways for the same value",
            "Let a schema refer to itself only under a key or in a list, once for each key.",
        ),
        "size": ("the schema has more than {limit:,} parts", "Describe only the fields that webhooks use."),
    },
)

EVENT_EXAMPLE_INVALID = Rule(
    id="event-example-invalid",
    summary="The mock event of an event type is missing, or does not match its schema.",
    explanation=(
        "The first of the `examples` of the schema is the mock event, which tests, previews and plans use. It must be "
        "a complete event that the schema accepts."
    ),
    message="the mock event does not match the schema: {why}",
    hint="Correct the event or the schema.",
    variants={
        "missing": (
            "the schema has no mock event",
            'Add `"examples"` with one complete event: id, event_type, event_time and data.',
        )
    },
)

EVENT_FIELD_UNDESCRIBED = Rule(
    id="event-field-undescribed",
    summary="Fields of an event type have no description.",
    explanation=(
        "Authors of webhooks choose fields by their descriptions, which `hookctl schema event NAME` and editors show. "
        "This is a warning, one for each file."
    ),
    message="{fields} no description, first `{first}`",
    hint="Add a `description` to each field.",
    severity=Severity.WARNING,
)

EVENT_FIELDS_GONE = Rule(
    id="event-fields-gone",
    summary="A changed event type lacks fields that webhooks read.",
    explanation=(
        "The applied schema of the event type has these fields, and the file does not have them any more. Every "
        "template and `when` that reads them is named. Plan and apply report it beside the findings about these "
        "webhooks."
    ),
    message="fields of {event} are gone, compared with what is applied: {fields}. Still read by {readers}",
    hint="Restore the fields, or change these webhooks in the same commit.",
)
