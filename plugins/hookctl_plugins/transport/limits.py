"""The bounds that both transports share."""

from __future__ import annotations

MAX_HEADER_BYTES = 256 * 1024
"""Of one response, interim responses included."""
MAX_LIFETIME_SECONDS = 300
"""How long a connection is kept at most: until then the addresses that were vetted when it was dialled hold."""
MAX_IDLE_SECONDS = 55
"""How long it is kept without a request: shorter than the minute after which many servers close."""
