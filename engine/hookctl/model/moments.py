"""Points in time as people write them: a date, a date and a time, or how long ago it was."""

from __future__ import annotations

from datetime import UTC, datetime

from hookctl.model import quantities

LONGEST_DAYS = 3650
"""Longer durations are refused: the system's clocks and timers do not take every number."""


def moment_at(text: str, now: float) -> float:
    """``2026-11-28``, ``2026-11-28T09:30Z``, or a time ago such as ``2h`` or ``3d``, in epoch seconds.

    A time without a zone is in UTC, like every time that hookctl prints. Raises ValueError, with a message for people,
    for text that is not a time.
    """
    try:
        if "-" not in text:  # every date has one, and no duration
            return now - duration_of(text)
        at = datetime.fromisoformat(text)
    except _TooLongError:
        raise
    except ValueError:
        raise ValueError(
            f"{text!r} is not a time. Write a date, such as 2026-11-28 or 2026-11-28T09:30Z, or how long ago it was, "
            "such as 30m, 2h or 3d."
        ) from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def duration_of(text: str) -> float:
    """``500ms``, ``30s``, ``5m``, ``2h``, ``1d``, or a bare number of seconds; in seconds.

    Raises ValueError, with a message for people, for text that is not a duration.
    """
    try:
        found = quantities.seconds(f"{text}s" if text[-1:].isdecimal() else text)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a duration. Write a number and its unit, such as 500ms, 30s, 5m, 2h or 1d; "
            "a number without a unit is in seconds."
        ) from None
    if found > LONGEST_DAYS * 86400:
        raise _TooLongError(f"{text!r} is too long. A duration is at most {LONGEST_DAYS}d.")
    return float(found)


class _TooLongError(ValueError):
    """A duration that is too long."""
