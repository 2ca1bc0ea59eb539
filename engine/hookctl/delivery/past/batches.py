"""Bulk work in several commits, so that a runner on the same store never waits long for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

COMMIT = 500
"""Deliveries that are changed in one commit."""


def batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """The items, as many at a time as one commit should change."""
    for start in range(0, len(items), COMMIT):
        yield items[start : start + COMMIT]
