"""Why deliveries are held or cancelled without an attempt."""

from __future__ import annotations

REMOVED = "the webhook was removed"
INACTIVE = "the webhook is inactive"


def held_reason(reason: str) -> str:
    """The reason of a delivery whose webhook is held for ``reason``."""
    return f"the webhook is held: {reason}"
