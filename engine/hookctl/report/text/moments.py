"""Points in time, as text."""

from __future__ import annotations

import time


def shown(at: float) -> str:
    """Epoch seconds for people: ``2026-11-28 09:30:00 UTC``."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))


def iso(at: float) -> str:
    """Epoch seconds as the options of commands take them, rounded down: ``2026-11-28T09:30:00Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
