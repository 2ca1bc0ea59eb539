"""Replaces the names that ``set`` gives by their expressions, so that no other part of the program knows of ``set``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from hookctl.template.language.expressions import Expression, Item, Output, Path, constant

_Part = TypeVar("_Part", Expression, Output)


def inlined(part: _Part, names: Mapping[str, Expression]) -> tuple[_Part, set[str]]:
    """An expression or output with its names replaced, and the names that were."""
    used: set[str] = set()
    return _replaced(part, names, used), used


def _replaced(part: Any, names: Mapping[str, Expression], used: set[str]) -> Any:
    if isinstance(part, tuple):
        return tuple(_replaced(inner, names, used) for inner in part)
    if isinstance(part, Path):
        if part.root not in names:
            return part
        used.add(part.root)
        return _with_steps(names[part.root], part)
    if not isinstance(part, Expression | Output):
        return part
    changed = {
        field.name: _replaced(value, names, used)
        for field in fields(part)
        if isinstance(value := getattr(part, field.name), (tuple, *Expression.__args__))
    }
    return replace(part, **changed) if changed else part


def _with_steps(value: Expression, path: Path) -> Expression:
    """The value of a name, and the steps that follow the name."""
    if isinstance(value, Path):
        return Path(value.root, (*value.steps, *path.steps), path.start, path.end)
    for step in path.steps:
        value = Item(value, constant(step, path.start, path.end), path.start, path.end)
    return value
