"""Rules about files that `hookctl import` reads."""

from __future__ import annotations

from hookctl.model.finding import Severity
from hookctl.model.rules.rule import Rule

IMPORT_UNREADABLE = Rule(
    id="import-unreadable",
    summary="The file is not one that can be imported.",
    explanation=(
        "`hookctl import events` reads an OpenAPI 3.1 file with a `webhooks` section, and AsyncAPI 2.x and 3.x, as "
        "JSON or YAML. Nothing is requested: a reference must point into the same file."
    ),
    message="{why}",
    hint="Give an OpenAPI 3.1 file with `webhooks`, or an AsyncAPI file.",
)

IMPORT_SKIPPED = Rule(
    id="import-skipped",
    summary="An event of the file cannot be converted.",
    explanation=(
        "The other events of the file are written. An event needs a name that an event type can have, and a payload "
        "that a JSON Schema in the same file describes."
    ),
    message="{name} is not imported: {why}",
    hint="Correct it in the file, or write events.d/NAME.schema.json by hand.",
)

IMPORT_CHANGED = Rule(
    id="import-changed",
    summary="A part of an event's schema could not be kept.",
    explanation=(
        "The file is written, but a part of the schema is left out or made up: a reference to another file, or a mock "
        "event that the file does not have."
    ),
    message="{name}: {why}",
    hint="Review the written file; `hookctl validate` checks it.",
    severity=Severity.WARNING,
)
