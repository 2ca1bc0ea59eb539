"""What an attempt's result means for its delivery: one table, and functions that look a result up in it.

Nothing here has side effects. ``docs/delivery.md`` shows :data:`TABLE`, and a test keeps the two equal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum

from hookctl.delivery.runner.limits import Health
from hookctl.model import Attempt, DeliveryPlan, DeliveryStatus, FailureKind, Response
from hookctl.model.delivery_plan import JITTER
from hookctl.plugin.calls import Plugins
from hookctl.store.records import Outcome

MAX_RETRY_AFTER = 3600.0
"""The maximum number of seconds by which a target can postpone its deliveries with ``Retry-After``."""
MAX_REASON = 500
"""The maximum number of characters of a stored reason."""


class Decision(StrEnum):
    """What happens to the delivery after an attempt."""

    DELIVERED = "delivered"
    RETRY = "retry"
    """Try again according to the schedule; dead once the schedule is used up."""
    DEAD = "dead"
    DEAD_AND_SUSPEND = "dead, and the webhook is suspended"
    NOT_COUNTED = "not counted"
    """The attempt is not recorded, and the delivery goes back into the queue."""


class Signal(StrEnum):
    """What an attempt shows about its target, for the webhook's circuit."""

    SUCCESS = "success"
    FAILURE = "failure"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: results that have the same consequences."""

    results: tuple[str, ...]
    """A status (``410``), a class of statuses (``5xx``), a kind of failure, or one of the two constants below."""
    decision: Decision
    signal: Signal
    why: str


MISMATCH = "mismatch"
"""A 2xx response that a response validator rejects."""
TOKEN_REFUSED = "401 with a token"  # noqa: S105 - a result
"""A 401 after the token was refreshed once. Only auth that obtains tokens has this result."""

# A status is looked up before its class, so the order of the rows does not matter.
TABLE = (
    Row(("2xx",), Decision.DELIVERED, Signal.SUCCESS, "The target accepted the event, and every validator passes."),
    Row((MISMATCH,), Decision.RETRY, Signal.SUCCESS, "The target answers, but has not accepted the event yet."),
    Row(("408", "429", "5xx"), Decision.RETRY, Signal.FAILURE, "The target is overloaded or broken for now."),
    Row(("425",), Decision.RETRY, Signal.SUCCESS, "The target asks for the request to be sent again later."),
    Row(
        (
            FailureKind.NAME_NOT_FOUND.value,
            FailureKind.CONNECT.value,
            FailureKind.TLS.value,
            FailureKind.TIMEOUT.value,
            FailureKind.CUT_RESPONSE.value,
            FailureKind.TRANSPORT.value,
        ),
        Decision.RETRY,
        Signal.FAILURE,
        "There is no complete response.",
    ),
    Row((FailureKind.TOKEN.value,), Decision.RETRY, Signal.FAILURE, "The token endpoint failed or refused."),
    Row((TOKEN_REFUSED,), Decision.RETRY, Signal.SUCCESS, "A new token may be accepted later."),
    Row(
        (FailureKind.SECRET.value, FailureKind.PLUGIN.value),
        Decision.RETRY,
        Signal.NOTHING,
        "Someone can fix this on hookctl's machine while the delivery waits.",
    ),
    Row((FailureKind.LOCAL.value,), Decision.NOT_COUNTED, Signal.NOTHING, "This machine has run out of a resource."),
    Row(("410",), Decision.DEAD_AND_SUSPEND, Signal.SUCCESS, "The target wants no more events."),
    Row(("1xx", "3xx", "4xx"), Decision.DEAD, Signal.SUCCESS, "The same request would get the same answer."),
    Row(
        (FailureKind.ADDRESS_BLOCKED.value, FailureKind.RENDER.value),
        Decision.DEAD,
        Signal.NOTHING,
        "No request can be sent, and trying again would end the same way.",
    ),
)
_ROWS = {result: row for row in TABLE for result in row.results}

WELL = Health(is_well=True)
DELIVERED = Outcome(DeliveryStatus.DELIVERED)
UNAUTHORIZED = 401
SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)


def look_up(attempt: Attempt, *, token_auth: bool = False) -> Row:
    """The row of :data:`TABLE` for the result of an attempt. A failure has priority over a status."""
    if attempt.failure is not None:
        return _ROWS[attempt.failure.kind.value]
    status = attempt.response.status if attempt.response else 0
    if _is_success(status) and not attempt.succeeded:
        return _ROWS[MISMATCH]
    if status == UNAUTHORIZED and token_auth:
        return _ROWS[TOKEN_REFUSED]
    # A transport may return a status that HTTP does not define.
    return _ROWS.get(str(status)) or _ROWS[f"{min(max(status // 100, 1), 5)}xx"]


def decide(
    attempt: Attempt,
    schedule: Sequence[float],
    now: float,
    jitter: float,
    *,
    token_auth: bool = False,
    mismatch_message: str | None = None,
) -> Outcome:
    """The outcome of an attempt that counts; see :func:`was_not_made`.

    Args:
        attempt: The attempt; its ``number`` shows how much of the schedule is used.
        schedule: Seconds before the second, third, ... attempt.
        now: Epoch seconds.
        jitter: A random number in [0, 1).
        token_auth: Whether the webhook uses a token, which was refreshed after a 401.
        mismatch_message: The webhook's own message for a response that its validators reject.
    """
    decision = look_up(attempt, token_auth=token_auth).decision
    if decision is Decision.DELIVERED:
        return DELIVERED
    reason = describe(attempt, mismatch_message)
    if decision is Decision.DEAD or decision is Decision.DEAD_AND_SUSPEND:
        return Outcome(DeliveryStatus.DEAD, reason, suspend=decision is Decision.DEAD_AND_SUSPEND)
    if attempt.number > len(schedule):
        attempts = f"{attempt.number} attempt{'s' * (attempt.number > 1)}"
        return Outcome(DeliveryStatus.DEAD, f"{reason}; schedule used up after {attempts}")
    planned = schedule[attempt.number - 1] * (1 + JITTER * jitter)
    asked = retry_after(attempt.response, now) if attempt.response else None
    return Outcome(DeliveryStatus.RETRYING, reason, due_at=now + max(planned, asked or 0.0))


def health(attempt: Attempt) -> Health | None:
    """What an attempt shows about its target; None if it shows nothing."""
    signal = look_up(attempt).signal
    if signal is Signal.SUCCESS:
        return WELL
    return Health(is_well=False, reason=describe(attempt)) if signal is Signal.FAILURE else None


def was_not_made(attempt: Attempt) -> bool:
    """Whether an attempt does not count, because this machine lacked a resource for it."""
    return attempt.failure is not None and look_up(attempt).decision is Decision.NOT_COUNTED


def has_token_auth(plan: DeliveryPlan, plugins: Plugins) -> bool:
    """Whether an expired token may have caused a 401: auth that may block obtains tokens."""
    types = (plugins.auth.get(block.type) for block in plan.auth)
    return any(auth.blocking for auth in types if auth)


def describe(attempt: Attempt, mismatch_message: str | None = None) -> str:
    """Why an attempt failed, in at most :data:`MAX_REASON` characters that UTF-8 can represent."""
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
    """The whole seconds that ``Retry-After`` asks for, at most :data:`MAX_RETRY_AFTER`.

    None if the header is absent or invalid. ``now`` is in epoch seconds.
    """
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


def _is_success(status: int) -> bool:
    return 200 <= status < 300
