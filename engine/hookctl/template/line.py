"""Expressions in a header's value and in a URL's path and query: an event's value is text there, and stays inside the place that was written for it.

There are outputs alone, no tags. The text around them is kept in pieces, so that secret references are resolved in those and never in what an event holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Never
from urllib.parse import quote

from hookctl.errors import RenderError, TemplateError
from hookctl.model import Json
from hookctl.model.secret import REFERENCE
from hookctl.network.url import MAX_URL_LENGTH
from hookctl.template.body_check import PathChecker, check_filters
from hookctl.template.evaluation import Evaluate, Frame, evaluate, raise_missing
from hookctl.template.expressions import Choice, Expression, Filtered, For, If, Logic, Output, Path, Text
from hookctl.template.parser import parse
from hookctl.template.path_check import Scope, event_scope
from hookctl.template.positions import Position
from hookctl.template.problems import EventSchema, Filter, TemplateProblem
from hookctl.template.schema_paths import EventShape
from hookctl.template.values import Missing, Value, kind, to_json

Place = Literal["header", "url"]

MAX_HEADER = 8192
"""Characters of a header's value: more than most servers take."""

_SYNTAX = re.compile(r"\{[{%#]")
_NOT_IN_A_HEADER = re.compile(r"[^\x20-\x7e\xa0-\xff]")
_AFTER_AUTHORITY = re.compile(r"[/?#\\]")
_END_OF_PARAMETER = re.compile(r"[?&;]")
_NO_SEGMENT = re.compile(r"(?:\.|%2e){0,2}(?:;.*)?", re.IGNORECASE)
"""A segment of a path that is empty, or that some clients and servers drop; some look at what stands before a ; alone."""
_MARK = "\0"
"""Stands for a value; no URL holds it."""
_STRUCTURED = frozenset({"array", "object"})
_FIELD = "Write one of its fields, or use the filter join, length or tojson."


class _NotTextError(RenderError):
    """There is a value, and it cannot stand where it would."""


@dataclass(frozen=True, slots=True)
class _Slot:
    """One expression: its words, and the function that gives its value."""

    words: str
    start: int
    end: int
    value: Evaluate


@dataclass(frozen=True, slots=True)
class TextTemplate:
    """A compiled header value or URL: text, value, text, ..., text."""

    literals: tuple[str, ...]
    """What is written around the values: one more than there are values."""
    _slots: tuple[_Slot, ...]
    _place: Place

    @property
    def is_fixed(self) -> bool:
        """True when there is no expression: every event gives the same text."""
        return not self._slots

    def with_text(self, change: Callable[[str], str]) -> TextTemplate:
        """The same with each piece of written text changed: its secret references resolved, say."""
        return replace(self, literals=tuple(change(literal) for literal in self.literals))

    def values(self, document: Mapping[str, Json]) -> tuple[str, ...]:
        """The text of each value for an event's whole document, as it is put in.

        Raises:
            RenderError: the event lacks a value that has no default, a value is an object or a list, or holds a character that cannot be sent.
        """
        frame = Frame(dict(document))
        return tuple(self._value(slot, frame) for slot in self._slots)

    def fill(self, values: Sequence[str]) -> str:
        """The text with those values put in."""
        pieces = [piece for pair in zip(self.literals, values, strict=False) for piece in pair]
        text = "".join([*pieces, self.literals[-1]])
        return text.strip() if self._slots and self._place == "header" else text  # HTTP does not count space around a value to it

    def vetted(self, values: Sequence[str]) -> str:
        """As :meth:`fill`. Raises RenderError when the text is too long, or a segment of the path would be empty, ``.`` or ``..``."""
        text = self.fill(values)
        if self._slots and len(text) > (limit := MAX_HEADER if self._place == "header" else MAX_URL_LENGTH):
            raise _NotTextError(f"it would be longer than {limit} characters", hint="Send less of the event in it.")
        if self._slots and self._place == "url":
            self._vet_path(text)
        return text

    def render(self, document: Mapping[str, Json]) -> str:
        """The text for an event's whole document. Raises RenderError as :meth:`values` and :meth:`vetted` do."""
        return self.vetted(self.values(document))

    def _value(self, slot: _Slot, frame: Frame) -> str:
        try:
            value = slot.value(frame)
            if isinstance(value, Missing):
                raise_missing(slot.words)
            return _written(value, slot.words, self._place)
        except RecursionError:
            raise RenderError("a value is nested too deep to be looked at", hint="The event's publisher must send it flatter.") from None
        except RenderError as error:
            if not error.end:
                error.start, error.end = slot.start, slot.end
            raise

    def _vet_path(self, url: str) -> None:
        written = _MARK.join(self.literals).partition("?")[0].split("/")
        number = 0
        for before, after in zip(written, url.partition("?")[0].split("/"), strict=True):
            if _MARK in before and _NO_SEGMENT.fullmatch(after):
                slot = self._slots[number]
                message = f"with the value of {slot.words} a segment of the path would be empty, . or .., so that another path would be called"
                raise _NotTextError(message, hint="Give a default, or write text beside it.", start=slot.start, end=slot.end)
            number += before.count(_MARK)


