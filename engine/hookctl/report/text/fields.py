"""The fields of a delivery plan, as they are written in a webhook file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache

from hookctl.json.difference import common_ends
from hookctl.json.paths import field_text
from hookctl.model import Change, FieldChange, Json, Pointer
from hookctl.model.quantities import duration_text, rate_text
from hookctl.report.text.printable import printable

LONG_TEXTS = {("body_template",)}
"""Fields that are shown line by line."""
MAX_PAIRS = 4_000_000
"""The most pairs of lines for which two texts are compared; of longer texts, only equal ends are recognized."""
_JSON_STARTS = frozenset('"[{-0123456789tfnNI')
"""The first characters of JSON values, including ``NaN`` and ``Infinity``, which Python accepts."""


def label(pointer: Pointer, change: Change) -> str:
    """The field's name as in a webhook file: ``headers.X-Source``, ``retry.schedule``, ``auth[1].type``."""
    return _label(
        pointer,
        has_one_auth=pointer[0] == "auth"
        and all(len(plan.auth) <= 1 for plan in (change.before, change.after) if plan),
    )


@lru_cache(maxsize=1024)
def _label(pointer: Pointer, *, has_one_auth: bool) -> str:
    if pointer == ("retry_schedule",):
        return "retry.schedule"
    return printable(
        field_text(part for index, part in enumerate(pointer) if not _is_inner(pointer, index, has_one_auth))
    )


def value(pointer: Pointer, json_value: Json) -> str:
    """A field's value in one line.

    Text stands as it is, unless it would read as something else: ``"10"`` is text, ``10`` a number.
    """
    if pointer == ("retry_schedule",) and isinstance(json_value, list):
        return ", ".join(duration(delay) for delay in json_value if isinstance(delay, int | float)) or "no retries"
    if pointer == ("rate_limit",) and isinstance(json_value, int | float):
        return rate(json_value)
    if isinstance(json_value, str) and _reads_as_text(json_value):
        return printable(json_value)
    return printable(json.dumps(json_value, ensure_ascii=False))


def duration(seconds: float) -> str:
    """Seconds as an author writes them: ``5s``, ``30m``, ``10h``, ``0.5s``."""
    try:
        return duration_text(seconds)
    except ValueError:  # no file has it, but a saved plan that somebody made may
        return f"{seconds:.15g}s"


def rate(per_second: float) -> str:
    """A rate as an author writes it: ``50/s``, ``100/m``."""
    try:
        return rate_text(per_second)
    except ValueError:  # as above
        return f"{per_second:.6g}/s"


def field_lines(field: FieldChange, change: Change) -> Iterator[tuple[str, str]]:
    """One changed field in lines, each with its sign: ``+``, ``~``, ``-``, or a space for an unchanged line."""
    name = label(field.pointer, change)
    sign = "+" if field.before is None else "-" if field.after is None else "~"
    if field.pointer in LONG_TEXTS:
        yield sign, f"{name}:"
        yield from ((mark, f"  {line}") for mark, line in _text_lines(str(field.before or ""), str(field.after or "")))
    elif sign == "~":
        yield sign, f"{name}: {value(field.pointer, field.before)} -> {value(field.pointer, field.after)}"
    else:
        yield sign, f"{name}: {value(field.pointer, field.after if field.before is None else field.before)}"


def _is_inner(pointer: Pointer, index: int, has_one_auth: bool) -> bool:
    """Whether a webhook file lacks this part: ``settings`` of a block, or the index if both sides have one auth."""
    if pointer[0] == "transport":
        return index == 1 and pointer[1] == "settings"
    if pointer[0] in {"auth", "response_validators"}:
        return (index == 1 and has_one_auth) or (index == 2 and pointer[2] == "settings")
    return False


def _reads_as_text(text: str) -> bool:
    if not text or text != text.strip():
        return False
    if text[0] not in _JSON_STARTS:
        return True
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return True
    return False


def _text_lines(before: str, after: str) -> Iterator[tuple[str, str]]:
    old, new = (
        before.removesuffix("\n").split("\n") if before else [],
        after.removesuffix("\n").split("\n") if after else [],
    )
    if not old or not new:  # nothing to compare
        yield from (("-", printable(line)) for line in old)
        yield from (("+", printable(line)) for line in new)
        return
    from difflib import unified_diff  # only for a text that was changed

    if old == new:
        yield " ", "(only the final line break)"
    if len(old) * len(new) > MAX_PAIRS:
        start, end = common_ends(old, new)
        yield from ((" ", "...") for _ in range(start > 0))
        yield from (("-", printable(line)) for line in old[start : len(old) - end])
        yield from (("+", printable(line)) for line in new[start : len(new) - end])
        return
    for line in list(unified_diff(old, new, lineterm=""))[2:]:
        if line.startswith("@@"):
            if int(line.split()[1].partition(",")[0]) < -1:  # @@ -12,7 +12,8 @@: eleven lines are left out
                yield " ", "..."
        else:
            yield line[0], printable(line[1:])
