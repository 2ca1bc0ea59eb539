"""The limits that both transports share."""

from __future__ import annotations

MAX_HEADER_BYTES = 256 * 1024
"""The maximum header bytes of one response, including interim responses."""
MAX_LIFETIME_SECONDS = 300
"""The maximum seconds for which a connection is kept, because its address was vetted only when it was opened."""
MAX_IDLE_SECONDS = 55
"""Seconds for which it is kept without a request: less than the minute after which many servers close it."""
