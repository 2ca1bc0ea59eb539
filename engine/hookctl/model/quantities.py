"""Durations, rates, sizes and counts: how they are read, as an author writes them, and how they are shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache

DURATION = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)(ms|s|m|h|d)")
RATE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)/(s|m|h)")
SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,15})?) ?(kB|MB|GB|TB)", re.ASCII)
DECIMALS = 3
WRITTEN = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,3})?[^0-9.]")
"""How long the number may be in a file: see ``webhook.schema.json``."""
SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}
BYTES = {"kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}


@lru_cache(maxsize=256)
def seconds(text: str) -> float:
    """The seconds of ``500ms``, ``5s``, ``5m``, ``2h`` or ``1d``. Raises ValueError for anything else."""
    match = DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration")
    return canonical_number(float(Decimal(match[1]) * SECONDS[match[2]]))


def size_bytes(text: str) -> float:
    """The bytes of ``500kB``, ``100MB``, ``20GB`` or ``1TB``. Raises ValueError for anything else."""
    match = SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a size")
    return float(match[1]) * BYTES[match[2]]


@lru_cache(maxsize=256)
def per_second(text: str) -> float:
    """The rate of ``50/s``, ``100/m`` or ``1000/h`` per second. Raises ValueError for anything else."""
    match = RATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a rate")
    return canonical_number(float(Decimal(match[1]) / SECONDS[match[2]]))


def duration_text(number: float) -> str:
    """A duration that :func:`seconds` reads as ``number`` seconds: ``5s``, ``90m``, ``0.5s``.

    The unit is the largest of which it is a whole number, or else the first that fits. Raises ValueError where none
    does.
    """
    return _text(number, lambda exact, unit: exact / SECONDS[unit], ("d", "h", "m", "s", "ms"), seconds, "")


def rate_text(number: float) -> str:
    """A rate that :func:`per_second` reads as ``number`` per second: ``50/s``, ``100/m``.

    Raises ValueError where no rate is read so.
    """
    return _text(number, lambda exact, unit: exact * SECONDS[unit], ("s", "m", "h"), per_second, "/")


def _text(
    number: float,
    count: Callable[[Decimal, str], Decimal],
    units: Iterable[str],
    read: Callable[[str], float],
    between: str,
) -> str:
    """A count of up to six digits and three decimals with a unit that reads as ``number``: a whole one if possible."""
    fallback = ""
    try:
        exact = Decimal(repr(number))
        for unit in units:
            counted = round(count(exact, unit), DECIMALS).normalize()
            text = f"{counted:f}{between}{unit}"
            if not WRITTEN.match(text) or read(text) != number:
                continue
            if counted and counted == counted.to_integral_value() and unit != "ms":
                return text
            fallback = text if unit == "s" or not fallback else fallback
    except (ArithmeticError, ValueError):  # not a number at all, or one that is out of all bounds
        pass
    if not fallback:
        raise ValueError(f"{number!r} cannot be written as a number and a unit")
    return fallback


def span(number: float) -> str:
    """Seconds for people, rounded to what matters: ``27h35m``, ``5m5s``, ``0.5s``."""
    if number < 60:
        return f"{round(number, 1):g}s"
    whole = round(number)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    parts = [f"{hours}h" if hours else "", f"{minutes}m" if minutes else "", f"{rest}s" if rest and not hours else ""]
    return "".join(parts)


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: ``1 file``, ``2 files``, ``1,200 deliveries``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def canonical_number(number: float) -> float:
    """``10`` for both ``10`` and ``10.0``: they are one JSON number, and must give one digest."""
    if isinstance(number, float) and number.is_integer():
        return int(number)
    return number
