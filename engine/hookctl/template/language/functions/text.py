"""Filters that change text."""

from __future__ import annotations

import re

from hookctl.errors import RenderError
from hookctl.model import Json
from hookctl.template.language.functions.declaration import (
    TEXT,
    BuiltIn,
    Filters,
    check_size,
    text_argument,
    types,
    whole_argument,
)
from hookctl.template.language.values import MAX_OUTPUT, to_text

LEEWAY = 5
"""Characters by which a text may exceed the length of ``truncate``, as in Jinja."""
_GROWTH = 3
"""No character becomes more than three when its case changes."""
_WORD_START = re.compile(r"([-\s({\[<]+)")
_WORD = re.compile(r"\w+")
_NOT_ON_ONE_LINE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def _upper(value: str) -> Json:
    return value.upper()


def _lower(value: str | bool) -> Json:
    return value if isinstance(value, bool) else value.lower()  # Jinja writes True, and JSON needs true


def _capitalize(value: str) -> Json:
    return value.capitalize()


def _title(value: str) -> Json:
    return "".join(part[:1].upper() + part[1:].lower() for part in _WORD_START.split(value))


def _trim(value: str) -> Json:
    return value.strip()


def _one_line(value: str) -> Json:
    return _NOT_ON_ONE_LINE.sub(" ", value).strip(" ")


def _wordcount(value: str) -> Json:
    return sum(1 for _ in _WORD.finditer(value))


def _string(value: Json) -> Json:
    return to_text(value)


def _truncate(
    value: str, length: int = 255, killwords: bool = False, end: str = "...", leeway: int | None = None
) -> Json:
    end = text_argument(end, "truncate's end")
    length = whole_argument(length, "truncate's length", 0, MAX_OUTPUT)
    leeway = whole_argument(LEEWAY if leeway is None else leeway, "truncate's leeway", 0, MAX_OUTPUT)
    if length < len(end):
        hint = f"Give a length of at least {len(end)}, or a shorter end."
        raise RenderError(f"truncate's length {length} is shorter than its end", hint=hint)
    if len(value) <= length + leeway:
        return value
    kept = value[: length - len(end)]
    return (kept if killwords else kept.rsplit(" ", 1)[0]) + end


def _replace(value: str, old: str, new: str, count: int | None = None) -> Json:
    old, new = text_argument(old, "replace's old"), text_argument(new, "replace's new")
    limit = -1 if count is None else whole_argument(count, "replace's count", -1, MAX_OUTPUT)
    found = value.count(old)
    times = found if limit < 0 else min(found, limit)
    check_size("replace", len(value) + times * (len(new) - len(old)))
    return value.replace(old, new, limit)


_LOWERED = types("boolean", "string")
FILTERS: Filters = {
    "capitalize": BuiltIn(_capitalize, takes=TEXT, gives=TEXT),
    "lower": BuiltIn(_lower, takes=_LOWERED, gives=_LOWERED, gives_input=True),
    "one_line": BuiltIn(_one_line, takes=TEXT, gives=TEXT),
    "replace": BuiltIn(_replace, takes=TEXT, gives=TEXT),
    "string": BuiltIn(_string, gives=TEXT),
    "title": BuiltIn(_title, takes=TEXT, gives=TEXT, slowness=7),
    "trim": BuiltIn(_trim, takes=TEXT, gives=TEXT),
    "truncate": BuiltIn(_truncate, takes=TEXT, gives=TEXT),
    "upper": BuiltIn(_upper, takes=TEXT, gives=TEXT),
    "wordcount": BuiltIn(_wordcount, takes=TEXT, gives=types("integer"), hides_content=True, slowness=2),
}
