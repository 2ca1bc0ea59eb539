"""Checks the event type of a webhook, and its texts against that type: condition, body, form, URL and headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Literal

from hookctl.config.check.guarded import guarded
from hookctl.config.check.notes import Notes
from hookctl.config.check.rules.unknown_secret_scheme import UNKNOWN_SECRET_SCHEME
from hookctl.model import BodyFormat, Json, Pointer, Problem, brief
from hookctl.model.nearest import nearest
from hookctl.model.rules.fields import SECRET_LITERAL, SECRET_MALFORMED, UNKNOWN_EVENT_TYPE
from hookctl.model.rules.texts import (
    NEVER_MATCHES,
    TEMPLATE_FILTER,
    TEMPLATE_MOCK_EVENT,
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
        TEMPLATE_MOCK_EVENT,
        TEMPLATE_OPTIONAL_PATH,
        TEMPLATE_NOT_TEXT,
        TEMPLATE_NEVER_PARSES,
        WHEN_UNKNOWN_PATH,
    )
)
"""Rules that apply only if the event type, and so its fields, are known."""
_OF_SECRETS = frozenset(rule.id for rule in (SECRET_LITERAL, SECRET_MALFORMED, UNKNOWN_SECRET_SCHEME))
"""Rules about parts of a text, after which the rest of it can still be checked."""
_PLACES: Mapping[str, Literal["url", "header", "form"]] = {"url": "url", "headers": "header", "form": "form"}
_KEPT = 1000
"""Maximum number of texts without problems to remember."""


class Texts:
    """Checks the texts of webhooks. Remembers texts without problems, because many webhooks have the same texts."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins
        self._clean: set[tuple[str, str, str]] = set()
        # Imported here because code that only loads webhooks does not need it, and once because importing it for each
        # of thousands of webhooks takes noticeable time.
        from hookctl import template, when

        self._template = template
        self._when = when
        self._reach = when.Reach()
        self._certain: dict[str, set[str]] = {}
        """The paths that always have a value, by the name of the event type."""

    def check(self, notes: Notes) -> None:
        """Add findings for an unknown event type and for problems in the texts.

        If the type is unknown, check only syntax.
        """
        event_type = self._event_type(notes)
        template = self._template
        body, when = notes.webhook.fields.get("body_template"), notes.webhook.fields.get("when")
        if isinstance(body, str):
            body_format = _body_format(notes)
            certain = self._certain.setdefault(event_type.name if event_type else "", set())
            self._check(
                notes,
                ("body_template",),
                f"{body_format.value}:{body}",
                event_type,
                lambda against: template.check_body(body, against, self._plugins.filters, certain, body_format),
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
        form = notes.webhook.fields.get("form")
        for name, value in form.items() if isinstance(form, dict) else ():
            self._check_line(notes, ("form", name), value, event_type)

    def _check_reach(self, notes: Notes, when: str, event_type: EventType) -> None:
        """Add a finding if the condition is false for every event."""
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
        if isinstance(text, str) and ("{" in text or "<%" in text):
            template = self._template
            place = _PLACES[str(pointer[0])]
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
                f"Use one of: {', '.join(known)}. `hookctl schema event NAME` shows the fields of an event type."
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
        """Add the problems that ``call`` finds in a text, unless a text with the same ``outline`` had none."""
        against = event_type or EventType(name="", summary="", schema={}, mock={})
        key = (str(pointer[0]), against.name, outline)
        # A finding about the URL may come from the URL rules, which do not check its expressions.
        if key in self._clean or (pointer != ("url",) and notes.rules(pointer) - _OF_SECRETS):
            return
        problems = guarded(notes, self._plugins, pointer, ("event type", against.name), lambda: call(against))
        if problems:
            _note(notes, pointer, problems, known=event_type is not None, failed_hint=self._plugins.failed_hint)
        elif problems is not None:
            if len(self._clean) >= _KEPT:
                self._clean.clear()
            self._clean.add(key)


def _body_format(notes: Notes) -> BodyFormat:
    """The format of the body; JSON if the field is missing or, which is another finding, wrong."""
    name = notes.webhook.fields.get("body_format")
    return BodyFormat(name) if isinstance(name, str) and name in {*BodyFormat} else BodyFormat.JSON


def _note(notes: Notes, pointer: Pointer, problems: Iterable[Problem], *, known: bool, failed_hint: str) -> None:
    for problem in problems:
        if problem.rule == TEMPLATE_FILTER.id:
            notes.add_problem(replace(problem, hint=problem.hint + failed_hint), pointer)
        elif problem.rule == SECRET_MALFORMED.id and problem.rule in notes.rules(pointer):
            continue  # the rule for references has reported it
        elif known or problem.rule not in _OF_THE_EVENT:
            notes.add_problem(problem, pointer)
