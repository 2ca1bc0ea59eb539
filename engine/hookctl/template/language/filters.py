"""The built-in filters, with their properties: pure functions of JSON values, bounded in cost and output.

A filter's properties are defined next to its function, so no other module compares a filter's name with a string.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from hookctl.errors import RenderError
from hookctl.json.kinds import is_number
from hookctl.model import Json
from hookctl.model.problem import Filter
from hookctl.template.language.expressions import Const, Filtered, ListOf
from hookctl.template.language.values import kind, to_json, to_text

MAX_OUTPUT = 1024 * 1024
"""The maximum size of a body in bytes, and of a filter's result in characters."""


def _upper(value: Json) -> Json:
    return _string(value, "upper").upper()


def _lower(value: Json) -> Json:
    return _string(value, "lower").lower()


def _trim(value: Json) -> Json:
    return _string(value, "trim").strip()


def _length(value: Json) -> Json:
    if not isinstance(value, (str, list, dict)):
        raise RenderError(
            f"length does not accept {kind(value)}", hint="Only a string, a list or an object has a length."
        )
    return len(value)


def _join(value: Json, separator: str = "") -> Json:
    if not isinstance(value, list):
        raise RenderError(f"join does not accept {kind(value)}", hint="Only a list can be joined.")
    separator = _string(separator, "join's separator")
    room = MAX_OUTPUT - len(separator) * max(len(value) - 1, 0)
    texts = []
    for item in value:
        text = to_text(item)
        room -= len(text)
        if room < 0:
            raise RenderError(f"join gives more than {MAX_OUTPUT} characters", hint="Send less of the event.")
        texts.append(text)
    return separator.join(texts)


def _items(value: Json) -> Json:
    if not isinstance(value, dict):
        raise RenderError(
            f"items does not accept {kind(value)}", hint="Only an object has items; loop over a list directly."
        )
    return [[key, item] for key, item in value.items()]


def _round(value: Json, precision: int = 0, method: str = "common") -> Json:
    if not is_number(value):
        raise RenderError(f"round does not accept {kind(value)}", hint="Only a number can be rounded.")
    if isinstance(precision, bool) or not isinstance(precision, int) or not 0 <= precision <= 15:
        raise RenderError("round's precision is not a whole number from 0 to 15", hint="Write round(2).")
    if method not in {"common", "floor", "ceil"}:
        raise RenderError(f"round has no method {to_text(method)}", hint="The methods are common, floor and ceil.")
    if isinstance(value, int):
        return value
    if not math.isfinite(value):
        raise RenderError("round does not accept a number that is not finite", hint="JSON has no such numbers.")
    if method == "common":
        return round(value, precision) if precision else round(value)
    scale: int = 10**precision
    whole = (
        (math.floor if method == "floor" else math.ceil)(value * scale) if abs(value) < 2**53 else int(value) * scale
    )
    return whole / scale if precision else whole


def _datetime(value: Json) -> Json:
    if not is_number(value):
        raise RenderError(f"datetime does not accept {kind(value)}", hint="Give it epoch seconds, such as event_time.")
    try:
        moment = datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise RenderError(
            "datetime does not accept a number outside the years 1 to 9999",
            hint="Give it epoch seconds, not milliseconds.",
        ) from None
    precision = (
        "seconds" if not moment.microsecond else "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    )
    return moment.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def _string(value: Json, what: str) -> str:
    if not isinstance(value, str):
        raise RenderError(f"{what} does not accept {kind(value)}", hint="Give it a string.")
    return value


def _default(value: Json, default_value: Json, boolean: bool = False) -> Json:
    return default_value if value is None or (boolean and not value) else value


def _jmespath(value: Json, expression: str) -> Json:
    raise NotImplementedError  # the expression is compiled once, in hookctl.template.rendering.evaluation


def _never(_: Filtered) -> bool:
    return False


def _always(_: Filtered) -> bool:
    return True


def _is_replaced_by_false(filtered: Filtered) -> bool:
    """Whether the one argument of ``default`` is a false constant, so that a false value remains false."""
    if len(filtered.arguments) != 1:
        return False
    argument = filtered.arguments[0]
    if isinstance(argument, Const):
        return not argument.value
    return isinstance(argument, ListOf) and not argument.items


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """The properties of a filter. A plugin's filter has none of them, because hookctl knows nothing about it."""

    accepts_missing: bool = False
    """Whether it replaces a value that the event does not have. Any other filter fails on such a value."""
    keeps_truth: Callable[[Filtered], bool] = _never
    """Whether a use of it is true exactly when its value is true."""
    hides_content: bool = False
    """Whether its result reveals only the amount of its value's content, such as its length."""
    writes_json: bool = False
    """Whether it returns its value unchanged, and marks it to be written as JSON."""
    takes: frozenset[str] = frozenset()
    """The kinds of value that it accepts; empty for any."""
    gives: frozenset[str] = frozenset()
    """The kinds of value that it gives; empty if they are not known."""
    gives_input: bool = False
    """Whether the result has the shape of its input."""
    gives_item: bool = False
    """Whether the result has the shape of an item of its input."""
    takes_expression: bool = False
    """Whether its argument is a JMESPath expression, which must be a constant."""


@dataclass(frozen=True, slots=True)
class BuiltIn(Properties):
    """A built-in filter."""

    call: Callable[..., Json]
    """Takes the value first, then the arguments from the template."""


BUILT_IN: Mapping[str, BuiltIn] = {
    "datetime": BuiltIn(_datetime),
    "default": BuiltIn(_default, accepts_missing=True, keeps_truth=_is_replaced_by_false),
    "items": BuiltIn(_items, keeps_truth=_always),
    "jmespath": BuiltIn(_jmespath, takes_expression=True),
    "join": BuiltIn(_join),
    "length": BuiltIn(_length, keeps_truth=_always, hides_content=True),
    "lower": BuiltIn(_lower),
    "round": BuiltIn(_round),
    "tojson": BuiltIn(to_json, writes_json=True),
    "trim": BuiltIn(_trim),
    "upper": BuiltIn(_upper),
}
"""Every built-in filter by name."""
_OF_A_PLUGIN = Properties()


def properties(filtered: Filtered) -> Properties:
    """The properties of a filter, by name."""
    return BUILT_IN.get(filtered.name, _OF_A_PLUGIN)


def find(name: str, filters: Mapping[str, Filter]) -> Callable[..., Json] | None:
    """The function of a filter, built-in ones first, then those of plugins; None if the filter is unknown."""
    if name in BUILT_IN:
        return BUILT_IN[name].call
    return filters[name].call if name in filters else None


@lru_cache(maxsize=100)
def _signature(function: Callable[..., Json]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (ValueError, TypeError):  # some functions written in C have no signature
        return None


def argument_problem(function: Callable[..., Json], count: int, keywords: tuple[str, ...]) -> str:
    """The problem with a filter's arguments, ``count`` plain ones and the named ones; empty if there is none."""
    signature = _signature(function)
    if signature is None:
        return ""
    try:
        signature.bind(None, *range(count), **dict.fromkeys(keywords))
    except TypeError as error:
        return str(error)
    return ""
