"""The syntax tree of a template: the allow-list of what a template can say.

What is not here cannot be said: no attribute, no call, no arithmetic, no assignment, no import. Nodes are equal when they
say the same, wherever they stand: their offsets are not compared, so that a condition is known again when it is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hookctl.json.paths import Step, path_text
from hookctl.model import Json


@dataclass(frozen=True, slots=True)
class Const:
    """A constant. Compared by its JSON text: ``true`` and ``1`` are two constants."""

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
        """As an author would write it."""
        return path_text(self.root, self.steps)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list written in the template: ``['High', 'Medium']``."""

    items: tuple[Expression, ...]
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Filtered:
    """A value given to a filter: ``value | name(arguments)``."""

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
    """``value is defined`` or ``value is none``."""

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
    """Operands joined by ``and`` or by ``or``; as in Python, the value is an operand."""

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


Expression = Const | Path | ListOf | Filtered | Compare | Test | Not | Logic | Choice


@dataclass(frozen=True, slots=True)
class Text:
    """Text between expressions and tags, after whitespace control."""

    text: str
    start: int
    end: int
    exact: bool = True
    """False for text that was taken out of a string: its offsets are those of the whole stretch."""

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
    """One way through an ``if``: its condition (None for ``else``), its body, and where its tag stands."""

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
    """The body of ``{% else %}``: rendered when there is no item."""
    start: int
    end: int


Node = Text | Output | If | For


def children(part: Node | Expression) -> tuple[Node | Expression, ...]:
    """The nodes and expressions directly inside a node or an expression, in the order of evaluation."""
    match part:
        case Output():
            return (part.expression,)
        case If():
            return tuple(
                inner
                for branch in part.branches
                for inner in ((branch.condition, *branch.body) if branch.condition is not None else branch.body)
            )
        case For():
            return (part.iterable, *part.body, *part.otherwise)
        case Text():
            return ()
    return operands(part)


def operands(expression: Expression) -> tuple[Expression, ...]:
    """The expressions directly inside an expression. A filter's value comes first, then its arguments."""
    found: tuple[Expression, ...] = ()
    if isinstance(expression, ListOf):
        found = expression.items
    elif isinstance(expression, Filtered):
        found = (expression.value, *expression.arguments, *(value for _, value in expression.keywords))
    elif isinstance(expression, Compare):
        found = (expression.left, expression.right)
    elif isinstance(expression, (Test, Not)):
        found = (expression.value,)
    elif isinstance(expression, Logic):
        found = expression.operands
    elif isinstance(expression, Choice):
        found = (expression.condition, expression.yes, expression.no)
    return found


def walk(*parts: Node | Expression) -> Iterator[Node | Expression]:
    """The nodes and expressions given, and everything in them, each before what it holds."""
    for part in parts:
        yield part
        yield from walk(*children(part))
