"""Durations, rates and numbers as an author writes them, and as a delivery plan holds them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache

DURATION = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)(ms|s|m|h|d)")
RATE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)/(s|m|h)")
DECIMALS = 3
WRITTEN = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,3})?[^0-9.]")
"""How long the number may be in a file: see ``webhook.schema.json``."""
SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}


@lru_cache(maxsize=256)
def seconds(text: str) -> float:
    """The seconds of ``500ms``, ``5s``, ``5m``, ``2h`` or ``1d``. Raises ValueError for anything else."""
    match = DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no duration")
    return canonical_number(float(Decimal(match[1]) * SECONDS[match[2]]))


@lru_cache(maxsize=256)
def per_second(text: str) -> float:
    """The rate of ``50/s``, ``100/m`` or ``1000/h`` per second. Raises ValueError for anything else."""
    match = RATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no rate")
    return canonical_number(float(Decimal(match[1]) / SECONDS[match[2]]))


def duration_text(number: float) -> str:
    """A duration that :func:`seconds` reads as ``number`` seconds. Raises ValueError where none is written so."""
    return _text(number, lambda exact, unit: exact / SECONDS[unit], SECONDS, seconds, "")


def rate_text(number: float) -> str:
    """A rate that :func:`per_second` reads as ``number`` per second. Raises ValueError where none is written so."""
    return _text(number, lambda exact, unit: exact * SECONDS[unit], ("s", "m", "h"), per_second, "/")


def _text(
    number: float,
    count: Callable[[Decimal, str], Decimal],
    units: Iterable[str],
    read: Callable[[str], float],
    between: str,
) -> str:
    """The first of the units in which a count of up to six digits, and three decimals, is read as ``number``."""
    try:
        exact = Decimal(repr(number))
        for unit in units:
            text = f"{round(count(exact, unit), DECIMALS):f}{between}{unit}"
            if WRITTEN.match(text) and read(text) == number:
                return text
    except (ArithmeticError, ValueError):  # not a number at all, or one that is out of all bounds
        pass
    raise ValueError(f"{number!r} cannot be written as a number and a unit")


def canonical_number(number: float) -> float:
    """``10`` for both ``10`` and ``10.0``: they are one JSON number, and must give one digest."""
    if isinstance(number, float) and number.is_integer():
        return int(number)
    return number
