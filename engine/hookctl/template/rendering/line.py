"""Renders expressions in a header's value, in a URL's path and query, and in a form field.

A value of the event is text here, and cannot change anything outside its place. Only outputs are allowed, no tags. The
text around them is kept in separate pieces, so that secret references are resolved only in that text and never in a
value of an event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Never
from urllib.parse import quote

from hookctl.errors import RenderError
from hookctl.model import Json
from hookctl.model.problem import Filter
from hookctl.model.secret import REFERENCE, Resolve, put_in, without_references
from hookctl.network.url import MAX_URL_LENGTH
from hookctl.template.language.expressions import Text
from hookctl.template.language.line_syntax import (
    Nodes,
    Place,
    has_expression,
    in_query_value,
    parse_line,
    place_problems,
)
from hookctl.template.language.usage import check_usage
from hookctl.template.language.values import MAX_OUTPUT, Missing, Value, kind, to_json
from hookctl.template.rendering.evaluation import Evaluate, Frame, evaluate, raise_missing

MAX_HEADER = 8192
"""The maximum number of characters of a header's value: more than most servers accept."""

_LIMITS: Mapping[Place, int] = {"header": MAX_HEADER, "url": MAX_URL_LENGTH, "form": MAX_OUTPUT}

_NOT_IN_A_HEADER = re.compile(r"[^\x20-\x7e\xa0-\xff]")
_NO_SEGMENT = re.compile(r"(?:\.|%2e){0,2}(?:;.*)?", re.IGNORECASE)
"""A path segment that is empty, or that some clients and servers drop. Some ignore the text after a semicolon."""
_MARK = "\0"
"""A placeholder for a value; no URL contains it."""
NO_TEXT = "Write one of its fields, or use the filter join, length or tojson."


class NotTextError(RenderError):
    """A value that is not allowed at its place."""


@dataclass(frozen=True, slots=True)
class _Slot:
    """One expression: its text, and the function that returns its value."""

    words: str
    start: int
    end: int
    value: Evaluate


@dataclass(frozen=True, slots=True)
class TextTemplate:
    """A compiled header value, URL or form field: text, value, text, ..., text."""

    literals: tuple[str, ...]
    """The fixed text around the values: one piece more than there are values."""
    _slots: tuple[_Slot, ...]
    _place: Place

    @property
    def is_fixed(self) -> bool:
        """True if there is no expression, so that every event gives the same text."""
        return not self._slots

    def with_text(self, change: Callable[[str], str]) -> TextTemplate:
        """A copy with each piece of fixed text changed, for example with secret references resolved."""
        return replace(self, literals=tuple(change(literal) for literal in self.literals))

    def with_secrets(self, resolve: Resolve) -> TextTemplate:
        """The same with secrets in place of the references in written text.

        In the value of a URL's parameter a secret is percent-encoded. Anywhere else it is inserted as it is: it may be
        several segments of the path, or the whole query.
        """
        if self._place != "url":
            return self.with_text(lambda text: put_in(text, resolve))
        url, literals, before = _MARK.join(map(without_references, self.literals)), list[str](), 0
        for literal in self.literals:

            def secret(match: re.Match[str], before: int = before) -> str:
                text = put_in(match[0], resolve)
                return quote(text, safe="") if in_query_value(url, before + match.start()) else text

            literals.append(REFERENCE.sub(secret, literal))
            before += len(literal) + len(_MARK)
        return replace(self, literals=tuple(literals))

    def values(self, document: Mapping[str, Json]) -> tuple[str, ...]:
        """The text of each value for an event's whole document, encoded for its place.

        Raises:
            RenderError: The event lacks a value without a default, or a value is an object or a list, or contains a
                character that cannot be sent.
        """
        frame = Frame(dict(document))
        return tuple(self._value(slot, frame) for slot in self._slots)

    def fill(self, values: Sequence[str]) -> str:
        """The text with these values inserted."""
        pieces = [piece for pair in zip(self.literals, values, strict=False) for piece in pair]
        text = "".join([*pieces, self.literals[-1]])
        return text.strip() if self._slots and self._place == "header" else text  # HTTP ignores spaces around a value

    def vetted(self, values: Sequence[str]) -> str:
        """As :meth:`fill`, but checks the result.

        Raises RenderError if the text is too long, or a path segment would be empty, ``.`` or ``..``.
        """
        text = self.fill(values)
        if self._slots and len(text) > (limit := _LIMITS[self._place]):
            raise NotTextError(f"it would be longer than {limit} characters", hint="Use less of the event in it.")
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
            raise RenderError(
                "a value is nested too deeply to check", hint="The event's publisher must send it with less nesting."
            ) from None
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
                message = f"the value of {slot.words} would make a path segment empty, . or .., which changes the path"
                raise NotTextError(
                    message, hint="Give a default, or write text next to it.", start=slot.start, end=slot.end
                )
            number += before.count(_MARK)


def compile_text(text: str, filters: Mapping[str, Filter], place: Place) -> TextTemplate:
    """The compiled text. Text without expressions is used as it is.

    Raises:
        TemplateError: The first error of :func:`check_text` in the text, except errors about paths.
    """
    if not has_expression(text):
        return TextTemplate((text,), (), place)
    nodes = parse_line(text)
    errors = [
        problem for problem in [*place_problems(nodes, text, place), *check_usage(nodes, filters)] if problem.is_error
    ]
    if errors:
        raise min(errors, key=lambda problem: problem.start).to_error()
    return compile_line(nodes, text, filters, place)


def compile_line(nodes: Nodes, text: str, filters: Mapping[str, Filter], place: Place) -> TextTemplate:
    """The template of nodes that passed every check."""
    literals, slots = [""], list[_Slot]()
    for node in nodes:
        if isinstance(node, Text):
            literals[-1] += node.text
        else:
            expression = node.expression
            slots.append(
                _Slot(
                    text[expression.start : expression.end],
                    expression.start,
                    expression.end,
                    evaluate(expression, text, filters),
                )
            )
            literals.append("")
    return TextTemplate(tuple(literals), tuple(slots), place)


def _written(value: Value, words: str, place: Place) -> str:
    if isinstance(value, dict | list):
        raise NotTextError(f"the value of {words} is {kind(value)}, which is not text", hint=NO_TEXT)
    text = value if isinstance(value, str) else to_json(value)
    if place == "header":
        if bad := _NOT_IN_A_HEADER.search(text):
            _refuse(f"the value of {words} contains the character U+{ord(bad[0]):04X}, which a header cannot contain")
        return text
    if place == "form":
        return text  # the whole value is encoded when its secrets have been put in
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        _refuse(f"the value of {words} contains an unpaired surrogate, which UTF-8 cannot encode")


def _refuse(message: str) -> Never:
    raise NotTextError(message, hint="Send it in the body.")
