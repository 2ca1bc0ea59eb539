"""Applies a parsed JSON path to a response, and spends a step for each value, selector and filter that it visits.

The library only parses. Its own evaluation is unbounded: `$.data[0,0][0,0]...` selects twice as many values with each
segment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jsonpath_rfc9535 import JSONPathQuery
from jsonpath_rfc9535 import filter_expressions as filters
from jsonpath_rfc9535.segments import JSONPathRecursiveDescentSegment
from jsonpath_rfc9535.selectors import FilterSelector, IndexSelector, NameSelector, SliceSelector, WildcardSelector
from jsonpath_rfc9535.serialize import canonical_string

from hookctl.bounded import Budget
from hookctl.json.equality import is_equal
from hookctl.json.kinds import is_number
from hookctl.model import Json
from hookctl_plugins.validator.iregexp import COMPILING, compile_iregexp

if TYPE_CHECKING:
    from hookctl.bounded.regular_expression import Pattern

NOTHING = filters.NOTHING
"""The value of a query that selects nothing. It equals only itself."""


def calls(query: JSONPathQuery) -> Iterator[filters.FunctionExtension]:
    """Every call of a function in the filters of a query, at any depth."""
    pending: list[Any] = [query]
    while pending:
        match pending.pop():
            case JSONPathQuery() as inner:
                selectors = (selector for segment in inner.segments for selector in segment.selectors)
                pending += [selector.expression for selector in selectors if isinstance(selector, FilterSelector)]
            case filters.FilterExpression() as outer:
                pending.append(outer.expression)
            case filters.PrefixExpression() as negation:
                pending.append(negation.right)
            case filters.LogicalExpression() | filters.ComparisonExpression() as pair:
                pending += [pair.left, pair.right]
            case filters.FilterQuery() as nested:
                pending.append(nested.query)
            case filters.FunctionExtension() as call:
                yield call
                pending += call.args


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the response, and its place."""

    value: Any
    parent: Node | None = None
    key: str | int = ""

    def path(self) -> str:
        """The normalized path of RFC 9535: ``$['data'][0]``."""
        steps: list[str] = []
        node = self
        while node.parent is not None:
            steps.append(f"[{canonical_string(node.key)}]" if isinstance(node.key, str) else f"[{node.key}]")
            node = node.parent
        return "$" + "".join(reversed(steps))


class Finder:
    """Evaluates queries on one document. Every method raises BudgetError when no step is left."""

    def __init__(self, document: Json, budget: Budget, patterns: Mapping[str, Pattern | None]) -> None:
        """``patterns`` are those that the path itself contains; others are compiled when they are needed."""
        self._root = document
        self._budget = budget
        self._patterns = dict(patterns)

    def select(self, query: JSONPathQuery, start: Node) -> list[Node]:
        """The nodes that a query selects from ``start``, in the order of RFC 9535."""
        nodes = [start]
        for segment in query.segments:
            is_descendant = isinstance(segment, JSONPathRecursiveDescentSegment)
            reached = (inner for node in nodes for inner in (self._descend(node) if is_descendant else (node,)))
            nodes = [
                found for node in reached for selector in segment.selectors for found in self._selected(selector, node)
            ]
        return nodes

    def _descend(self, start: Node) -> Iterator[Node]:
        """``start`` and every list and object in it, parents before children."""
        pending = [start]
        while pending:
            node = pending.pop()
            yield node
            pending += [child for child in self._children(node) if isinstance(child.value, dict | list)][::-1]

    def _children(self, node: Node) -> Iterator[Node]:
        value = node.value
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in items:
            self._budget.spend(1)
            yield Node(item, node, key)

    def _selected(self, selector: Any, node: Node) -> Iterator[Node]:
        self._budget.spend(1)
        value = node.value
        match selector:
            case NameSelector() if isinstance(value, dict) and selector.name in value:
                yield Node(value[selector.name], node, selector.name)
            case IndexSelector() if isinstance(value, list) and -len(value) <= selector.index < len(value):
                yield Node(value[selector.index], node, selector.index % len(value))
            case SliceSelector() if isinstance(value, list) and selector.slice.step != 0:
                for index in range(*selector.slice.indices(len(value))):
                    self._budget.spend(1)
                    yield Node(value[index], node, index)
            case WildcardSelector():
                yield from self._children(node)
            case FilterSelector():
                yield from (child for child in self._children(node) if self._holds(selector.expression, child.value))

    def _holds(self, expression: Any, current: Any) -> bool:
        """Whether a filter accepts a value. A query accepts it if it selects anything, even false or null."""
        self._budget.spend(1)
        match expression:
            case filters.FilterExpression():
                return self._holds(expression.expression, current)
            case filters.PrefixExpression():
                return not self._holds(expression.right, current)
            case filters.LogicalExpression():
                sides = (self._holds(side, current) for side in (expression.left, expression.right))
                return all(sides) if expression.operator == "&&" else any(sides)
            case filters.ComparisonExpression():
                left, right = self._value(expression.left, current), self._value(expression.right, current)
                self._budget.weigh(left)
                self._budget.weigh(right)
                return _compared(left, expression.operator, right)
            case filters.FilterQuery():
                return bool(self._queried(expression, current))
        return bool(self._value(expression, current))

    def _matches(self, expression: Any, current: Any) -> bool:
        """The result of ``match()`` or ``search()``: false if an argument is not text or not a regular expression."""
        text, pattern = (self._value(argument, current) for argument in expression.args)
        if not isinstance(text, str) or not isinstance(pattern, str):
            return False
        if pattern not in self._patterns:
            self._budget.spend(COMPILING)
            self._patterns[pattern] = compile_iregexp(pattern)
        compiled = self._patterns[pattern]
        if compiled is None:
            return False
        if expression.name == "match":
            return compiled.is_all_of(text, self._budget)
        return compiled.find(text, self._budget) is not None

    def _value(self, expression: Any, current: Any) -> Any:
        """The value of an operand of a comparison, or of an argument; ``NOTHING`` if there is none."""
        self._budget.spend(1)
        match expression:
            case filters.FilterQuery():
                nodes = self._queried(expression, current)
                return nodes[0].value if len(nodes) == 1 else NOTHING
            case filters.FunctionExtension(name="length"):
                value = self._value(expression.args[0], current)
                return len(value) if isinstance(value, str | list | dict) else NOTHING
            case filters.FunctionExtension(name="count"):
                return len(self._queried(expression.args[0], current))
            case filters.FunctionExtension(name="value"):
                return self._value(expression.args[0], current)
            case filters.FunctionExtension(name="match" | "search"):
                return self._matches(expression, current)
            case filters.FilterExpressionLiteral():
                return expression.value
        raise NotImplementedError(type(expression).__name__)

    def _queried(self, expression: Any, current: Any) -> Sequence[Node]:
        start = self._root if isinstance(expression, filters.RootFilterQuery) else current
        return self.select(expression.query, Node(start))


def _compared(left: Any, operator: str, right: Any) -> bool:
    if operator in {"==", "!="}:
        return _equal(left, right) is (operator == "==")
    if operator in {">", ">="}:
        left, right, operator = right, left, {">": "<", ">=": "<="}[operator]
    return _before(left, right) or (operator == "<=" and _equal(left, right))


def _equal(left: Any, right: Any) -> bool:
    return left is right if left is NOTHING or right is NOTHING else is_equal(left, right)


def _before(left: Any, right: Any) -> bool:
    """The result of an ordering comparison. Only two numbers or two strings have an order."""
    if is_number(left) and is_number(right):
        return left < right
    return isinstance(left, str) and isinstance(right, str) and left < right
