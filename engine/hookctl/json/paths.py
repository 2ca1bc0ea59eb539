"""Paths into JSON values, as steps and as text: one function for each notation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

Step = str | int
"""One step of a path: an object's key or a list's index (negative ones count from the end)."""

ANY = None
"""A step for any item of a list."""
_STEP = re.compile(r'\.?(?P<key>[^.\[\]]+)|\[(?P<index>\*|[0-9]+)\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')


def path_text(root: str, steps: Iterable[Step | None]) -> str:
    """A path as an expression writes it: ``data.groups[0]["a-b"]``, or ``$.groups[*].id`` for the root ``$``."""
    text = root
    for step in steps:
        if step is ANY:
            text += "[*]"
        elif isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if step.isidentifier() else f"[{json.dumps(step, ensure_ascii=False)}]"
    return text


def field_text(steps: Iterable[Step]) -> str:
    """A field of a file or of an event, as its author writes it: ``auth[0].scopes``, ``headers.X-Source``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def pointer_text(steps: Iterable[Step]) -> str:
    """A path as a JSON Pointer (RFC 6901), which other tools can follow: ``/auth/0/scopes``."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def pointer_steps(pointer: str) -> list[str]:
    """The keys of a JSON Pointer; an index remains text. A leading ``#``, as in a schema's reference, is removed."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.removeprefix("#").split("/")[1:]]


def steps_of(path: str) -> Iterator[Step | None]:
    """The steps of a path that :func:`path_text` wrote, without an index that counts from the end."""
    for match in _STEP.finditer(path):
        if match["index"]:
            yield ANY if match["index"] == "*" else int(match["index"])
        else:
            yield json.loads(match["quoted"]) if match["quoted"] else match["key"]
