"""Turns one expression of Jinja's parser into ours."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from jinja2 import nodes as jinja

from hookctl.errors import TemplateError
from hookctl.json.paths import Step
from hookctl.model.rules.texts import TEMPLATE_SYNTAX, TEMPLATE_TOO_LARGE, TEMPLATE_UNSAFE
from hookctl.template.language.calls import refused_call
from hookctl.template.language.expressions import (
    TESTS,
    Arithmetic,
    Choice,
    Compare,
    Concat,
    Const,
    DictOf,
    Expression,
    Filtered,
    Item,
    ListOf,
    Logic,
    Not,
    Path,
    Slice,
    Test,
    Unreadable,
    constant,
)
from hookctl.template.language.jinja_operators import COMPARING_TESTS, MATH, OPERATORS
from hookctl.template.language.replacements import test_advice
from hookctl.template.language.token_table import Tokens
from hookctl.template.language.tokens import HOLE
from hookctl.template.language.words import CONSTANTS, KEYWORDS

MAX_DEPTH = 25
"""Choices, ``not`` and signs inside one another."""


class ExpressionConverter:
    """Converts the expressions of one template."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._depth = 0
        self.allowed: Mapping[type, Callable[[Any], Expression]] = {
            jinja.Name: self._name,
            jinja.Const: self._const,
            jinja.List: self._list,
            jinja.Tuple: self._tuple,
            jinja.Dict: self._dict,
            jinja.Getattr: self._getattr,
            jinja.Getitem: self._getitem,
            jinja.Filter: self._filter,
            jinja.Test: self._test,
            jinja.Not: self._not,
            jinja.And: self._logic,
            jinja.Or: self._logic,
            jinja.Compare: self._compare,
            **dict.fromkeys(MATH, self._arithmetic),
            jinja.Neg: self._sign,
            jinja.Pos: self._sign,
            jinja.Concat: self._concat,
            jinja.CondExpr: self._choice,
            jinja.Call: self._call,
        }

    def convert(self, node: Any) -> Expression:
        """The expression of a node.

        Raises:
            TemplateError: templates do not have the construct, or it is nested too deeply; it says where.
        """
        handler = self.allowed.get(type(node))
        if handler is None:
            if isinstance(node, jinja.Pow):
                raise self._refused_power(node)
            number = node.lineno
            start, end = self._tokens.starts[number], self._tokens.ends[number]
            raise _unsafe(start, end, f"templates do not have {type(node).__name__}", "Remove it.")
        return handler(node)

    def _nested(self, node: Any) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            number = node.lineno
            raise TEMPLATE_TOO_LARGE.error(
                self._tokens.starts[number],
                self._tokens.ends[number],
                what=f"the expression is nested deeper than {MAX_DEPTH}",
                fix="Split it.",
            )
        try:
            return self.convert(node)
        finally:
            self._depth -= 1

    def _span(self, number: int) -> tuple[int, int]:
        """The offsets of one token."""
        return self._tokens.starts[number], self._tokens.ends[number]

    def _outer(self, part: Expression) -> tuple[int, int]:
        """The offsets of an expression with the parentheses around it, which no node keeps."""
        start, end = part.start, part.end
        tokens = self._tokens
        if not tokens.groups:
            return start, end
        first, last = bisect_left(tokens.starts, start), bisect_left(tokens.ends, end)
        while first - 1 in tokens.groups and tokens.partners[first - 1] == last + 1:
            first, last = first - 1, last + 1
            start, end = tokens.starts[first], tokens.ends[last]
        return start, end

    def _end_of_call(self, number: int) -> int:
        """The end of a name and its arguments, if it has any."""
        tokens = self._tokens
        while tokens.stream[number + 1].type == "dot":
            number += 2
        return tokens.ends[tokens.partners[number + 1] if tokens.stream[number + 1].type == "lparen" else number]

    def _name(self, node: jinja.Name) -> Expression:
        start, end = self._span(node.lineno)
        if node.name == HOLE:
            return Unreadable(start, end)
        root, *steps = node.name.split(".")
        if root in CONSTANTS and not steps:
            return constant(CONSTANTS[root], start, end)
        if root in KEYWORDS or root in CONSTANTS:
            raise _syntax(start, start + len(root), "a value is missing", f"Write a name in place of {root!r}.")
        return Path(root, tuple(steps), start, end)

    def _const(self, node: jinja.Const) -> Expression:
        number = last = node.lineno
        while self._tokens.stream[number].type == "string" and self._tokens.stream[last + 1].type == "string":
            last += 1  # Jinja joins texts that follow one another
        return constant(node.value, self._tokens.starts[number], self._tokens.ends[last])

    def _list(self, node: jinja.List) -> Expression:
        end = self._tokens.ends[self._tokens.partners[node.lineno]]
        return ListOf(tuple(map(self.convert, node.items)), self._tokens.starts[node.lineno], end)

    def _tuple(self, node: jinja.Tuple) -> Expression:
        items = tuple(map(self.convert, node.items))
        if not items or node.lineno - 1 < 0:
            start, end = self._span(node.lineno)
            raise _syntax(start, end, "an empty tuple is not a value", "Write [] for an empty list.")
        start, end = items[0].start, items[-1].end
        first = bisect_left(self._tokens.starts, start)
        if first - 1 not in self._tokens.groups:
            raise _syntax(start, end, "several values stand side by side", "Write a list: [a, b].")
        return ListOf(items, self._tokens.starts[first - 1], self._tokens.ends[self._tokens.partners[first - 1]])

    def _dict(self, node: jinja.Dict) -> Expression:
        keys = [self.convert(pair.key) for pair in node.items]
        for key in keys:
            if not isinstance(key, Const):
                raise _unsafe(key.start, key.end, "a key of an object must be a constant", 'Write {"key": value}.')
        end = self._tokens.ends[self._tokens.partners[node.lineno]]
        values = tuple(self.convert(pair.value) for pair in node.items)
        return DictOf(
            tuple(key for key in keys if isinstance(key, Const)), values, self._tokens.starts[node.lineno], end
        )

    def _getattr(self, node: jinja.Getattr) -> Expression:
        return self._stepped(node.node, tuple(node.attr.split(".")), self._tokens.ends[node.lineno + 1])

    def _getitem(self, node: jinja.Getitem) -> Expression:
        bracket = node.lineno
        is_dot = self._tokens.stream[bracket].type == "dot"
        end = self._tokens.ends[bracket + 1 if is_dot else self._tokens.partners[bracket]]
        if isinstance(node.arg, jinja.Slice):
            return self._slice(node.node, node.arg, end)
        if isinstance(node.arg, jinja.Tuple):
            fix = "Write a[\"key\"] or a[0]; for a field of each item, data.alerts | map(attribute='name') | list."
            raise _syntax(self._tokens.starts[bracket], end, "[ ] takes one key or index", fix)
        key = self.convert(node.arg)
        step = key.value if isinstance(key, Const) else None
        if isinstance(step, (str, int)) and not isinstance(step, bool) and not isinstance(node.node, jinja.Dict):
            return self._stepped(node.node, (step,), end)
        if isinstance(key, Const) and not isinstance(node.node, jinja.Dict):
            raise _syntax(key.start, key.end, f"{key.text} is not a key or an index", 'Write a["key"] or a[0].')
        value = self.convert(node.node)
        return Item(value, key, self._outer(value)[0], end)

    def _stepped(self, node: Any, steps: tuple[Step, ...], end: int) -> Expression:
        value = self.convert(node)
        if isinstance(value, Path):
            return Path(value.root, value.steps + steps, value.start, end)
        start = self._outer(value)[0]
        for step in steps:
            value = Item(value, constant(step, start, end), start, end)
        return value

    def _slice(self, node: Any, bounds: jinja.Slice, end: int) -> Expression:
        value = self.convert(node)
        start = self._outer(value)[0]
        if bounds.step is not None:
            raise _unsafe(start, end, "a slice has no step", "Write [first:stop]; for the other order use | reverse.")
        numbers: list[int | None] = []
        for bound in (bounds.start, bounds.stop):
            part = None if bound is None else self.convert(bound)
            number = part.value if isinstance(part, Const) else None
            if part is not None and type(number) is not int:
                raise _unsafe(part.start, part.end, "the bound of a slice must be a whole number", "Write [:10].")
            numbers.append(number if type(number) is int else None)
        return Slice(value, numbers[0], numbers[1], start, end)

    def _filter(self, node: jinja.Filter) -> Expression:
        name_start, name_end = self._span(node.lineno)
        if node.node is None or node.dyn_args is not None or node.dyn_kwargs is not None:
            raise _unsafe(name_start, name_end, "arguments cannot be unpacked with *", "Write each argument.")
        value = self.convert(node.node)
        return Filtered(
            value,
            node.name,
            tuple(map(self.convert, node.args)),
            tuple((str(keyword.key), self.convert(keyword.value)) for keyword in node.kwargs),
            name_start,
            self._outer(value)[0],
            self._end_of_call(node.lineno),
        )

    def _test(self, node: jinja.Test) -> Expression:
        number = node.lineno + 1
        number += self._tokens.stream[number].value == "not"
        value = self.convert(node.node)
        arguments = [self.convert(argument) for argument in node.args or ()]
        start = self._outer(value)[0]
        end = max([self._end_of_call(number), *(self._outer(argument)[1] for argument in arguments)])
        name = node.name if node.name in COMPARING_TESTS else node.name.lower()
        if name in COMPARING_TESTS and len(arguments) == 1 and not node.kwargs:
            return Compare(COMPARING_TESTS[name], value, arguments[0], start, end)
        if name in TESTS and not arguments and not node.kwargs:
            return Test(name, value, start, end)
        if name in TESTS:
            raise _syntax(
                start, end, f"the test {name} has no argument", "Put the test in parentheses, or join with and."
            )
        raise _syntax(*self._span(number), f"there is no test {node.name!r}", test_advice(node.name))

    def _not(self, node: jinja.Not) -> Expression:
        count = 0
        inner: Any = node
        while isinstance(inner, jinja.Not):
            count, inner = count + 1, inner.node
        value = self._nested(inner)
        start, end = self._outer(value)
        if self._tokens.stream[node.lineno].value == "not":  # `is not` keeps the number of its `is`
            start = self._tokens.starts[node.lineno]
        return Not(value if count % 2 else Not(value, start, end), start, end)

    def _logic(self, node: jinja.BinExpr) -> Expression:
        parts: list[Any] = []
        left: Any = node
        while type(left) is type(node):
            parts.append(left.right)
            left = left.left
        operands = [self.convert(part) for part in (left, *reversed(parts))]
        word = "and" if isinstance(node, jinja.And) else "or"
        return Logic(word, tuple(operands), self._outer(operands[0])[0], self._outer(operands[-1])[1])

    def _compare(self, node: jinja.Compare) -> Expression:
        values = [self.convert(node.expr), *(self.convert(operand.expr) for operand in node.ops)]
        pairs = [
            Compare(OPERATORS[operand.op], left, right, self._outer(left)[0], self._outer(right)[1])
            for operand, left, right in zip(node.ops, values, values[1:], strict=False)
        ]
        return pairs[0] if len(pairs) == 1 else Logic("and", tuple(pairs), pairs[0].start, pairs[-1].end)

    def _arithmetic(self, node: jinja.BinExpr) -> Expression:
        operators: list[str] = []
        parts: list[Any] = []
        left: Any = node
        same = MATH[type(node)][1]
        while type(left) in same:
            operators.append(MATH[type(left)][0])
            parts.append(left.right)
            left = left.left
        operands = [self._nested(part) for part in (left, *reversed(parts))]
        for one, other in pairwise(operands):
            if isinstance(one, Path) and isinstance(other, Path) and self._tokens.text[one.end : other.start] == "-":
                what, fix = (
                    "a minus between two names needs spaces",
                    'Write a - b, or a["b-c"] for a key with a hyphen.',
                )
                raise _syntax(one.start, other.end, what, fix)
        start, end = self._outer(operands[0])[0], self._outer(operands[-1])[1]
        return Arithmetic(tuple(reversed(operators)), tuple(operands), start, end)

    def _refused_power(self, node: jinja.Pow) -> TemplateError:
        while isinstance(node.left, jinja.Pow):
            node = node.left
        start, end = self._outer(self._nested(node.left))[0], self._outer(self._nested(node.right))[1]
        fix = "Multiply, or let the event's publisher compute it."
        return _unsafe(start, end, "powers are not part of templates", fix)

    def _sign(self, node: jinja.UnaryExpr) -> Expression:
        value = self._nested(node.node)
        start, end = self._tokens.starts[node.lineno], self._outer(value)[1]
        sign = "-" if isinstance(node, jinja.Neg) else "+"
        if isinstance(value, Const) and type(value.value) in {int, float}:
            return constant(-value.value if sign == "-" else value.value, start, end)  # type: ignore[operator] # a number
        return Arithmetic((sign,), (value,), start, end)

    def _concat(self, node: jinja.Concat) -> Expression:
        parts = tuple(map(self.convert, node.nodes))
        return Concat(parts, self._outer(parts[0])[0], self._outer(parts[-1])[1])

    def _choice(self, node: jinja.CondExpr) -> Expression:
        yes, condition = self._nested(node.expr1), self._nested(node.test)
        start = self._outer(yes)[0]
        if node.expr2 is None:
            end = self._outer(condition)[1]
            return Choice(condition, yes, constant("", start, end), start, end, has_else=False)
        no = self._nested(node.expr2)
        return Choice(condition, yes, no, start, self._outer(no)[1])

    def _call(self, node: jinja.Call) -> Expression:
        start, end = self._span(node.lineno)[0], self._tokens.ends[self._tokens.partners[node.lineno]]
        name = node.node.name if isinstance(node.node, jinja.Name) else ""
        if name == "dict" and not node.args and node.dyn_args is None and node.dyn_kwargs is None:
            keys = tuple(constant(keyword.key, start, end) for keyword in node.kwargs)
            values = tuple(self.convert(keyword.value) for keyword in node.kwargs)
            return DictOf(keys, values, self._tokens.starts[node.node.lineno], end)
        what, fix = refused_call(node, self.convert)
        raise _unsafe(self._tokens.starts[max(node.lineno - 1, 0)], end, what, fix)


def _syntax(start: int, end: int, what: str, fix: str) -> TemplateError:
    return TEMPLATE_SYNTAX.error(start, end, what=what, fix=fix)


def _unsafe(start: int, end: int, what: str, fix: str) -> TemplateError:
    return TEMPLATE_UNSAFE.error(start, end, what=what, fix=fix)
