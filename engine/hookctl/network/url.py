"""URL rules: one spelling only, so that no two parsers can read a URL differently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UrlProblem:
    """What is wrong with a URL. ``start`` and ``end`` are offsets in characters, end exclusive."""

    rule: str
    message: str
    hint: str
    start: int
    end: int


def check_url(url: str) -> Sequence[UrlProblem]:
    """Everything that keeps ``url`` from being a webhook's target; empty when it may be one. Looks at the text alone, never at the network.

    References (``${scheme:key}``) may stand in path and query.
    """
    raise NotImplementedError
