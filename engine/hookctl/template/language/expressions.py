"""The syntax tree of a template, which defines everything that a template can contain.

What is not here cannot be written: no attribute of a Python object, no call, no import, no macro. Two nodes are equal
if they mean the same, wherever they are: offsets are not compared, so the proof recognizes a repeated condition.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hookctl.json.paths import Step, path_text
from hookctl.model import Json


@dataclass(frozen=True, slots=True)
class Const:
    """A constant. Compared by its JSON text, so ``true`` and ``1`` differ."""

    text: str
    value: Json = field(compare=False)
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Path:
    """A name and the steps from it: ``data.groups[0].name``."""

    root: str
    steps: tuple[Step, ...]
    start: int = field(compare=False)
    end: int = field(compare=False)

    @property
    def text(self) -> str:
        """The path as an author would write it."""
        return path_text(self.root, self.steps)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list in the template: ``['High', 'Medium']``."""

    items: tuple[Expression, ...]
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class DictOf:
    """An object written in the template: ``{'High': 'critical'}``. Its keys are constants."""

    keys: tuple[Const, ...]
    values: tuple[Expression, ...]
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Item:
    """``value[key]``, where the value is not a path or the key is not a constant.

    If the value is a :class:`DictOf`, the key may be any constant, because its keys are compared one by one.
    """

    value: Expression
    key: Expression
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Slice:
    """``value[first:stop]`` of a list or a string. None for a bound that is not written."""

    value: Expression
    first: int | None
    stop: int | None
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Operands joined from left to right by ``+ -`` or by ``* / // %``.

    There is one operator fewer than there are operands, or as many, if the first is a sign.
    """

    operators: tuple[str, ...]
    operands: tuple[Expression, ...]
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Concat:
    """``a ~ b``: the text of the values, joined."""

    parts: tuple[Expression, ...]
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An expression with an error that is already reported. It counts as one value; nothing else is known of it."""

    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Filtered:
    """A value passed to a filter: ``value | name(arguments)``."""

    value: Expression
    name: str
    arguments: tuple[Expression, ...]
    keywords: tuple[tuple[str, Expression], ...]
    name_start: int = field(compare=False)
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """Two values compared by ``==``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``in`` or ``not in``."""

    operator: str
    left: Expression
    right: Expression
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Test:
    """``value is defined``, ``value is none``, ``value is string`` and so on; ``TESTS`` has the names."""

    name: str
    value: Expression
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """``not value``."""

    value: Expression
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Logic:
    """Operands joined by ``and`` or by ``or``. As in Python, the value is one of the operands."""

    operator: str
    operands: tuple[Expression, ...]
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """``yes if condition else no``."""

    condition: Expression
    yes: Expression
    no: Expression
    start: int = field(compare=False)
    end: int = field(compare=False)
    has_else: bool = True
    """False for ``yes if condition``, where ``no`` is the empty text. Only text in a string can be written so."""


def constant(value: Json, start: int, end: int) -> Const:
    """A constant of a finite number, a text, true, false or null."""
    return Const(json.dumps(value, ensure_ascii=False), value, start, end)


TESTS = frozenset(
    {
        *("defined", "undefined", "none", "true", "false", "boolean", "string", "number", "integer", "float"),
        *("mapping", "sequence", "iterable"),
    }
)
"""The names of tests without an argument."""

Expression = (
    Const
    | Path
    | ListOf
    | DictOf
    | Item
    | Slice
    | Arithmetic
    | Concat
    | Unreadable
    | Filtered
    | Compare
    | Test
    | Not
    | Logic
    | Choice
)


@dataclass(frozen=True, slots=True)
class Text:
    """Text between expressions and tags, after whitespace control."""

    text: str
    start: int
    end: int
    exact: bool = True
    """False for text that was taken out of a string. Its offsets are then those of the whole string content."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The offsets in the template of characters ``start`` to ``end`` of this text."""
        return (self.start + start, self.start + end) if self.exact else (self.start, self.end)


@dataclass(frozen=True, slots=True)
class Output:
    """``{{ expression }}``."""

    expression: Expression
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch of an ``if``: its condition (None for ``else``), its body, and the offsets of its tag."""

    condition: Expression | None
    body: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class If:
    """``{% if %}`` with all its branches."""

    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class For:
    """``{% for %}``: one target, or two for key and value."""

    targets: tuple[str, ...]
    iterable: Expression
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]
    """The body of ``{% else %}``, which is rendered if there is no item."""
    start: int
    end: int
    condition: Expression | None = None
    """Of ``for x in xs if condition``: items for which it is false are left out, and ``loop`` does not count them."""


Node = Text | Output | If | For


def _of_if(node: If) -> tuple[Node | Expression, ...]:
    found: list[Node | Expression] = []
    for branch in node.branches:
        if branch.condition is not None:
            found.append(branch.condition)
        found += branch.body
    return tuple(found)


def _present(expression: Expression | None) -> tuple[Expression, ...]:
    return () if expression is None else (expression,)


_CHILDREN: Mapping[type, Callable[[Any], tuple[Node | Expression, ...]]] = {
    Const: lambda _: (),
    Path: lambda _: (),
    Text: lambda _: (),
    Unreadable: lambda _: (),
    ListOf: lambda part: part.items,
    DictOf: lambda part: part.values,
    Item: lambda part: (part.value, part.key),
    Slice: lambda part: (part.value,),
    Arithmetic: lambda part: part.operands,
    Concat: lambda part: part.parts,
    Filtered: lambda part: (part.value, *part.arguments, *(value for _, value in part.keywords)),
    Compare: lambda part: (part.left, part.right),
    Test: lambda part: (part.value,),
    Not: lambda part: (part.value,),
    Logic: lambda part: part.operands,
    Choice: lambda part: (part.condition, part.yes, part.no),
    Output: lambda part: (part.expression,),
    If: _of_if,
    For: lambda part: (part.iterable, *_present(part.condition), *part.body, *part.otherwise),
}
"""The fields that hold nodes, by type. Cached, because every check of a template walks through it several times."""


def children(part: Node | Expression) -> tuple[Node | Expression, ...]:
    """The nodes and expressions directly inside a node or expression; a filter's value comes before its arguments."""
    return _CHILDREN[type(part)](part)


def operands(expression: Expression) -> tuple[Expression, ...]:
    """As :func:`children`, for an expression, which contains only expressions."""
    found: tuple[Expression, ...] = _CHILDREN[type(expression)](expression)  # type: ignore[assignment] # see above
    return found


def walk(*parts: Node | Expression) -> Iterator[Node | Expression]:
    """The given nodes and expressions and all nodes in them, parents before children."""
    pending = list(parts[::-1])
    while pending:
        part = pending.pop()
        yield part
        pending += _CHILDREN[type(part)](part)[::-1]