def has_expression(text: str) -> bool:
    """True when a header's value or a URL is more than fixed text."""
    return _SYNTAX.search(text) is not None


def compile_text(text: str, filters: Mapping[str, Filter], place: Place) -> TextTemplate:
    """The compiled text; one without expressions is taken as it is.

    Raises:
        TemplateError: what :func:`check_text` would report as an error, paths aside; the first in the text.
    """
    if not has_expression(text):
        return TextTemplate((text,), (), place)
    nodes = _parse(text)
    errors = [problem for problem in [*_place_problems(nodes, text, place), *check_filters(nodes, filters)] if problem.is_error]
    if errors:
        raise min(errors, key=lambda problem: problem.start).to_error()
    return _compile(nodes, text, filters, place)


def check_text(text: str, event_type: EventSchema, filters: Mapping[str, Filter], place: Place) -> list[TemplateProblem]:
    """All that is wrong with the expressions of a header's value or a URL, in the order of the text. The URL rules are another's, see :func:`blanked`."""
    if not has_expression(text):
        return []
    try:
        nodes = _parse(text)
    except TemplateError as error:
        return [TemplateProblem.from_error(error)]
    scope = event_scope(EventShape(event_type.schema))
    outputs = [node for node in nodes if isinstance(node, Output)]
    paths = PathChecker({output.start: Position("text", 0) for output in outputs})
    paths.nodes(nodes, scope)
    problems = [*_place_problems(nodes, text, place), *check_filters(nodes, filters), *map(_advised, paths.problems)]
    problems += [problem for output in outputs for problem in _structured(output.expression, scope)]
    if event_type.mock and not any(problem.is_error for problem in problems):
        problems += _render_mock(_compile(nodes, text, filters, place), event_type, problems, len(text))
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.start, problem.end))


def blanked(url: str) -> str | None:
    """The URL with a letter for each character of its expressions, for the URL rules to look at; None when :func:`check_text` cannot read them."""
    if not has_expression(url):
        return url
    try:
        nodes = _parse(url)
    except TemplateError:
        return None
    return _with_blanks(nodes, "x")


def _with_blanks(nodes: Sequence[Text | Output], blank: str) -> str:
    return "".join(node.text if isinstance(node, Text) else blank * (node.end - node.start) for node in nodes)


def _parse(text: str) -> list[Text | Output]:
    nodes = parse(text)
    found: list[Text | Output] = []
    position = 0
    for node in nodes:
        if isinstance(node, If | For):
            tag = node.branches[0] if isinstance(node, If) else node
            hint = "Write a choice as {{ a if condition else b }}, a list as {{ list | join(',') }}."
            raise _unsafe("a tag cannot stand in a header or a URL", hint, tag.start, tag.end).to_error()
        _no_gap(position, node.start)
        found.append(node)
        position = node.end
    _no_gap(position, len(text))
    return found


def _no_gap(start: int, end: int) -> None:
    if start < end:
        raise _unsafe("a comment, or a - that strips space, cannot stand in a header or a URL", "Remove it.", start, end).to_error()


def _compile(nodes: Sequence[Text | Output], text: str, filters: Mapping[str, Filter], place: Place) -> TextTemplate:
    literals, slots = [""], list[_Slot]()
    for node in nodes:
        if isinstance(node, Text):
            literals[-1] += node.text
        else:
            expression = node.expression
            slots.append(_Slot(text[expression.start : expression.end], expression.start, expression.end, evaluate(expression, text, filters)))
            literals.append("")
    return TextTemplate(tuple(literals), tuple(slots), place)


