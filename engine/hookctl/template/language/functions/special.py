"""Filters that the evaluation treats in a way of its own: ``default``, ``jmespath`` and ``tojson``."""

from __future__ import annotations

from hookctl.errors import RenderError
from hookctl.model import Json
from hookctl.template.language.expressions import Const, Filtered, ListOf
from hookctl.template.language.functions.declaration import TEXT, BuiltIn, Filters, constants
from hookctl.template.language.values import to_json


def _default(value: Json, default_value: Json, boolean: bool = False) -> Json:
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


def _tojson(value: Json, indent: None = None) -> Json:
    _refuse_indent(indent)
    return to_json(value)


def _refuse_indent(indent: Json) -> None:
    if indent is not None:
        message = "tojson has no indent: hookctl writes JSON without spaces"
        raise RenderError(message, hint="Leave the indent out. A receiver of JSON ignores it.")


_DEFAULT = BuiltIn(_default, accepts_missing=True, keeps_truth=_is_replaced_by_false)
_TOJSON = BuiltIn(_tojson, gives=TEXT, writes_json=True, misuses=constants("tojson", ("indent", _refuse_indent)))
FILTERS: Filters = {
    "d": _DEFAULT,
    "default": _DEFAULT,
    "jmespath": BuiltIn(_jmespath, takes_expression=True),
    "to_json": _TOJSON,
    "tojson": _TOJSON,
}
