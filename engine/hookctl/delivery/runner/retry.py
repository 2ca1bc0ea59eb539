"""The retry policy: what an attempt means for its delivery. Pure, so that a table can test it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

from hookctl.delivery.runner.limits import Health
from hookctl.model import Attempt, DeliveryPlan, DeliveryStatus, FailureKind, Response
from hookctl.model.delivery_plan import JITTER
from hookctl.plugin.calls import Plugins
from hookctl.store.interface import Outcome

MAX_RETRY_AFTER = 3600.0
"""Seconds: a target cannot put its deliveries off for longer than this by ``Retry-After``."""
MAX_REASON = 500

GONE = 410
UNAUTHORIZED = 401
RETRIED_STATUS = frozenset({408, 425, 429})
OVERLOADED_STATUS = frozenset({408, 429})
NOT_THE_TARGETS = frozenset(
    {FailureKind.ADDRESS_BLOCKED, FailureKind.RENDER, FailureKind.PLUGIN, FailureKind.SECRET, FailureKind.LOCAL}
)
"""Failures that say nothing about the target."""
FINAL_FAILURES = frozenset({FailureKind.ADDRESS_BLOCKED, FailureKind.RENDER})
"""Trying again unchanged would end the same way. A missing secret, a refused token and a plugin are repaired outside, so they are tried again."""

WELL = Health(is_well=True)
DELIVERED = Outcome(DeliveryStatus.DELIVERED)
SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)


def decide(
    attempt: Attempt,
    schedule: Sequence[float],
    now: float,
    jitter: float,
    *,
    token_auth: bool = False,
    mismatch_message: str | None = None,
) -> Outcome:
    """The outcome of an attempt.

    Args:
        attempt: what happened; its ``number`` says how much of the schedule is used.
        schedule: seconds before the second, third, ... attempt.
        now: epoch seconds.
        jitter: a random number in [0, 1).
        token_auth: the webhook authenticates with a token that was refreshed after a 401, so another 401 may pass.
        mismatch_message: the webhook's own words for a response that its validators refuse.
    """
    if attempt.failure is None and attempt.succeeded:
        return DELIVERED
    reason = describe(attempt, mismatch_message)
    if attempt.failure is None and attempt.response is not None and attempt.response.status == GONE:
        return Outcome(DeliveryStatus.DEAD, reason, suspend=True)
    if not _worth_a_retry(attempt, token_auth=token_auth):
        return Outcome(DeliveryStatus.DEAD, reason)
    if attempt.number > len(schedule):
        return Outcome(
            DeliveryStatus.DEAD,
            f"{reason}; schedule used up after {attempt.number} attempt{'s' * (attempt.number > 1)}",
        )
    planned = schedule[attempt.number - 1] * (1 + JITTER * jitter)
    asked = retry_after(attempt.response, now) if attempt.response else None
    return Outcome(DeliveryStatus.RETRYING, reason, due_at=now + max(planned, asked or 0.0))


def health(attempt: Attempt) -> Health | None:
    """What an attempt says of its target; None where it says nothing. A refusal, even of everything, comes from a target that is well."""
    if attempt.failure is not None:
        return None if attempt.failure.kind in NOT_THE_TARGETS else Health(is_well=False, reason=describe(attempt))
    status = attempt.response.status if attempt.response else 0
    return Health(is_well=False, reason=describe(attempt)) if status >= 500 or status in OVERLOADED_STATUS else WELL


def was_not_made(attempt: Attempt) -> bool:
    """Whether an attempt does not count, since this machine lacked something for it."""
    return attempt.failure is not None and attempt.failure.kind is FailureKind.LOCAL


def has_token_auth(plan: DeliveryPlan, plugins: Plugins) -> bool:
    """Whether a 401 may be the token's fault: auth that waits for something waits for a token."""
    types = (plugins.auth.get(block.type) for block in plan.auth)
    return any(auth.blocking for auth in types if auth)


def describe(attempt: Attempt, mismatch_message: str | None = None) -> str:
    """Why an attempt did not succeed, in at most :data:`MAX_REASON` characters that can be stored as UTF-8."""
    reason = _describe(attempt, mismatch_message).encode(errors="backslashreplace").decode()
    return reason if len(reason) <= MAX_REASON else reason[: MAX_REASON - 3] + "..."


def _describe(attempt: Attempt, mismatch_message: str | None) -> str:
    if attempt.failure is not None:
        return f"{attempt.failure.kind.value}: {attempt.failure.message}"
    if attempt.response is None:
        return "no response"
    mismatch = next((mismatch for verdict in attempt.verdicts for mismatch in verdict.mismatches), None)
    if mismatch is not None and _is_success(attempt.response.status):
        found = f"{mismatch.validator}: {mismatch.message}"
        return f"{mismatch_message} ({found})" if mismatch_message else found
    return f"HTTP {attempt.response.status} {attempt.response.reason}".rstrip()


def retry_after(response: Response, now: float) -> float | None:
    """The seconds that a response's ``Retry-After`` asks for, whole and at most :data:`MAX_RETRY_AFTER`; None when absent or not valid."""
    text = next((value.strip() for name, value in response.headers if name.lower() == "retry-after"), "")
    if SECONDS.fullmatch(text):
        seconds = float(text)
    else:
        try:
            date = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
    return float(math.ceil(min(max(seconds, 0.0), MAX_RETRY_AFTER)))


def _worth_a_retry(attempt: Attempt, *, token_auth: bool) -> bool:
    if attempt.failure is not None:
        return attempt.failure.kind not in FINAL_FAILURES
    status = attempt.response.status if attempt.response else 0
    return _is_success(status) or status >= 500 or status in RETRIED_STATUS or (status == UNAUTHORIZED and token_auth)


def _is_success(status: int) -> bool:
    return 200 <= status < 300
