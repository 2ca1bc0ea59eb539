"""Fields of the body that exclude each other, and names of form fields that are not fixed text."""

from __future__ import annotations

from hookctl.config.check.notes import Notes
from hookctl.model import brief
from hookctl.model.rules.rule import Rule
from hookctl.model.secret import has_reference
from hookctl.plugin.calls import Plugins

BODY_CONFLICT = Rule(
    id="body-conflict",
    summary="The fields of the body contradict each other.",
    explanation=(
        "A request has one body: `body_template` with its `body_format`, or `form`. The names of a form's fields are"
        " fixed text: only their values may contain expressions and secret references."
    ),
    message="`form` and `body_template` exclude each other",
    hint="Remove one of them.",
    variants={
        "format": (
            "`body_format` says what `body_template` writes, and there is none",
            "Remove it, or add body_template.",
        ),
        "name": ("the name of the form field {name!r} is not fixed text", "Put the expression into the value."),
    },
    bad="form:\n  Body: '{{ data.severity }}'\nbody_template: '{\"severity\": \"{{ data.severity }}\"}'",
    good="form:\n  Body: '{{ data.severity }}'",
)


def check(notes: Notes, _plugins: Plugins) -> None:
    """Note fields of the body that have no effect together, and names that would be sent as they are written."""
    fields = notes.webhook.fields
    form = fields.get("form")
    if "form" in fields and "body_template" in fields:
        notes.add(BODY_CONFLICT, ("form",), at_key=True)
    elif "body_format" in fields and "body_template" not in fields:
        notes.add(BODY_CONFLICT, ("body_format",), "format", at_key=True)
    for name in form if isinstance(form, dict) else ():
        if "{{" in name or "{%" in name or has_reference(name):
            notes.add(BODY_CONFLICT, ("form", name), "name", at_key=True, name=brief(name))
