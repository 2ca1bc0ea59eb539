"""Durations, rates and numbers as an author writes them, and as a delivery plan holds them."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

DURATION = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)(ms|s|m|h|d)")
RATE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)/(s|m|h)")
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


def canonical_number(number: float) -> float:
    """``10`` for both ``10`` and ``10.0``: they are one JSON number, and must give one digest."""
    if isinstance(number, float) and number.is_integer():
        return int(number)
    return number
