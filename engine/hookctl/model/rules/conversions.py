"""Rules about webhooks that `hookctl import` makes of the files of other tools."""

from __future__ import annotations

from hookctl.model.finding import Severity
from hookctl.model.rules.rule import Rule

IMPORT_SOURCE = Rule(
    id="import-source",
    summary="The source of an import cannot be read.",
    explanation=(
        "`hookctl import` reads Terraform and JSON of Apono, configurations of Alertmanager, endpoints of Svix, and a"
        " curl command. A source that is not valid in its own language is not imported."
    ),
    message="{why}",
    hint="{fix}",
)

IMPORT_UNCONVERTED = Rule(
    id="import-unconverted",
    summary="A part of a webhook cannot be imported.",
    explanation=(
        "hookctl has no counterpart for it, or cannot know what it means. The webhook is written without it, or"
        " with the original text of a template, so complete the file before you apply it."
    ),
    message="{what}",
    hint="{fix}",
)

IMPORT_LEFT_OUT = Rule(
    id="import-left-out",
    summary="An import leaves out or changes a part of a webhook.",
    explanation=(
        "The webhook works without it, but may not do exactly what it did before. This is a warning, which says what"
        " differs."
    ),
    message="{what}",
    hint="{fix}",
    severity=Severity.WARNING,
)
