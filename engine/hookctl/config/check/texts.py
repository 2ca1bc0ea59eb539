"""Checks the event type of a webhook, and its texts against that type: condition, body, form, URL and headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from hookctl.config.check.each_type import of_all
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
_NO_TYPE = EventType(name="", summary="", schema={}, mock={})
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
        """Add findings for unknown event types and for problems in the texts, which are checked against each type.

        If no type is known, check only syntax.
        """
        against = self._event_types(notes) or (_NO_TYPE,)
        template, filters = self._template, self._plugins.filters
        body, when = notes.webhook.fields.get("body_template"), notes.webhook.fields.get("when")
        if isinstance(body, str):
            body_format = _body_format(notes)

            def check_body(one: EventType) -> Iterable[Problem]:
                certain = self._certain.setdefault(one.name, set())
                problems: Iterable[Problem] = template.check_body(body, one, filters, certain, body_format)
                return problems

            self._check(notes, ("body_template",), f"{body_format.value}:{body}", against, check_body)
        if isinstance(when, str):
            outline = self._when.when_outline(when)
            self._check(notes, ("when",), outline, against, lambda one: self._when.check_when(when, one))
            if against[0] is not _NO_TYPE and notes.webhook.fields.get("status") != "inactive":
                self._check_reach(notes, when, against)
        self._check_line(notes, ("url",), notes.webhook.fields.get("url"), against)
        for field in ("headers", "form"):
            lines = notes.webhook.fields.get(field)
            for name, value in lines.items() if isinstance(lines, dict) else ():
                self._check_line(notes, (field, name), value, against)

    def _check_reach(self, notes: Notes, when: str, event_types: Sequence[EventType]) -> None:
        """Add a finding for each event type of which the condition is false for every event."""
        if notes.has(("when",)):
            return
        for one in event_types:
            thing = ("event type", one.name)
            why = guarded(notes, self._plugins, ("when",), thing, lambda: self._reach.why_never(when, one))  # noqa: B023  # called now
            if why and len(event_types) > 1:
                notes.add(NEVER_MATCHES, ("when",), "type", why=why, event=one.name)
            elif why:
                notes.add(NEVER_MATCHES, ("when",), why=why)

    def _check_line(self, notes: Notes, pointer: Pointer, text: Json, event_types: Sequence[EventType]) -> None:
        if isinstance(text, str) and ("{" in text or "<%" in text):
            check_text, filters, place = self._template.check_text, self._plugins.filters, _PLACES[str(pointer[0])]
            self._check(notes, pointer, text, event_types, lambda one: check_text(text, one, filters, place))

    def _event_types(self, notes: Notes) -> Sequence[EventType]:
        """The event types that the webhook names and that are known."""
        event = notes.webhook.fields.get("event")
        if isinstance(event, str):
            named: list[tuple[Pointer, Json]] = [(("event",), event)]
        else:
            named = [(("event", number), name) for number, name in enumerate(event)] if isinstance(event, list) else []
        found: dict[str, EventType] = {}
        for pointer, name in named:
            if not isinstance(name, str):
                continue  # the schema reports it
            if name in self._plugins.event_types:
                found[name] = self._plugins.event_types[name]
            elif not notes.has(pointer):
                self._note_unknown(notes, pointer, name)
        return [*found.values()]

    def _note_unknown(self, notes: Notes, pointer: Pointer, name: str) -> None:
        known = sorted(self._plugins.event_types)
        fix = (
            f"Use one of: {', '.join(known)}. `hookctl schema event NAME` shows the fields of an event type. Or define "
            "one of your own in events.d: see `hookctl explain event-types`."
            if known
            else "Install the plugin that adds it."
        )
        fix += self._plugins.failed_hint
        notes.add(UNKNOWN_EVENT_TYPE, pointer, suggestions=nearest(name, known), name=brief(name), fix=fix)

    def _check(
        self,
        notes: Notes,
        pointer: Pointer,
        outline: str,
        event_types: Sequence[EventType],
        call: Callable[[EventType], Iterable[Problem]],
    ) -> None:
        """Add the problems that ``call`` finds in a text for each event type."""
        # A finding about the URL may come from the URL rules, which do not check its expressions.
        if pointer != ("url",) and notes.rules(pointer) - _OF_SECRETS:
            return
        found = [self._problems(notes, pointer, outline, one, call) for one in event_types]
        problems = found[0] if len(found) == 1 else of_all([one.name for one in event_types], found)
        if problems:
            is_known = event_types[0] is not _NO_TYPE
            _note(notes, pointer, problems, known=is_known, failed_hint=self._plugins.failed_hint)

    def _problems(
        self,
        notes: Notes,
        pointer: Pointer,
        outline: str,
        event_type: EventType,
        call: Callable[[EventType], Iterable[Problem]],
    ) -> Sequence[Problem]:
        """The problems for one event type; none if a text with the same ``outline`` had none."""
        key = (str(pointer[0]), event_type.name, outline)
        if key in self._clean:
            return ()
        problems = guarded(notes, self._plugins, pointer, ("event type", event_type.name), lambda: call(event_type))
        if problems is None:
            return ()
        problems = tuple(problems)
        if not problems:
            if len(self._clean) >= _KEPT:
                self._clean.clear()
            self._clean.add(key)
        return problems


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
