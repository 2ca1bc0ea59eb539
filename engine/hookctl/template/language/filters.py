"""The filters: every built-in one by name, and the properties of a use of one, built in or from a plugin."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache

from hookctl.model import Json
from hookctl.model.problem import Filter
from hookctl.template.language.expressions import Const, Filtered
from hookctl.template.language.functions import dates, lists, markup, numbers, selection, special, text
from hookctl.template.language.functions.declaration import BuiltIn, Properties, typed
from hookctl.template.language.values import Missing, Value

_ONE_BY_ONE: Mapping[str, BuiltIn] = {
    **dates.FILTERS,
    **lists.FILTERS,
    **markup.FILTERS,
    **numbers.FILTERS,
    **special.FILTERS,
    **text.FILTERS,
}
BUILT_IN: Mapping[str, BuiltIn] = {**_ONE_BY_ONE, **selection.filters(_ONE_BY_ONE)}
"""Every built-in filter by name."""
_FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    name: typed(name, declared.takes, declared.call) for name, declared in BUILT_IN.items()
}


def properties(filtered: Filtered, filters: Mapping[str, Filter] | None = None) -> Properties:
    """The properties of a use of a filter. ``filters`` are those of plugins."""
    if filtered.name in BUILT_IN:
        return BUILT_IN[filtered.name]
    plugin = (filters or {}).get(filtered.name)
    return Properties() if plugin is None else Properties(takes=plugin.takes, gives=plugin.gives)


def find(name: str, filters: Mapping[str, Filter]) -> Callable[..., Value] | None:
    """The function of a filter, built-in ones first, then those of plugins; None if the filter is unknown.

    It raises RenderError for a value that the filter does not take.
    """
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    plugin = filters.get(name)
    return None if plugin is None else typed(name, plugin.takes, plugin.call)


def slowness(filtered: Filtered) -> int:
    """How many more times reading the value counts as work; for ``map``, also what its filter adds."""
    declared = properties(filtered)
    name = filtered.arguments[0] if declared.gives_attribute and filtered.arguments else None
    applied = BUILT_IN.get(str(name.value)) if isinstance(name, Const) else None
    return declared.slowness + (applied.slowness if applied else 0)


def usage(name: str, function: Callable[..., Value]) -> str:
    """A filter with its arguments and their defaults, as a template writes it: ``round(precision=0)``."""
    signature = _signature(getattr(function, "__wrapped__", function))
    written = [_parameter(one) for one in [*signature.parameters.values()][1:]] if signature else []
    return f"{name}({', '.join(written)})" if written else name


def _parameter(parameter: inspect.Parameter) -> str:
    default = parameter.default
    if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
        return "..."
    if default is parameter.empty or isinstance(default, Missing):
        return parameter.name
    words = {None: "none", True: "true", False: "false"}
    is_word = default is None or isinstance(default, bool)
    return f"{parameter.name}={words[default] if is_word else repr(default)}"


def probe(filtered: Filtered) -> None:
    """Call a built-in filter with an empty value and its arguments, which are constants.

    Raises:
        RenderError: the arguments are wrong for every value.
    """
    declared = BUILT_IN[filtered.name]
    value = next((empty for name, empty in _EMPTY.items() if name in declared.takes), None)
    if value is not None:
        constants = [argument.value for argument in filtered.arguments if isinstance(argument, Const)]
        named = {name: argument.value for name, argument in filtered.keywords if isinstance(argument, Const)}
        declared.call(value, *constants, **named)


_EMPTY: Mapping[str, Json] = {"string": "", "array": [], "object": {}, "number": 0}


@lru_cache(maxsize=200)
def _signature(function: Callable[..., Value]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (ValueError, TypeError):  # some functions written in C have no signature
        return None


def argument_problem(function: Callable[..., Value], count: int, keywords: tuple[str, ...]) -> str:
    """The problem with a filter's arguments, ``count`` plain ones and the named ones; empty if there is none."""
    signature = _signature(getattr(function, "__wrapped__", function))
    if signature is None:
        return ""
    try:
        signature.bind(None, *range(count), **dict.fromkeys(keywords))
    except TypeError as error:
        return str(error)
    return ""
