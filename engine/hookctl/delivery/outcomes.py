"""What the result of an attempt means for its delivery: one table, and functions that look a result up in it.

Everything that asks uses this module: the runner, ``hookctl test``, scenarios, the effects of a plan, and the
documentation. Nothing here has side effects. ``docs/delivery.md`` shows :data:`TABLE`, and a test keeps the two equal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum

from hookctl.model import CREDENTIALS_REFUSED, Attempt, DeliveryPlan, DeliveryStatus, FailureKind, Response
from hookctl.model.delivery_plan import JITTER
from hookctl.store.records import Outcome

MAX_RETRY_AFTER = 3600.0
"""The maximum number of seconds by which a target can postpone its deliveries with ``Retry-After``."""
MAX_REASON = 500
"""The maximum number of characters of a stored reason."""


class Decision(StrEnum):
    """What happens to the delivery after an attempt. A webhook's ``outcomes`` can name the first four."""

    DELIVERED = "delivered"
    RETRY = "retry"
    """Try again according to the schedule; dead once the schedule is used up."""
    HOLD = "hold"
    """Hold the webhook with all its deliveries, this one included."""
    DEAD = "dead"
    DEAD_AND_HOLD = "dead, and the webhook is held"
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
TOKEN_REFUSED = "token_refused"  # noqa: S105 - a result
"""The token endpoint refuses the credentials; its other failures are ``token``."""

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
    Row(
        (FailureKind.PROXY.value,),
        Decision.RETRY,
        Signal.FAILURE,
        "The proxy opened no connection to the target, so nothing was sent.",
    ),
    Row((FailureKind.TOKEN.value,), Decision.RETRY, Signal.FAILURE, "The token endpoint failed."),
    Row(
        (FailureKind.SECRET.value, FailureKind.PLUGIN.value),
        Decision.RETRY,
        Signal.NOTHING,
        "Someone can fix this on hookctl's machine while the delivery waits.",
    ),
    Row((FailureKind.LOCAL.value,), Decision.NOT_COUNTED, Signal.NOTHING, "This machine has run out of a resource."),
    Row(
        ("401", "403"),
        Decision.HOLD,
        Signal.SUCCESS,
        "The target refuses the credentials: every delivery would fail until someone fixes them.",
    ),
    Row(
        (TOKEN_REFUSED,),
        Decision.HOLD,
        Signal.NOTHING,
        "The token endpoint refuses the credentials: there is no token until someone fixes them.",
    ),
    Row(("410",), Decision.DEAD_AND_HOLD, Signal.SUCCESS, "The target wants no more events."),
    Row(("1xx", "3xx", "4xx"), Decision.DEAD, Signal.SUCCESS, "The same request would get the same answer."),
    Row(
        (FailureKind.ADDRESS_BLOCKED.value, FailureKind.RENDER.value),
        Decision.DEAD,
        Signal.NOTHING,
        "No request can be sent, and trying again would end the same way.",
    ),
)
_ROWS = {result: row for row in TABLE for result in row.results}
DEFAULTS: Mapping[str, Decision] = {result: row.decision for result, row in _ROWS.items()}
"""What each result means without ``outcomes``."""
CHOICES = (Decision.DELIVERED, Decision.RETRY, Decision.HOLD, Decision.DEAD)
"""What a webhook's ``outcomes`` can choose."""

DELIVERED = Outcome(DeliveryStatus.DELIVERED)
SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)


def result_of(attempt: Attempt) -> str:
    """The result as text: a status, or one of the others in :data:`TABLE`. A failure has priority over a status."""
    if attempt.failure is not None:
        return TOKEN_REFUSED if attempt.failure.cause == CREDENTIALS_REFUSED else attempt.failure.kind.value
    status = attempt.response.status if attempt.response else 0
    return MISMATCH if _is_success(status) and not attempt.succeeded else str(status)


def row_of(result: str) -> Row:
    """The row of :data:`TABLE` for a result, or for a class of statuses."""
    return _ROWS.get(result) or _ROWS[class_of(result)]


def decision_for(result: str, outcomes: Mapping[str, str]) -> Decision:
    """What a result means for a webhook with these ``outcomes``.

    A status has priority over its class, in both tables: ``4xx`` of ``outcomes`` leaves 429 and the other statuses that
    :data:`TABLE` names as they are.
    """
    chosen = outcomes.get(result) if outcomes else None
    if chosen is None and outcomes and result not in _ROWS:
        chosen = outcomes.get(class_of(result))
    return row_of(result).decision if chosen is None else Decision(chosen)


def decide(attempt: Attempt, plan: DeliveryPlan, now: float, jitter: float, *, may_hold: bool = True) -> Outcome:
    """The outcome of an attempt that counts; see :func:`was_not_made`.

    Args:
        attempt: The attempt; its ``number`` shows how much of the schedule is used.
        plan: The delivery plan that the attempt used.
        now: Epoch seconds.
        jitter: A random number in [0, 1).
        may_hold: False for an attempt that shows nothing about the applied webhook: it is retried instead.
    """
    decision = decision_for(result_of(attempt), plan.outcomes)
    if decision is Decision.DELIVERED:
        return DELIVERED
    reason = describe(attempt, plan.custom_validation_error_message)
    if decision is Decision.HOLD and may_hold:
        return Outcome(DeliveryStatus.HELD, reason, hold=True)
    if decision is Decision.DEAD or decision is Decision.DEAD_AND_HOLD:
        return Outcome(DeliveryStatus.DEAD, reason, hold=may_hold and decision is Decision.DEAD_AND_HOLD)
    schedule = plan.retry_schedule
    if attempt.number > len(schedule):
        attempts = f"{attempt.number} attempt{'s' * (attempt.number > 1)}"
        return Outcome(DeliveryStatus.DEAD, f"{reason}; schedule used up after {attempts}")
    planned = schedule[attempt.number - 1] * (1 + JITTER * jitter)
    asked = retry_after(attempt.response, now) if attempt.response else None
    return Outcome(DeliveryStatus.RETRYING, reason, due_at=now + max(planned, asked or 0.0))


def is_delivered(attempt: Attempt, plan: DeliveryPlan) -> bool:
    """Whether a delivery with this attempt is delivered."""
    return decision_for(result_of(attempt), plan.outcomes) is Decision.DELIVERED


def signal_of(attempt: Attempt, plan: DeliveryPlan) -> Signal:
    """What an attempt shows about its target. What counts as delivered is a success."""
    result = result_of(attempt)
    is_delivered = plan.outcomes and decision_for(result, plan.outcomes) is Decision.DELIVERED
    return Signal.SUCCESS if is_delivered else row_of(result).signal


def was_not_made(attempt: Attempt) -> bool:
    """Whether an attempt does not count, because this machine lacked a resource for it."""
    return attempt.failure is not None and row_of(attempt.failure.kind.value).decision is Decision.NOT_COUNTED


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
        from email.utils import parsedate_to_datetime  # slow to import, and not for plans

        try:
            date = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
    return float(math.ceil(min(max(seconds, 0.0), MAX_RETRY_AFTER)))


def _is_success(status: int) -> bool:
    return 200 <= status < 300


def class_of(result: str) -> str:
    """The class of a status: ``4xx`` for ``404``."""
    # A transport may return a status that HTTP does not define.
    return f"{min(max(int(result) // 100, 1), 5)}xx"
