"""Finds keys that occur twice in one object, because readers differ in which of the two values they use.

Repeated keys in the template's own text are found when it is checked; those from events, in each rendered body.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from hookctl.errors import RenderError
from hookctl.json.strict import RepeatedKeyError, unique_keys
from hookctl.model import Json
from hookctl.template.proof.json_tokens import Fork, JsonToken, Loop, Mark


def written_twice(tokens: Sequence[JsonToken], certain: Sequence[frozenset[str]] = ()) -> Iterator[Mark]:
    """The repeated keys in a template's proved tokens: keys that are already in their object on every path.

    ``certain`` are the keys that the enclosing objects certainly have. A key that only some branch or loop before it
    writes is not found.
    """
    names: list[set[str]] = [*map(set, certain)] or [set()]
    last: Mark | None = None
    for token in tokens:
        if isinstance(token, Mark):
            kind = token.kind
            if kind == "string":
                last = token
                continue
            if kind == ":" and last:
                key = _key(last.text)
                if key in names[-1]:
                    yield last
                names[-1].add(key)
            elif kind in "{[]}":
                names = [*names, set()] if kind in "{[" else names[:-1] or [set()]
        elif isinstance(token, (Fork, Loop)):
            around = [*map(frozenset, names)]
            for body in token.bodies:
                yield from written_twice(body, around)
            if any(map(_depth, token.bodies)):
                return  # a bracket that opens in one branch and closes in another is not followed
        last = None


def _depth(tokens: Sequence[JsonToken]) -> int:
    """How many more objects and lists are open after the tokens than before them."""
    kinds = Counter(token.kind for token in tokens if isinstance(token, Mark))
    inner = (body for token in tokens if isinstance(token, (Fork, Loop)) for body in token.bodies)
    return kinds["{"] + kinds["["] - kinds["}"] - kinds["]"] + sum(map(_depth, inner))


def _key(text: str) -> str:
    """A string of the template with its quotes, in one form for all ways to write its characters."""
    return f'"{json.loads(text)}"' if "\\" in text else text


def refuse_repeated_keys(body: str, depth: int) -> None:
    """Refuse a body in which an object has a key twice: readers differ in which of the two values they use.

    Args:
        body: JSON text.
        depth: How many nested JSON texts to check, each in a string of the one before; 1 for only the body.

    Raises:
        RenderError: An object has a key twice. The message names the key.
    """
    try:
        # Numbers remain text: their values do not matter here, and Python refuses to read very long ones.
        document = json.loads(body, object_pairs_hook=unique_keys, parse_int=str, parse_float=str)
    except RepeatedKeyError as error:
        raise RenderError(
            f"the key {json.dumps(error.key)[:100]} would appear twice in one object",
            hint="Send what the event gives as a value, not as a key.",
        ) from None
    for text in _texts(document) if depth > 1 else ():
        try:
            refuse_repeated_keys(text, depth - 1)
        except ValueError:
            continue  # prose, which has no keys


def _texts(value: Json) -> Iterator[str]:
    """The strings that may be JSON text."""
    if isinstance(value, str):
        if value.lstrip(" \t\n\r")[:1] in {"{", "["}:
            yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
