"""What a webhook means by itself: all that a plan says of a new one that is told in one line."""

from __future__ import annotations

from typing import NamedTuple

from hookctl.model.delivery_plan import Status


class Traits(NamedTuple):
    """What many webhooks of a directory have in common."""

    event: str
    status: Status
    method: str
    retry_schedule: tuple[float, ...]
    """Seconds before the second, third, ... attempt."""
    timeout_seconds: float
    rate_limit: float | None
    """Deliveries per second; None: no limit."""
    hosts: tuple[str, ...]
    """Those that its auth talks to, for a token."""
    fields: frozenset[str]
    """Of the event: those that leave with a request."""


class Outline(NamedTuple):
    """A delivery plan in short. It follows from the delivery plan and from what plugins describe alone."""

    url: str
    traits: Traits
