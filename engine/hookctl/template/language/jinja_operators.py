"""The operators of Jinja's tree, and how they are written in a template."""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import nodes as jinja

OPERATORS: Mapping[str, str] = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "lteq": "<=",
    "gt": ">",
    "gteq": ">=",
    "in": "in",
    "notin": "not in",
}
"""By the name that Jinja's parser gives each."""
COMPARING_TESTS: Mapping[str, str] = {
    **dict.fromkeys(("eq", "equalto"), "=="),
    "ne": "!=",
    **dict.fromkeys(("lt", "lessthan"), "<"),
    "le": "<=",
    **dict.fromkeys(("gt", "greaterthan"), ">"),
    "ge": ">=",
    "in": "in",
}
"""The tests that compare: ``a is eq b`` is ``a == b``."""
MATH: Mapping[type, tuple[str, frozenset[type]]] = {
    jinja.Add: ("+", frozenset({jinja.Add, jinja.Sub})),
    jinja.Sub: ("-", frozenset({jinja.Add, jinja.Sub})),
    jinja.Mul: ("*", frozenset({jinja.Mul, jinja.Div, jinja.FloorDiv, jinja.Mod})),
    jinja.Div: ("/", frozenset({jinja.Mul, jinja.Div, jinja.FloorDiv, jinja.Mod})),
    jinja.FloorDiv: ("//", frozenset({jinja.Mul, jinja.Div, jinja.FloorDiv, jinja.Mod})),
    jinja.Mod: ("%", frozenset({jinja.Mul, jinja.Div, jinja.FloorDiv, jinja.Mod})),
}
"""For each node its operator, and the nodes of the same precedence."""
