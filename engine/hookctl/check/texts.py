"""The event type of a webhook, and the texts that are written for it: ``when`` and ``body_template``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
_KEPT = 1000
"""Clean texts that are kept in mind."""


class Texts:
    """Checks the texts of one webhook after the other. Many have texts in common: what was clean once is not looked at again."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins
        self._clean: set[tuple[str, str, str]] = set()

    def check(self, notes: Notes) -> None:
        """Note an unknown event type, and what is wrong with the texts; without a known type, their syntax alone."""
        event_type = self._event_type(notes)
        from hookctl.template import check_body, check_when, when_outline

        body, when = notes.webhook.fields.get("body_template"), notes.webhook.fields.get("when")
        if isinstance(body, str):
            self._check(notes, "body_template", body, event_type, lambda against: check_body(body, against, self._plugins.filters))
        if isinstance(when, str):
            self._check(notes, "when", when_outline(when), event_type, lambda against: check_when(when, against))

    def _event_type(self, notes: Notes) -> EventType | None:
        event = notes.webhook.fields.get("event")
        event_type = self._plugins.event_types.get(event) if isinstance(event, str) else None
        if event_type is None and isinstance(event, str) and not notes.has(("event",)):
            known = sorted(self._plugins.event_types)
            hint = f"Known are: {', '.join(known)}; `hookctl schema event NAME` shows the fields of each." if known else "Install the plugin that adds it."
            notes.add("unknown-event-type", f"there is no event type {brief(event)!r}", hint, ("event",), suggestions=nearest(event, known))
        return event_type

    def _check(self, notes: Notes, field: str, outline: str, event_type: EventType | None, call: Callable[[EventType], Iterable[TemplateProblem]]) -> None:
        """Note what ``call`` says of a text; two texts of one ``outline`` are both clean, or neither is."""
        against = event_type or EventType(name="", summary="", schema={}, mock={})
        key = (field, against.name, outline)
        if key in self._clean or notes.has((field,)):
            return
        problems = guarded(notes, self._plugins, (field,), ("event type", against.name), lambda: call(against))
        if problems:
            _note(notes, field, problems, known=event_type is not None)
        elif problems is not None:
            if len(self._clean) >= _KEPT:
                self._clean.clear()
            self._clean.add(key)


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
