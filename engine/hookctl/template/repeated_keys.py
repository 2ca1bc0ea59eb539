"""Keys that an event gives: one that stands in its object already would put the event's value in the place of a reviewed one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from hookctl.errors import RenderError
from hookctl.model import Json


def refuse_repeated_keys(body: str, depth: int) -> None:
    """Look at the objects of a JSON text and, where ``depth`` is more than 1, at those of the JSON text in its strings, ``depth`` texts deep in all.

    Raises:
        RenderError: an object has a key twice, and readers differ in which of the two values counts.
    """
    # Numbers stay text: nothing is asked of them, and Python reads no more than so many digits.
    document = json.loads(body, object_pairs_hook=_object, parse_int=str, parse_float=str)
    if depth > 1:
        for text in _texts(document):
            try:
                refuse_repeated_keys(text, depth - 1)
            except ValueError:
                continue  # it is prose


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        key, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise RenderError(f"the key {json.dumps(key)[:100]} would stand twice in one object", hint="Send what the event gives as a value, not as a key.")
    return found


def _texts(value: Json) -> Iterator[str]:
    """The strings that may be JSON text."""
    if isinstance(value, str):
        if value.lstrip(" \t\n\r")[:1] in {"{", "["}:
            yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
