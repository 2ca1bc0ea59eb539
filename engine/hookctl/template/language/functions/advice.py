"""What to write instead of a filter on a value of a kind that it does not take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_BY_FILTER: Mapping[tuple[str, str], str] = {
    ("count", "number"): "Remove the filter: the value is already a number.",
    ("datetime", "array"): "Use one item of the list, or apply it to each item: `map('datetime')`.",
    ("datetime", "boolean"): "Use datetime on epoch seconds, or on text in ISO 8601.",
    ("dictsort", "array"): "Put `sort` there instead: the value is a list.",
    ("first", "object"): "Put `items` before the filter, or name the field: a.b.",
    ("items", "array"): "Loop over the list itself: it has items without keys.",
    ("join", "object"): "Write `items | map('join', '=') | join(', ')`.",
    ("join", "string"): "Remove the filter: the value is already one text.",
    ("length", "number"): "Remove the filter: the value is already a number.",
    ("map", "object"): "Put `items` before the filter to get a list of its keys and values.",
    ("replace", "number"): "Put `string` before the filter.",
    ("sort", "object"): "Put `dictsort` there instead: the value is an object.",
    ("truncate", "object"): "Put `tojson` before the filter, or use one of the object's fields.",
    ("urlencode", "null"): "Put `default('')` before the filter.",
}
"""By the filter and the kind of its value, where something else than the general advice helps."""
_BY_KIND: Mapping[tuple[str, str], str] = {
    ("array", "string"): "Put `join(', ')` before the filter, or apply it to each item: `map('{name}')`.",
    ("array", "number"): "Use `length`, `sum` or one item of the list: a[0].",
    ("array", "object"): "Use one item of the list: a[0].",
    ("boolean", "string"): "Remove the filter: hookctl writes a boolean as true or false.",
    ("number", "string"): "Put `string` before the filter.",
    ("object", "array"): "Put `items` or `dictsort` before the filter, or use one of the object's fields.",
    ("object", "string"): "Use one of the object's fields, or put `tojson` before the filter.",
    ("object", "number"): "Use one of the object's fields, or `length`.",
    ("string", "array"): "Use the filter on a list, or use `truncate` or a slice [:10] for a part of the text.",
    ("string", "number"): "Put `int` or `float` before the filter.",
}
"""By the kind of the value and a kind that the filter takes."""
_NULL = "Put `default(...)` before the filter."
_OTHER = "Remove the filter, or use it on another value."


def advice(name: str, kinds: Iterable[str], takes: Iterable[str]) -> str:
    """What to write instead.

    Args:
        name: The filter's.
        kinds: The JSON kinds that the value may have, none of which the filter takes.
        takes: The JSON kinds that it takes.
    """
    found = sorted(kinds)
    for kind in found:
        if (name, kind) in _BY_FILTER:
            return _BY_FILTER[name, kind]
    pairs = [(kind, taken) for kind in found for taken in sorted(takes, reverse=True)]
    general = next((_BY_KIND[pair] for pair in pairs if pair in _BY_KIND), _NULL if "null" in found else _OTHER)
    return general.replace("{name}", name)
