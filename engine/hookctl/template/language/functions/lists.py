"""Filters of lists, and of objects as lists of their keys and values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from hookctl.errors import RenderError
from hookctl.json import kinds
from hookctl.json.kinds import is_number
from hookctl.json.paths import Step
from hookctl.model import Json
from hookctl.template.language.expressions import Filtered
from hookctl.template.language.functions.declaration import (
    LIST,
    NUMBER,
    TEXT,
    BuiltIn,
    Filters,
    attribute_at,
    text_argument,
    too_large,
    types,
)
from hookctl.template.language.functions.numbers import checked
from hookctl.template.language.values import MAX_OUTPUT, MISSING, Missing, Value, identity, kind, take, to_text

MAX_ATTRIBUTES = 10
"""Attributes by which one ``sort`` orders."""
_LONGEST_INDEX = 9
"""Digits of an index in an attribute. A longer part is a key."""


# -- attributes --------------------------------------------------------------------------------------------------------


def attribute_getter(attribute: Json, name: str) -> Callable[[Value], Value]:
    """What reads an attribute of an item, such as ``owner.name`` or ``groups.0``; the item itself for None.

    Args:
        attribute: as the template gives it: a path with dots, an index, or None.
        name: of the filter, for messages.

    Raises:
        RenderError: the attribute is neither.
    """
    if attribute is None:
        return lambda item: item
    steps = _steps(attribute, name)

    def get(item: Value) -> Value:
        for step in steps:
            item = take(item, step)
            if item is MISSING:
                break
        return item

    return get


def _steps(attribute: Json, name: str) -> tuple[Step, ...]:
    if type(attribute) is int:
        return (attribute,)
    if not isinstance(attribute, str):
        message = f"{name}'s attribute is {kind(attribute)}"
        raise RenderError(message, hint="Write the key in quotes, such as attribute='name'.")
    return tuple(
        int(part) if part.isascii() and part.isdecimal() and len(part) <= _LONGEST_INDEX else part
        for part in attribute.split(".")
    )


def attributes(items: Iterable[Json], attribute: Json, name: str) -> list[Json]:
    """The attribute of each item. Raises RenderError if an item does not have it."""
    get = attribute_getter(attribute, name)
    found: list[Json] = []
    for number, item in enumerate(items):
        value = get(item)
        if isinstance(value, Missing):
            message = f"item {number} of the list for {name} has no {attribute}"
            raise RenderError(message, hint=f"Leave such items out with `selectattr('{attribute}', 'defined')`.")
        found.append(value)
    return found


# -- parts of a list ---------------------------------------------------------------------------------------------------


def _length(value: str | list[Json] | dict[str, Json]) -> Json:
    return len(value)


def _first(value: str | list[Json]) -> Value:
    return value[0] if value else MISSING


def _last(value: str | list[Json]) -> Value:
    return value[-1] if value else MISSING


def _list(value: Iterable[Json]) -> Json:
    return list(value)


def _reverse(value: str | list[Json]) -> Json:
    return value[::-1]


def _items(value: dict[str, Json]) -> Json:
    return [[key, item] for key, item in value.items()]


def _join(value: list[Json], separator: str = "", attribute: Json = None) -> Json:
    separator = text_argument(separator, "join's separator")
    items = value if attribute is None else attributes(value, attribute, "join")
    room = MAX_OUTPUT - len(separator) * max(len(items) - 1, 0)
    texts = []
    for item in items:
        text = to_text(item)
        room -= len(text)
        if room < 0:
            raise too_large("join")
        texts.append(text)
    return separator.join(texts)


def _unique(value: list[Json], case_sensitive: bool = False, attribute: Json = None) -> Json:
    keys = attributes(value, attribute, "unique")
    first: dict[str, Json] = {}
    for key, item in zip(keys, value, strict=True):
        first.setdefault(identity(_folded(key, case_sensitive)), item)
    return list(first.values())


def _sum(value: list[Json], attribute: Json = None, start: float = 0) -> Json:
    numbers: list[int | float] = []
    for number in [start, *attributes(value, attribute, "sum")]:
        if not is_number(number):
            message = f"sum adds numbers, but one of the values is {kind(number)}"
            raise RenderError(message, hint="Name the numbers to add: `sum(attribute='...')`.")
        numbers.append(checked(number, "sum"))
    return checked(sum(numbers[1:], start), "sum")


# -- order -------------------------------------------------------------------------------------------------------------


def _folded(key: Json, case_sensitive: bool) -> Json:
    return key.lower() if isinstance(key, str) and not case_sensitive else key


def _keys(items: Sequence[Json], attribute: Json, case_sensitive: bool, name: str) -> list[Any]:
    """What orders each item. Raises RenderError for values that have no order."""
    keys = [_folded(key, case_sensitive) for key in attributes(items, attribute, name)]
    found = {kinds.kind(key): key for key in keys}
    if len(keys) > 1 and (len(found) > 1 or not found.keys() <= {"number", "string", "boolean"}):
        described = " and ".join(sorted({kind(key) for key in found.values()}))
        several = described if len(found) > 1 else f"values, each of which is {described}"
        message = f"{name} cannot order {several}"
        raise RenderError(message, hint=f"Name a number or a text to order by: `{name}(attribute='...')`.")
    return keys


def _sort(value: list[Json], reverse: bool = False, case_sensitive: bool = False, attribute: Json = None) -> Json:
    names: list[Json] = [*attribute.split(",")] if isinstance(attribute, str) else [attribute]
    if len(names) > MAX_ATTRIBUTES:
        message = f"sort orders by at most {MAX_ATTRIBUTES} attributes"
        raise RenderError(message, hint="Name fewer attributes.")
    columns = [_keys(value, name, case_sensitive, "sort") for name in names]
    rows = [*zip(*columns, strict=True)]
    order = sorted(range(len(value)), key=rows.__getitem__, reverse=bool(reverse))
    return [value[number] for number in order]


def _min(value: list[Json], case_sensitive: bool = False, attribute: Json = None) -> Value:
    keys = _keys(value, attribute, case_sensitive, "min")
    return value[min(range(len(keys)), key=keys.__getitem__)] if value else MISSING


def _max(value: list[Json], case_sensitive: bool = False, attribute: Json = None) -> Value:
    keys = _keys(value, attribute, case_sensitive, "max")
    return value[max(range(len(keys)), key=keys.__getitem__)] if value else MISSING


def _dictsort(value: dict[str, Json], case_sensitive: bool = False, by: str = "key", reverse: bool = False) -> Json:
    if by not in ("key", "value"):
        raise RenderError("dictsort sorts by 'key' or by 'value'", hint="Write by='value', or nothing for keys.")
    return _sort(_items(value), reverse, case_sensitive, 0 if by == "key" else 1)  # type: ignore[arg-type] # a list


def _always(_: Filtered) -> bool:
    return True


_LENGTH = BuiltIn(
    _length,
    takes=types("string", "array", "object"),
    gives=types("integer"),
    keeps_truth=_always,
    hides_content=True,
)
_SEQUENCE = types("array", "string")
_ORDERED = types("number", "string", "boolean")
FILTERS: Filters = {
    "count": _LENGTH,
    "dictsort": BuiltIn(_dictsort, takes=types("object"), gives=LIST, keeps_truth=_always),
    "first": BuiltIn(_first, takes=_SEQUENCE, gives_item=True, may_give_nothing=True),
    "items": BuiltIn(_items, takes=types("object"), gives=LIST, keeps_truth=_always),
    "join": BuiltIn(_join, takes=LIST, gives=TEXT, attribute=attribute_at(1)),
    "last": BuiltIn(_last, takes=_SEQUENCE, gives_item=True, may_give_nothing=True),
    "length": _LENGTH,
    "list": BuiltIn(_list, takes=types("array", "string", "object"), gives=LIST, gives_input=True, keeps_truth=_always),
    "max": BuiltIn(
        _max, takes=LIST, gives_item=True, may_give_nothing=True, takes_items=_ORDERED, attribute=attribute_at(1)
    ),
    "min": BuiltIn(
        _min, takes=LIST, gives_item=True, may_give_nothing=True, takes_items=_ORDERED, attribute=attribute_at(1)
    ),
    "reverse": BuiltIn(_reverse, takes=_SEQUENCE, gives=_SEQUENCE, gives_input=True, keeps_truth=_always),
    "sort": BuiltIn(
        _sort,
        takes=LIST,
        gives=LIST,
        gives_input=True,
        keeps_truth=_always,
        takes_items=_ORDERED,
        attribute=attribute_at(2),
    ),
    "sum": BuiltIn(_sum, takes=LIST, gives=NUMBER, takes_items=NUMBER, attribute=attribute_at(0)),
    "unique": BuiltIn(
        _unique, takes=LIST, gives=LIST, gives_input=True, keeps_truth=_always, attribute=attribute_at(1)
    ),
}