def _written(value: Value, words: str, place: Place) -> str:
    if isinstance(value, dict | list):
        raise _NotTextError(f"the value of {words} is {kind(value)}, which is no text", hint=_FIELD)
    text = value if isinstance(value, str) else to_json(value)
    if place == "header":
        if bad := _NOT_IN_A_HEADER.search(text):
            _refuse(f"the value of {words} holds the character U+{ord(bad[0]):04X}, which a header cannot carry")
        return text
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        _refuse(f"the value of {words} holds half a surrogate pair, which no UTF-8 text has")


def _refuse(message: str) -> Never:
    raise _NotTextError(message, hint="Send it in the body.")


def _place_problems(nodes: Sequence[Text | Output], text: str, place: Place) -> Iterator[TemplateProblem]:
    for node in nodes:
        if isinstance(node, Output):
            for match in REFERENCE.finditer(text, node.start, node.end):
                message, hint = "a secret reference inside an expression is not resolved", "Write it beside the expression."
                yield _error("secret-misplaced", message, hint, *match.span())
        elif (at := REFERENCE.sub(lambda match: "x" * len(match[0]), node.text).find("${")) >= 0:
            message, hint = "an expression cannot stand in a secret reference", "Write the whole reference out."
            yield _error("secret-malformed", message, hint, node.start + at, node.end)
    if place == "url":
        yield from _url_problems(nodes)


def _url_problems(nodes: Sequence[Text | Output]) -> Iterator[TemplateProblem]:
    """Expressions in the host, or in the name of a parameter: what a receiver is chosen by, and what it looks for, is fixed text."""
    # References become letters, since there may be / and ? in them.
    plain = _with_blanks(
        [replace(node, text=REFERENCE.sub(lambda match: "x" * len(match[0]), node.text)) if isinstance(node, Text) else node for node in nodes], _MARK
    )
    start = plain.find("://") + 3 if "://" in plain else 0
    authority = _AFTER_AUTHORITY.search(plain, start)
    end = authority.start() if authority else len(plain)
    query = plain.find("?", end)
    for node in nodes:
        if isinstance(node, Text):
            continue
        if node.start < end:
            hint = "Write scheme and host out: who receives an event is reviewed, never chosen by one."
            yield _error("url-host-invalid", "an expression may stand in the path and the query only", hint, node.start, node.end)
        elif 0 <= query < node.start and "=" not in _END_OF_PARAMETER.split(plain[query : node.start])[-1]:
            yield _unsafe("an expression stands in the name of a parameter", "Write name={{ ... }}, with the name as fixed text.", node.start, node.end)


def _advised(problem: TemplateProblem) -> TemplateProblem:
    """What is advised for a body may not stand here."""
    return replace(problem, hint="Give a default that can stand here, such as default('none').") if problem.rule == "template-optional-path" else problem


def _structured(expression: Expression, scope: Scope) -> Iterator[TemplateProblem]:
    """Expressions that can only be an object or a list by the schema."""
    match expression:
        case Path() if (types := scope.shape(expression).types) and types <= _STRUCTURED:
            what = " or ".join({"array": "a list", "object": "an object"}[name] for name in sorted(types))
            yield _error("template-not-text", f"{expression.text} is {what}, which is no text", _FIELD, expression.start, expression.end)
        case Filtered(name="default"):
            yield from _structured(expression.value, scope)
        case Choice():
            yield from _structured(expression.yes, scope)
            yield from _structured(expression.no, scope)
        case Logic():
            for operand in expression.operands:
                yield from _structured(operand, scope)
        case _:
            return


def _render_mock(template: TextTemplate, event_type: EventSchema, known: Sequence[TemplateProblem], length: int) -> list[TemplateProblem]:
    """The mock event shows what the schema does not."""
    try:
        template.render(event_type.mock)
    except RenderError as error:
        if any(problem.rule == "template-optional-path" and error.start <= problem.start < (error.end or length) for problem in known):
            return []  # the warning says already that there may be no value
        rule = "template-not-text" if isinstance(error, _NotTextError) else "template-filter"
        message = f"the mock event of {event_type.name} cannot be sent so: {error.message}"
        return [_error(rule, message, error.hint, error.start, error.end or length)]
    return []


def _unsafe(message: str, hint: str, start: int, end: int) -> TemplateProblem:
    return _error("template-unsafe", message, hint, start, end)


def _error(rule: str, message: str, hint: str, start: int, end: int) -> TemplateProblem:
    return TemplateProblem(rule=rule, is_error=True, message=message, hint=hint, start=start, end=end)
