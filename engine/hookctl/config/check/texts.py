"""The event type of a webhook, and the texts that are written for it: ``when``, ``body_template``, and expressions in ``url`` and ``headers``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Literal

from hookctl.config.check.guarded import guarded
from hookctl.config.check.notes import Notes
from hookctl.model import Json, Pointer, Problem, brief
from hookctl.model.nearest import nearest
from hookctl.model.rules.fields import UNKNOWN_EVENT_TYPE
from hookctl.model.rules.texts import (
    NEVER_MATCHES,
    TEMPLATE_FILTER,
    TEMPLATE_NEVER_PARSES,
    TEMPLATE_NOT_TEXT,
    TEMPLATE_OPTIONAL_PATH,
    TEMPLATE_UNKNOWN_PATH,
    WHEN_UNKNOWN_PATH,
)
from hookctl.plugin import EventType
from hookctl.plugin.calls import Plugins

_OF_THE_EVENT = frozenset(
    rule.id
    for rule in (
        TEMPLATE_UNKNOWN_PATH,
        TEMPLATE_OPTIONAL_PATH,
        TEMPLATE_NOT_TEXT,
        TEMPLATE_NEVER_PARSES,
        WHEN_UNKNOWN_PATH,
    )
)
"""Rules that only hold against the fields of a known event type."""
_KEPT = 1000
"""Clean texts that are kept in mind."""


class Texts:
    """Checks the texts of one webhook after the other. Many have texts in common: what was clean once is not looked at again."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins
        self._clean: set[tuple[str, str, str]] = set()
        from hookctl import (
            template,
            when,
        )  # needed by nothing that only loads; and once, since thousands of imports are felt

        self._template = template
        self._when = when
        self._reach = when.Reach()
        self._certain: dict[str, set[str]] = {}
        """For each event type the paths that always have a value."""

    def check(self, notes: Notes) -> None:
        """Note an unknown event type, and what is wrong with the texts; without a known type, their syntax alone."""
        event_type = self._event_type(notes)
        template = self._template
        body, when = notes.webhook.fields.get("body_template"), notes.webhook.fields.get("when")
        if isinstance(body, str):
            certain = self._certain.setdefault(event_type.name if event_type else "", set())
            self._check(
                notes,
                ("body_template",),
                body,
                event_type,
                lambda against: template.check_body(body, against, self._plugins.filters, certain),
            )
        if isinstance(when, str):
            self._check(
                notes,
                ("when",),
                self._when.when_outline(when),
                event_type,
                lambda against: self._when.check_when(when, against),
            )
            if event_type and not notes.has(("when",)) and notes.webhook.fields.get("status") != "inactive":
                self._check_reach(notes, when, event_type)
        self._check_line(notes, ("url",), notes.webhook.fields.get("url"), event_type)
        headers = notes.webhook.fields.get("headers")
        for name, value in headers.items() if isinstance(headers, dict) else ():
            self._check_line(notes, ("headers", name), value, event_type)

    def _check_reach(self, notes: Notes, when: str, event_type: EventType) -> None:
        """Note a condition that is false for every event."""
        why = guarded(
            notes,
            self._plugins,
            ("when",),
            ("event type", event_type.name),
            lambda: self._reach.why_never(when, event_type),
        )
        if why:
            notes.add(NEVER_MATCHES, ("when",), why=why)

    def _check_line(self, notes: Notes, pointer: Pointer, text: Json, event_type: EventType | None) -> None:
        if isinstance(text, str) and "{" in text:
            template = self._template
            if not template.has_expression(text):
                return
            place: Literal["url", "header"] = "url" if pointer == ("url",) else "header"
            self._check(
                notes,
                pointer,
                text,
                event_type,
                lambda against: template.check_text(text, against, self._plugins.filters, place),
            )

    def _event_type(self, notes: Notes) -> EventType | None:
        event = notes.webhook.fields.get("event")
        event_type = self._plugins.event_types.get(event) if isinstance(event, str) else None
        if event_type is None and isinstance(event, str) and not notes.has(("event",)):
            known = sorted(self._plugins.event_types)
            fix = (
                f"Known are: {', '.join(known)}; `hookctl schema event NAME` shows the fields of each."
                if known
                else "Install the plugin that adds it."
            )
            fix += self._plugins.failed_hint
            notes.add(UNKNOWN_EVENT_TYPE, ("event",), suggestions=nearest(event, known), name=brief(event), fix=fix)
        return event_type

    def _check(
        self,
        notes: Notes,
        pointer: Pointer,
        outline: str,
        event_type: EventType | None,
        call: Callable[[EventType], Iterable[Problem]],
    ) -> None:
        """Note what ``call`` says of a text; two texts of one ``outline`` are both clean, or neither is."""
        against = event_type or EventType(name="", summary="", schema={}, mock={})
        key = (str(pointer[0]), against.name, outline)
        if key in self._clean or (
            pointer != ("url",) and notes.has(pointer)
        ):  # the URL rules look at another part of it
            return
        problems = guarded(notes, self._plugins, pointer, ("event type", against.name), lambda: call(against))
        if problems:
            _note(notes, pointer, problems, known=event_type is not None, failed_hint=self._plugins.failed_hint)
        elif problems is not None:
            if len(self._clean) >= _KEPT:
                self._clean.clear()
            self._clean.add(key)


def _note(notes: Notes, pointer: Pointer, problems: Iterable[Problem], *, known: bool, failed_hint: str) -> None:
    for problem in problems:
        if problem.rule == TEMPLATE_FILTER.id:
            notes.add_problem(replace(problem, hint=problem.hint + failed_hint), pointer)
        elif known or problem.rule not in _OF_THE_EVENT:
            notes.add_problem(problem, pointer)
