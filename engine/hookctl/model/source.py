"""Positions in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""A JSON value, as ``json.loads`` returns it."""

Pointer = tuple[str | int, ...]
"""A path into a JSON value: object keys and list indices. ``()`` is the whole value."""


@dataclass(frozen=True, slots=True)
class Span:
    """A range in a file. Lines and columns count from 1, columns in Unicode characters; the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A text file that was read."""

    path: str
    """The path as the user would write it: relative if it was given as a relative path."""
    text: str

    def line(self, number: int) -> str:
        """Line ``number`` (from 1) without its line break; empty past the end."""
        lines = self.text.split("\n")
        return lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else ""


class Positions(Protocol):
    """Finds the parts of one YAML document in its file. Every method falls back to the nearest enclosing part."""

    def key(self, pointer: Pointer) -> Span:
        """The position of the key of ``pointer``; for a list item, of the item."""
        ...

    def value(self, pointer: Pointer) -> Span:
        """The position of the value of ``pointer``."""
        ...

    def within(self, pointer: Pointer, start: int, end: int) -> Span:
        """The position of the characters ``start`` to ``end`` (exclusive) of the string at ``pointer``.

        Exact in literal block scalars and in scalars of one line without escapes; elsewhere the whole value.
        """
        ...


class _Nowhere:
    """Positions for values that do not come from a YAML file, such as a table of settings."""

    def key(self, pointer: Pointer) -> Span:
        return self.value(pointer)

    def value(self, pointer: Pointer) -> Span:  # noqa: ARG002 - all are one
        return Span(1, 1, 1, 1)

    def within(self, pointer: Pointer, start: int, end: int) -> Span:  # noqa: ARG002 - all are one
        return self.value(pointer)


NOWHERE = _Nowhere()


@dataclass(frozen=True, slots=True)
class Ignore:
    """A comment in which an author ignores warnings: ``# hookctl: ignore[rule-id] reason``."""

    rules: tuple[tuple[str, Span], ...]
    """The ids of rules as they are written, each with its position; empty if the comment does not have that form."""
    reason: str
    """Empty if the author gives none."""
    span: Span
    """The comment."""
    first: int
    """The first line that it covers, from 1."""
    last: int
    """The last line that it covers; less than ``first`` if it covers none."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a part of a webhook is written."""

    file: SourceFile
    positions: Positions


@dataclass(frozen=True, slots=True)
class Contribution:
    """A field of a webhook that is not in its own file."""

    field: str
    """Such as ``headers.X-Team``."""
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Webhook:
    """What an author wrote: one YAML document. Its fields are unchecked until ``check`` has found no error."""

    file: SourceFile
    number: int
    """Which document of the file, from 1."""
    fields: Mapping[str, Json]
    positions: Positions
    unread: tuple[Pointer, ...] = ()
    """Places whose value could not be read. A finding of ``load`` gives the reason, and ``check`` skips them."""
    ignores: tuple[Ignore, ...] = ()
    """The comments that ignore warnings about it."""
    origins: Mapping[Pointer, Origin] = field(default_factory=dict)
    """Where fields, or keys of a field, are written that are not in its own file, because they are defaults."""

    def origin(self, pointer: Pointer) -> Origin:
        """Where the value at a place is written."""
        for length in (1, 2) if self.origins else ():
            if pointer[:length] in self.origins:
                return self.origins[pointer[:length]]
        return Origin(self.file, self.positions)

    @property
    def name(self) -> str:
        """The name as written; empty where it is missing or not a string."""
        name = self.fields.get("name")
        return name if isinstance(name, str) else ""
