"""The structural difference of two requests, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from json.encoder import encode_basestring

from hookctl.config.effects.structure import INSIDE, JsonText, Marker, Masked, Opened, Part, Path, Step, closed, size
from hookctl.json.paths import ANY, field_text, path_text
from hookctl.model import Json
from hookctl.report.text.printable import printable

SIGNS = {"add": "+", "remove": "-", "change": "~"}
CONTEXT = 2
"""The most consecutive unchanged values that are shown; more are folded."""
MAX_INLINE = 100
"""The most characters of an object or a list in one line."""
MAX_TEXT = 160
"""The most characters of a text that are shown."""
MAX_LINES = 60
"""The most lines of a value that are shown."""
LEAD = 20
"""Characters that are shown before the first difference of two long texts."""


def difference_lines(steps: Sequence[Step]) -> Iterator[tuple[str, str]]:
    """Each line, with its sign. A short run of unchanged values is shown, a longer one is folded into a count."""
    shown = [
        step for step in steps if step.path != ("headers",) or step.after != {}
    ]  # a request without headers has no line for them
    for same, group in groupby(shown, key=lambda step: step.same):
        run = list(group)
        if not same:
            yield from (line for step in run for line in _changed(step))
            continue
        count = sum(size(step.after) for step in run)
        if count <= CONTEXT:
            yield from ((" ", f"{place(step.path)}: {_shown(step, step.after)}") for step in run)
        else:
            yield " ", f"... {count} unchanged"


def difference_document(step: Step) -> dict[str, Json]:
    """One difference, as ``schemas/plan.schema.json`` has it."""
    part, *rest = step.path
    return {
        "op": step.op,
        "part": str(part),
        "path": [str(name) for name in rest]
        if part == "headers"
        else [*json_paths(rest)]
        if part in {"auth", "body"}
        else [],
        "before": closed(step.before),
        "after": closed(step.after),
        "secret": isinstance(step.before, Masked) or isinstance(step.after, Masked),
    }


def place(path: Path) -> str:
    """Where a difference is, for people: ``url``, ``headers.X-Source``, ``body $.items[0].id``.

    A value inside a string of JSON text is ``body $.payload (JSON text) $.id``.
    """
    part, *rest = path or ("request",)
    if part in {"headers", "auth"}:
        return printable(field_text(step for step in path if not isinstance(step, Marker)))
    return f"body {printable(' (JSON text) '.join(json_paths(rest)))}" if part == "body" else printable(str(part))


def json_paths(path: Sequence[Part]) -> list[str]:
    """A path in a body as JSONPaths: the first leads to a string, the next leads on in that string's JSON text."""
    if INSIDE in path:
        cut = path.index(INSIDE)
        return [*json_paths(path[:cut]), *json_paths(path[cut + 1 :])]
    return [path_text("$", (ANY if isinstance(step, Marker) else step for step in path))]


def _changed(step: Step) -> Iterator[tuple[str, str]]:
    sign = SIGNS[step.op]
    sides = [(mark, value) for mark, value in (("-", step.before), ("+", step.after)) if not isinstance(value, Marker)]
    if not any(_is_long(value) for _, value in sides):
        yield sign, f"{place(step.path)}: {_change(step) if len(sides) == 2 else _shown(step, sides[0][1])}"
        return
    yield sign, f"{place(step.path)}:"
    for mark, value in sides:
        lines = list(_laid_out(value))
        yield from ((mark, f"  {line}") for line in lines[:MAX_LINES])
        if len(lines) > MAX_LINES:
            yield mark, f"  ... {len(lines) - MAX_LINES} more lines"


def _is_long(value: Opened) -> bool:
    return isinstance(value, dict | list | JsonText) and len(_inline(value)) > MAX_INLINE


def _shown(step: Step, value: Opened | Marker) -> str:
    """Text of the body as JSON, which distinguishes ``"1"`` from ``1``; everything else is always text."""
    text = value.text if isinstance(value, Masked) else value
    return printable(text) if isinstance(text, str) and step.path[0] != "body" else _inline(value)


def _change(step: Step) -> str:
    before, after = step.before, step.after
    if isinstance(before, str) and isinstance(after, str) and max(len(before), len(after)) > MAX_TEXT:
        start = next(
            (index for index, (old, new) in enumerate(zip(before, after, strict=False)) if old != new),
            min(len(before), len(after)),
        )
        start = max(0, start - LEAD)
        return f"{_cut(before, start)} -> {_cut(after, start)}"
    old, new = _shown(step, before), _shown(step, after)
    if old == new and isinstance(before, Masked) and isinstance(after, Masked):
        return f"{old} -> {new} (another secret)"
    return f"{old} -> {new}"


def _inline(value: Opened | Marker) -> str:
    """A value in one line, as JSON."""
    if isinstance(value, Masked):
        return _quoted(value.text)
    if isinstance(value, JsonText):
        return f"JSON text {_inline(value.value)}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(key)}: {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return _cut(value, 0) if isinstance(value, str) else printable(json.dumps(closed(value)))


def _laid_out(value: Opened, lead: str = "", tail: str = "") -> Iterator[str]:
    if isinstance(value, JsonText):
        yield from _laid_out(value.value, f"{lead}JSON text ", tail)
    elif isinstance(value, dict | list) and value:
        is_object = isinstance(value, dict)
        items = (
            [(f"{_quoted(key)}: ", item) for key, item in value.items()]
            if isinstance(value, dict)
            else [("", item) for item in value]
        )
        yield lead + ("{" if is_object else "[")
        for number, (name, item) in enumerate(items, 1):
            yield from (f"  {line}" for line in _laid_out(item, name, "," if number < len(items) else ""))
        yield ("}" if is_object else "]") + tail
    else:
        yield f"{lead}{_inline(value)}{tail}"


def _cut(text: str, start: int) -> str:
    shown = text[start : start + MAX_TEXT]
    return (
        ("..." if start else "")
        + _quoted(shown)
        + (f"... ({len(text)} characters)" if start + MAX_TEXT < len(text) else "")
    )


def _quoted(text: str) -> str:
    return printable(encode_basestring(text))
