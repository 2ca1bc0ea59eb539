"""Filters that the evaluation treats in a way of its own: ``default``, ``jmespath`` and ``tojson``."""

from __future__ import annotations

import json

from hookctl.model import Json
from hookctl.template.language.expressions import Const, Expression, Filtered, ListOf, constant
from hookctl.template.language.functions.declaration import (
    TEXT,
    BuiltIn,
    Filters,
    argument_of,
    constants,
    too_large,
    whole_argument,
)
from hookctl.template.language.values import MAX_OUTPUT, to_json

MAX_INDENT = 8
"""Spaces of one level of ``tojson(indent)``."""


def _default(value: Json, default_value: Json = "", boolean: bool = False) -> Json:
    return default_value if value is None or (boolean and not value) else value


def _is_replaced_by_false(filtered: Filtered) -> bool:
    """For ``default``: its one argument is a constant that is false, so nothing that was false becomes true."""
    if len(filtered.arguments) != 1:
        return False
    argument = filtered.arguments[0]
    if isinstance(argument, Const):
        return not argument.value
    return isinstance(argument, ListOf) and not argument.items


def _jmespath(value: Json, expression: str) -> Json:
    raise NotImplementedError  # its expression is compiled once, in hookctl.template.rendering.evaluation


def default_value(filtered: Filtered) -> Expression:
    """What one use of ``default`` gives instead of a missing value."""
    found = argument_of(filtered, 0, "default_value")
    return constant("", filtered.start, filtered.end) if found is None else found


def _tojson(value: Json, indent: int | None = None) -> Json:
    _check_indent(indent)
    if not indent:
        return to_json(value)
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=indent)
    pieces: list[str] = []
    room = MAX_OUTPUT
    try:
        for piece in encoder.iterencode(value):
            room -= len(piece)
            if room < 0:  # many items of a deep list have far more indentation than content
                raise too_large("tojson")
            pieces.append(piece)
    except (ValueError, RecursionError):
        return to_json(value)  # raises the same error as without an indent
    return "".join(pieces)


def _check_indent(indent: Json) -> None:
    if indent is not None:
        whole_argument(indent, "tojson's indent", 0, MAX_INDENT)


def is_indented(filtered: Filtered) -> bool:
    """Whether one use of ``tojson`` writes line breaks, which matter only in text."""
    indent = argument_of(filtered, 0, "indent")
    return isinstance(indent, Const) and bool(indent.value)


_DEFAULT = BuiltIn(_default, accepts_missing=True, keeps_truth=_is_replaced_by_false)
_TOJSON = BuiltIn(_tojson, gives=TEXT, writes_json=True, misuses=constants("tojson", ("indent", _check_indent)))
FILTERS: Filters = {
    "d": _DEFAULT,
    "default": _DEFAULT,
    "jmespath": BuiltIn(_jmespath, takes_expression=True),
    "to_json": _TOJSON,
    "tojson": _TOJSON,
}
