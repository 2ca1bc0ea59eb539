"""Decides whether a ``when`` can match any event of a type, as far as the schema shows by simple comparisons.

It evaluates comparisons of fields with constants (``==``, ``!=``, ``<``, ``<=``, ``>``, ``>=``), ``contains`` with
constants and a field, and combinations of these with ``&&``, ``||`` and ``!``. From the schema it uses ``enum``,
``const``, ``type``, ``minimum`` and ``maximum``. Any other expression may match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookctl.json.equality import is_equal
from hookctl.json.kinds import is_number, schema_type
from hookctl.json.schema_paths import EventShape, Shape, listed, value_text
from hookctl.model import Json
from hookctl.model.problem import EventSchema
from hookctl.model.rules.texts import WHEN_SYNTAX

if TYPE_CHECKING:
    from hookctl.bounded.jmes_path import Ast

_FLIPPED = {"eq": "eq", "ne": "ne", "lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte"}


def why_never(text: str, event_type: EventSchema) -> str | None:
    """The reason why a ``when`` matches no event of the type; None if it may match one.

    Raises TemplateError for a syntax error.
    """
    from hookctl.when.expression import compile_expression, syntax_tree

    compiled = compile_expression(text, WHEN_SYNTAX)
    judge = Judge(EventShape(event_type.schema))
    return judge.why if judge.holds(syntax_tree(compiled)) is False else None


class Judge:
    """Evaluates the nodes of an expression: True or False if every event gives that result, else None."""

    def __init__(self, event: EventShape) -> None:
        self._event = event
        self.why = "it is false for every event"

    def holds(self, node: Ast) -> bool | None:
        """Whether a node is true. If it is false, ``why`` has the reason."""
        children = node["children"]
        match node["type"], node.get("value"):
            case "comparator", str(operator):
                return self._compared(operator, *children)
            case "function_expression", "contains":
                return self._contains(*children)
            case "not_expression", _:
                return _negated(self.holds(children[0]))
            case "and_expression", _:
                return False if self._at_odds(node) else _every([self.holds(child) for child in children])
            case "or_expression", _:
                return _negated(_every([_negated(self.holds(child)) for child in children]))
        return None

    def takes_any_text(self, path: str) -> bool:
        """Whether a comparison of that path with a string can be true, and whether it can be false."""
        shape = self._shape(path)
        return shape is None or (shape.values is None and (not shape.types or "string" in shape.types))

    def _compared(self, operator: str, left: Ast, right: Ast) -> bool | None:
        if left["type"] == "literal":
            left, right, operator = right, left, _FLIPPED[operator]
        path = field_path(left)
        if path is None or right["type"] != "literal":
            return None
        shape, value = self._shape(path), right["value"]
        if shape is None:
            return None
        if operator in {"eq", "ne"}:
            equal = self._equals(path, shape, value)
            return equal if operator == "eq" else _negated(equal)
        return self._ordered(path, operator, shape, value)

    def _equals(self, path: str, shape: Shape, value: Json) -> bool | None:
        if value is None:
            if shape.nullable or shape.optional or not shape.types:
                return None
            self.why = f"{path} is never null"
            return False
        values = shape.values
        if values is not None and all(_differ(value, one) for one in values):
            self.why = f"{path} is {listed(values)}, never {value_text(value)}"
            return False
        if values is not None and len(values) == 1 and not shape.nullable and not shape.optional:
            return True
        types = {"number", "integer"} if is_number(value) else {schema_type(value)}
        if shape.types and not types & shape.types:
            self.why = f"{path} is of type {' or '.join(sorted(shape.types))}, never {value_text(value)}"
            return False
        return None

    def _ordered(self, path: str, operator: str, shape: Shape, value: Json) -> bool | None:
        """The result of an ordering comparison with a number; None if the schema does not decide it.

        JMESPath implementations differ in whether they order text, so only numbers are compared.
        """
        if not is_number(value) or not shape.types or not shape.types <= {"number", "integer"}:
            return None
        limit = "maximum" if operator in {"gt", "gte"} else "minimum"
        bounds = [schema.get(limit) for schema in shape.schemas]
        if bounds and all(is_number(bound) and not _reaches(bound, operator, value) for bound in bounds):
            self.why = f"{path} has the {limit} {value_text(bounds[0])}"
            return False
        return None

    def _contains(self, where: Ast, what: Ast) -> bool | None:
        path = field_path(what)
        wanted = _constants(where)
        shape = self._shape(path) if path is not None and wanted is not None else None
        values = shape.values if shape is not None and not shape.optional and not shape.nullable else None
        if (
            wanted is None or values is None or any(value == one for value in values for one in wanted)
        ):  # `contains` treats 1 and true as equal, `==` does not
            return None
        self.why = f"{path} is {listed(values)}, never {' or '.join(map(value_text, wanted))}"
        return False

    def _at_odds(self, node: Ast) -> bool:
        """Whether operands of ``&&`` contradict each other, as in ``a == 'x' && a == 'y'``."""
        wanted: dict[str, Json] = {}
        for part in _operands(node):
            if part["type"] != "comparator" or part["value"] != "eq":
                continue
            left, right = part["children"] if part["children"][1]["type"] == "literal" else part["children"][::-1]
            path = field_path(left)
            if path is None or right["type"] != "literal":
                continue
            if path in wanted and _differ(wanted[path], right["value"]):
                self.why = f"{path} cannot be {value_text(wanted[path])} and {value_text(right['value'])} at once"
                return True
            wanted[path] = right["value"]
        return False

    def _shape(self, path: str) -> Shape | None:
        shape = self._event.root
        optional = False
        for key in path.split("."):
            following = self._event.step(shape, key)
            if not isinstance(following, Shape) or not following.schemas:
                return None
            optional = optional or following.optional or following.nullable
            shape = following
        return Shape(shape.schemas, nullable=shape.nullable, optional=optional)


def field_path(node: Ast) -> str | None:
    """The path of a node that consists only of fields, such as ``data.severity``; None for other nodes."""
    if node["type"] == "field":
        name: str = node["value"]
        return name if "." not in name else None
    if node["type"] == "subexpression":
        steps = [field_path(child) for child in node["children"]]
        return None if None in steps else ".".join(step for step in steps if step is not None)
    return None


def _constants(node: Ast) -> list[Json] | None:
    """The items of a list of constants: `["a", "b"]` in backticks or ['a', 'b']."""
    if node["type"] == "literal" and isinstance(node["value"], list):
        return list(node["value"])
    if node["type"] == "multi_select_list" and all(child["type"] == "literal" for child in node["children"]):
        return [child["value"] for child in node["children"]]
    return None


def _operands(node: Ast) -> list[Ast]:
    return (
        [part for child in node["children"] for part in _operands(child)]
        if node["type"] == "and_expression"
        else [node]
    )


def _reaches(bound: float, operator: str, value: float) -> bool:
    """Whether the largest or smallest value that a field can have satisfies the comparison."""
    return {"gt": bound > value, "gte": bound >= value, "lt": bound < value, "lte": bound <= value}[operator]


def _every(found: list[bool | None]) -> bool | None:
    return False if False in found else True if all(found) else None


def _negated(value: bool | None) -> bool | None:
    return None if value is None else not value


def _differ(one: Json, other: Json) -> bool:
    """Whether JMESPath considers two values different. In lists and objects it considers true and 1 equal."""
    return one != other if isinstance(one, list | dict) else not is_equal(one, other)
