"""Finds the line of a plugin's source that a problem is about."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """A line in a file."""

    file: str
    line: int


def place_of_function(function: Callable[..., Any]) -> Place | None:
    """Where a function begins; None if it was not written in Python."""
    wrapped = inspect.unwrap(function)
    code = getattr(getattr(wrapped, "func", wrapped), "__code__", None)  # func: that of a functools.partial
    return Place(code.co_filename, code.co_firstlineno) if inspect.iscode(code) else None


def place_of_part(
    functions: Iterable[Callable[..., Any]], name: str, attribute: str, path: Iterable[str | int]
) -> Place | None:
    """The line of a value inside an attribute of a description, such as a key of its schema.

    Args:
        functions: the hook that returns the description, and functions of the part; their files are searched in order.
        name: the name or scheme of the part.
        attribute: ``schema``, for example.
        path: keys and indexes that lead to the value.

    Returns:
        The line of the value if it is written out where the description is, or in a variable of the same file.
        Otherwise the nearest line around it; without any, the first line of the hook.
    """
    places = [place for function in functions if (place := place_of_function(function))]
    for file in dict.fromkeys(place.file for place in places):
        try:
            tree = ast.parse(Path(file).read_bytes())
        except (OSError, SyntaxError, ValueError):  # a zip file, or a file that has changed since
            continue
        variables = _variables(tree)
        for call in ast.walk(tree):
            if isinstance(call, ast.Call):
                given = {keyword.arg: keyword.value for keyword in call.keywords}
                names = [_resolved(given[key], variables) for key in ("name", "scheme") if key in given]
                if any(isinstance(one, ast.Constant) and one.value == name for one in names):
                    inside = _line_inside(given[attribute], path, variables) if attribute in given else 0
                    return Place(file, inside or call.lineno)
    return places[0] if places else None


def _variables(tree: ast.AST) -> dict[str, ast.expr]:
    """What each variable stands for: the last value that is assigned to it and not made from the variable itself."""
    return {
        name: value
        for name, value in _assignments(tree)
        if not any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(value))
    }


def _assignments(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Each variable with what is assigned to it, at any level."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value


def _resolved(node: ast.expr, variables: dict[str, ast.expr]) -> ast.expr:
    """What a variable stands for; the node itself if it is not a variable of this file."""
    seen: set[str] = set()
    while isinstance(node, ast.Name) and node.id in variables and node.id not in seen:
        seen.add(node.id)
        node = variables[node.id]
    return node


def _line_inside(node: ast.expr, path: Iterable[str | int], variables: dict[str, ast.expr]) -> int:
    """The line of the value that a path leads to, as far as it can be followed."""
    node = _resolved(node, variables)
    line = node.lineno
    for step in path:
        found = _entry(node, step, variables)
        if found is None:
            break
        line, node = found
    return line


def _entry(node: ast.expr, step: str | int, variables: dict[str, ast.expr]) -> tuple[int, ast.expr] | None:
    """The line of one entry of a dict or list that is written out, and its value."""
    if isinstance(node, ast.List | ast.Tuple) and isinstance(step, int) and step < len(node.elts):
        value = _resolved(node.elts[step], variables)
        return node.elts[step].lineno, value
    if isinstance(node, ast.Dict):
        for key, value in reversed([*zip(node.keys, node.values, strict=True)]):  # the last one counts
            if key is None:
                own = value.id if isinstance(value, ast.Name) else ""
                others = {name: known for name, known in variables.items() if name != own}  # A = {**B}, B = {**A}
                if (inside := _entry(_resolved(value, variables), step, others)) is not None:
                    return inside
            elif isinstance(key, ast.Constant) and key.value == step:
                return key.lineno, _resolved(value, variables)
    return None
