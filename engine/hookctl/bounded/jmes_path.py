"""The JMESPath interpreter of ``when``, of the filter ``jmespath`` and of the validator ``jmespath``.

The jmespath library has no limits: ``[@, @] | [@, @] | ...`` doubles its result with each ``|``, and ``to_string``
writes all of it. Here each visited node counts as a step, and functions account for the values that they read or write
before they do so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature
from jmespath.visitor import Options, TreeInterpreter

from hookctl.bounded.budget import TEXT_SHIFT, Budget
from hookctl.model import Json

MAX_LEVELS = 60
"""The maximum depth of a parsed expression. Each bracket, ``|``, ``||`` and so on adds one; the interpreter recurses at
each."""

Ast = Mapping[str, Any]
"""A node of an expression, as jmespath parses it."""

FAILURES = (JMESPathError, TypeError, ValueError, AttributeError, KeyError, IndexError, ArithmeticError, RecursionError)
"""The errors of :func:`evaluate` if a function or comparison does not accept the value."""

WRITER_STEPS = 2
"""The base cost of ``to_string``: the time of two node visits."""
_ORDERED = (int, float, str)
_encoder = json.JSONEncoder(separators=(",", ":"))


def evaluate(tree: Ast, value: Json, budget: Budget) -> Json:
    """The result of a parsed expression for a value.

    The result may contain parts of the value many times: call :meth:`Budget.weigh` before you walk through it.

    Raises:
        BudgetError: The expression takes more steps than the budget has left.
        FAILURES: A function or a comparison does not accept the value.
    """
    return cast("Json", _Interpreter(budget).visit(tree, value))


def children(node: Ast) -> list[Ast]:
    """The nodes directly inside a node."""
    return [child for child in node["children"] if isinstance(child, dict)]  # the children of a slice are numbers


def walk(tree: Ast) -> Iterator[Ast]:
    """A node and all nodes in it, parents before children, in the order of the text."""
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        pending += reversed(children(node))


def size(tree: Ast) -> int | None:
    """The number of nodes; None for a tree of more than :data:`MAX_LEVELS` levels."""
    level, found = [tree], 0
    for _ in range(MAX_LEVELS):
        found += len(level)
        level = [child for node in level for child in children(node)]
        if not level:
            return found
    return None


class _Functions(Functions):
    """JMESPath's functions. Those that read a complete value, or make a text or a list, account for it first."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def _weighed(self, arguments: Sequence[Any]) -> None:
        for argument in arguments:
            self._budget.weigh(argument)

    @signature({"types": []})
    def _func_to_string(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        self._budget.spend(WRITER_STEPS)
        pieces = []
        for piece in _encoder.iterencode(value):  # stop before more text is built than the budget allows
            self._budget.spend_text(len(piece))
            pieces.append(piece)
        return "".join(pieces)

    @signature({"types": ["string"]}, {"types": ["array-string"]})
    def _func_join(self, separator: str, texts: list[str]) -> str:
        self._budget.spend_text(sum(map(len, texts)) + len(separator) * len(texts))
        return separator.join(texts)

    @signature({"types": ["array", "string"]}, {"types": []})
    def _func_contains(self, subject: Any, search: Any) -> bool:
        if isinstance(subject, str):
            self._budget.spend_text(len(subject))
        elif isinstance(search, str):
            self._budget.spend(len(subject) * (1 + (len(search) >> 6)))  # text is compared 64 characters at a time
        elif isinstance(search, list | dict):
            self._weighed((subject, search))
        else:
            self._budget.spend(len(subject))
        return search in subject

    @signature({"types": ["array"]}, {"types": ["expref"]})
    def _func_sort_by(self, array: list[Any], expref: Any) -> Any:
        self._budget.spend(len(array))
        return super()._func_sort_by(array, expref)  # type: ignore[misc]  # missing in the stubs of jmespath

    @signature({"types": ["object"], "variadic": True})
    def _func_merge(self, *objects: dict[str, Any]) -> Any:
        self._budget.spend(sum(map(len, objects)))
        return super()._func_merge(*objects)  # type: ignore[misc]  # as above

    def _create_key_func(self, expref: Any, allowed_types: Any, function_name: str) -> Callable[[Any], Any]:
        key_of = super()._create_key_func(expref, allowed_types, function_name)  # type: ignore[misc]  # as above

        def key(item: Any) -> Any:
            found = key_of(item)
            if isinstance(found, str):
                self._budget.spend_text(len(found))
            return found

        return key


def _accounting(name: str, look: Callable[[Budget, Any], None]) -> Any:
    """The jmespath function of that name, called after ``look`` has accounted for its first argument."""
    function = getattr(Functions, f"_func_{name}")

    def call(self: _Functions, value: Any, *others: Any) -> Any:
        look(self._budget, value)
        return function(self, value, *others)

    return {"function": call, "signature": function.signature}


def _count(budget: Budget, value: Any) -> None:
    if isinstance(value, str):
        budget.spend_text(len(value))
    else:
        budget.spend(len(value))


_Functions.FUNCTION_TABLE = {
    **_Functions.FUNCTION_TABLE,
    **{name: _accounting(name, Budget.weigh) for name in ("sort", "max", "min", "avg", "sum", "to_number")},
    **{name: _accounting(name, _count) for name in ("reverse", "keys", "values", "starts_with", "ends_with")},
}


class _Interpreter(TreeInterpreter):
    """The interpreter of jmespath, spending a step for each visited node."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(Options(custom_functions=_Functions(budget)))
        self._budget = budget

    def visit(self, node: Ast, value: Any) -> Any:
        budget = self._budget
        budget.left -= 1
        if budget.left < 0:
            raise budget.exceeded()
        return _VISITS[node["type"]](self, node, value)

    def visit_comparator(self, node: Ast, value: Any) -> Any:
        first, second = node["children"]
        left, right = self.visit(first, value), self.visit(second, value)
        if isinstance(left, str) and isinstance(right, str):
            self._budget.spend(min(len(left), len(right)) >> TEXT_SHIFT)
        elif isinstance(left, list | dict) and isinstance(right, list | dict):
            self._budget.weigh(left)
            self._budget.weigh(right)
        operator = node["value"]
        if operator not in {"eq", "ne"} and not (type(left) in _ORDERED and type(right) in _ORDERED):
            return None
        return self.COMPARATOR_FUNC[operator](left, right)

    def visit_flatten(self, node: Ast, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        self._budget.spend(sum(len(item) if isinstance(item, list) else 1 for item in base))
        return [part for item in base for part in (item if isinstance(item, list) else (item,))]

    def visit_slice(self, node: Ast, value: Any) -> Any:
        if isinstance(value, list):
            self._budget.spend(len(value))
        return super().visit_slice(cast("Any", node), value)


_VISITS = {
    name[len("visit_") :]: getattr(_Interpreter, name) for name in dir(_Interpreter) if name.startswith("visit_")
}
