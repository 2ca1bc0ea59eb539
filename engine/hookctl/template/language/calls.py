"""What to write instead of a call: templates have neither functions nor methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import nodes as jinja

from hookctl.json.paths import path_text
from hookctl.template.language.expressions import Const, DictOf, Expression, Path
from hookctl.template.language.replacements import function_advice, method_advice

_NOW = frozenset({"now", "utcnow"})


def refused_call(node: jinja.Call, convert: Callable[[Any], Expression]) -> tuple[str, str]:
    """The message and the hint for a call. ``convert`` gives the expression of a node."""
    callee = node.node
    if isinstance(callee, jinja.Name) and "." not in callee.name:
        return f"{callee.name}() cannot be called", function_advice(callee.name)
    value: Expression | None = None
    if isinstance(callee, jinja.Name):
        root, *steps = callee.name.split(".")
        value, method = Path(root, tuple(steps[:-1]), 0, 0), steps[-1]
    elif isinstance(callee, jinja.Getattr):
        method = callee.attr.rpartition(".")[2]
        if method == callee.attr and not isinstance(callee.node, jinja.Call):
            value = convert(callee.node)
    else:
        return "a value cannot be called", function_advice("")
    path = path_text(value.root, value.steps) if isinstance(value, Path) else ""
    if isinstance(callee, jinja.Getattr) and _is_now(callee.node):
        path = "event_time"
    owner = "{'key': 'value'}" if isinstance(value, DictOf) else path
    fix = _of_get(owner, [convert(part) for part in node.args]) if method == "get" and owner else ""
    return f"{method}() cannot be called", fix or method_advice(method, path)


def _is_now(node: jinja.Node) -> bool:
    return isinstance(node, jinja.Call) and isinstance(node.node, jinja.Name) and node.node.name in _NOW


def _of_get(path: str, arguments: list[Expression]) -> str:
    """The hint for ``value.get('key', 'other')``; empty if the arguments are neither constants nor fields."""
    texts = [
        part.text if isinstance(part, Const) else path_text(part.root, part.steps)
        for part in arguments
        if isinstance(part, Const | Path)
    ]
    if len(texts) != len(arguments) or len(texts) not in {1, 2}:
        return ""
    default = texts[1] if len(texts) > 1 else "none"
    return f"Write {{{{ {path}[{texts[0]}] | default({default}) }}}}."
