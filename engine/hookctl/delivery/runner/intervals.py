"""How often the runner does what, and how much at a time."""

from __future__ import annotations

STATE_SECONDS = 0.5
"""The maximum age of the applied state when a delivery starts, in seconds."""
CLAIM_SECONDS = 0.01
"""Seconds between two claims while anything is claimed: each claim is a commit."""
GROUP_SECONDS = 0.025
"""Seconds that a result waits at most for others, or for events, to share its commit: each waits for the disk."""
RESULTS_BATCH = 512
"""The number of results that are recorded at once, without waiting for :data:`GROUP_SECONDS`."""
MAX_AHEAD = 2048
"""The maximum number of claimed deliveries that are not in flight yet."""
POLL_SECONDS = 0.25
"""The maximum length of one poll while a commit is in flight, in seconds."""
LEASE_SECONDS = 60.0
"""Seconds for which a stalled worker keeps its deliveries from others."""
RENEW_SECONDS = LEASE_SECONDS / 3
"""Seconds between two renewals of the leases on claims."""
