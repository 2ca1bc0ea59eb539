"""The event type of a webhook, and the texts that are written for it: ``when`` and ``body_template``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hookctl.check.guarded import guarded
from hookctl.check.notes import Notes, nearest
from hookctl.model import Severity, brief
from hookctl.plugin import EventType
from hookctl.plugin.calls import Plugins

if TYPE_CHECKING:
    from hookctl.template import TemplateProblem

_OF_THE_EVENT = frozenset({"template-unknown-path", "template-optional-path", "template-never-parses", "when-unknown-path"})
"""Rules that only hold against the fields of a known event type."""


def check_texts(notes: Notes, plugins: Plugins) -> None:
    """Note an unknown event type, and what is wrong with the texts; without a known type, their syntax alone."""
    event = notes.webhook.fields.get("event")
    event_type = plugins.event_types.get(event) if isinstance(event, str) else None
    if event_type is None and isinstance(event, str) and not notes.has(("event",)):
        known = sorted(plugins.event_types)
        hint = f"Known are: {', '.join(known)}; `hookctl schema event NAME` shows the fields of each." if known else "Install the plugin that adds it."
        notes.add("unknown-event-type", f"there is no event type {brief(event)!r}", hint, ("event",), suggestions=nearest(event, known))
    body, when = notes.webhook.fields.get("body_template"), notes.webhook.fields.get("when")
    from hookctl.template import check_body, check_when

    against = event_type or EventType(name="", summary="", schema={}, mock={})
    known_type = event_type is not None
    if isinstance(body, str) and not notes.has(("body_template",)):
        problems = guarded(notes, plugins, ("body_template",), ("event type", against.name), lambda: check_body(body, against, plugins.filters))
        _note(notes, "body_template", problems or (), known=known_type)
    if isinstance(when, str) and not notes.has(("when",)):
        problems = guarded(notes, plugins, ("when",), ("event type", against.name), lambda: check_when(when, against))
        _note(notes, "when", problems or (), known=known_type)


def _note(notes: Notes, field: str, problems: Iterable[TemplateProblem], *, known: bool) -> None:
    for problem in problems:
        if known or problem.rule not in _OF_THE_EVENT:
            notes.add(
                problem.rule,
                problem.message,
                problem.hint,
                (field,),
                part=(problem.start, problem.end),
                suggestions=problem.suggestions,
                severity=Severity.ERROR if problem.is_error else Severity.WARNING,
            )
