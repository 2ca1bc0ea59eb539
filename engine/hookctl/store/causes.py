"""Why attempts failed, so that those that failed for the same reason are counted together.

A cause is a result, such as ``503`` or ``timeout``, and a head: the first lines of the response's body or of the
failure's message, without what differs each time, such as request ids and times.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec
from msgspec import Struct
from msgspec.json import Decoder

from hookctl.model import Attempt, FailureKind
from hookctl.store.texts import attempt_from_text

MISMATCH = "mismatch"
MAX_BODY = 4_000
"""Characters of a body that are read."""
MAX_LINES, MAX_LINE = 12, 120
MAX_DIGITS = 9
"""Of the number of a cause."""
VARYING = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?"  # dates and times
    r"|\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?"
    r"|\b(?=[\w-]*\d)[\w-]{12,}\b"  # ids
    r"|\d{5,}"
)
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
CLASS = re.compile(r"\dxx", re.ASCII)
TAG = re.compile(r"<[^>]*>")
HTTP_STATUS = re.compile(r"\bHTTP (\d{3})\b", re.ASCII)


class Last(Struct):
    """The part of an attempt's record that says how it ended; the decoder skips the rest."""

    plan_digest: str = ""
    started_at: float = 0.0
    timing: _Timing | None = None
    response: _Response | None = None
    failure: _Failure | None = None
    verdicts: list[_Verdict] = []


class _Timing(Struct):
    total: float = 0.0


class _Response(Struct):
    status: int
    reason: str = ""
    body: msgspec.Raw = msgspec.Raw(b'""')


class _Failure(Struct):
    kind: str
    message: str = ""


class _Verdict(Struct):
    mismatches: list[msgspec.Raw] = []


_decode = Decoder(Last).decode


def read(record: object) -> Last | Attempt | None:
    """How an attempt ended, from its record in bytes; None if that is damaged."""
    if not isinstance(record, bytes):
        return None
    try:
        return _decode(record)
    except (msgspec.MsgspecError, RecursionError):
        pass  # a mismatch may hold an infinite number, which only Python's own parser reads
    try:
        return attempt_from_text(record.decode())
    except (KeyError, TypeError, ValueError, RecursionError, AttributeError):
        return None


def result_of(attempt: Last | Attempt) -> str:
    """How an attempt ended, as the column ``result`` has it: ``503``, ``timeout``, or ``mismatch 200``."""
    failure, response = attempt.failure, attempt.response
    if failure is not None:
        return str(failure.kind)
    status = response.status if response else 0
    if 200 <= status < 300:
        for verdict in attempt.verdicts:
            if verdict.mismatches:
                return f"{MISMATCH} {status}"
    return str(status)


def shown(result: str) -> str:
    """A result as lists show it: a status, a kind of failure, or ``mismatch``."""
    return MISMATCH if result.startswith(MISMATCH) else result


def pattern_of(cause: str) -> str:
    """The pattern of ``GLOB`` for results with a cause as filters have it; some others may fit it too."""
    if cause == MISMATCH:
        return f"{MISMATCH}*"
    return f"{cause[0]}[0-9][0-9]" if CLASS.fullmatch(cause) else re.sub(r"([*?\[])", r"[\1]", cause)


def has_cause(result: str, cause: str) -> bool:
    """Whether a result, as ``result_of`` writes it, has the cause of a filter."""
    status = result.removeprefix(MISMATCH).lstrip()
    if not status.isdecimal():
        return result == cause
    return cause in {status, f"{int(status) // 100}xx"} or (cause == MISMATCH and status != result)


def cause_number(text: str) -> int:
    """The number of a cause in the key of a group; 0 for none, and -1, which no cause has, for text that is not one."""
    return int(text) if text.isdecimal() and len(text) <= MAX_DIGITS else -1


def head_of(record: object) -> str:
    """The head of the cause of a failed attempt, from its record in bytes; empty if there is nothing to read."""
    last = read(record)
    if last is None:
        return ""
    if last.failure is not None:
        return _head(last.failure.message)
    if isinstance(last, Attempt):
        return _head((last.response.body if last.response else b"").decode(errors="replace"))
    try:
        body = msgspec.json.decode(last.response.body) if last.response else ""
    except (msgspec.MsgspecError, RecursionError):
        return ""
    return _head(body) if isinstance(body, str) else ""


def head_of_reason(reason: object) -> str:
    """The head of the cause of deliveries that were never tried."""
    return _head(reason) if isinstance(reason, str) else ""


def cause_in(reason: str) -> str:
    """The cause that a stored reason names: ``401`` in one about ``HTTP 401``; empty if it names none."""
    if match := HTTP_STATUS.search(reason):
        return match[1]
    kind = reason.removeprefix("the webhook is held: ").partition(":")[0]
    return kind if kind in set(FailureKind) else ""


def lines_of(heads: Sequence[str]) -> list[str]:
    """For each of different heads, its first line that tells it from the others.

    For a head that is alone, the first line that has text outside tags; for one that has no such line, the last line.
    """
    split = [head.split("\n") for head in heads]
    shared = Counter(tuple(lines[: count + 1]) for lines in split for count in range(len(lines)))
    return [_line(lines, shared) for lines in split]


def _line(lines: Sequence[str], shared: Mapping[tuple[str, ...], int]) -> str:
    differing = [line for count, line in enumerate(lines) if shared[tuple(lines[: count + 1])] == 1]
    return next((line for line in differing if _has_text(line)), (differing or lines)[-1])


def _has_text(line: str) -> bool:
    """Whether a line is more than tags of HTML, or the beginning of an object or array of JSON."""
    return bool(TAG.sub("", line).strip()) and not line.endswith(("{", "["))


def lines_by_result(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """For each result with a head, the line of the head that tells it from the others with the same result."""
    of_result: dict[str, list[str]] = {}
    for result, head in pairs:
        of_result.setdefault(result, []).append(head)
    lines = {
        (result, head): line
        for result, heads in of_result.items()
        for head, line in zip(heads, lines_of(heads), strict=True)
    }
    return [lines[pair] for pair in pairs]


def _head(text: str) -> str:
    text = text[:MAX_BODY]
    if text.lstrip()[:1] in {"{", "["}:
        with suppress(ValueError, RecursionError):  # it is cut off, or not JSON
            text = json.dumps(json.loads(text), indent=0, ensure_ascii=False)
    lines = (UNPRINTABLE.sub(" ", VARYING.sub("#", line)).strip().rstrip(",") for line in text.splitlines())
    return "\n".join([line[:MAX_LINE] for line in lines if line.strip("{}[], ")][:MAX_LINES])
