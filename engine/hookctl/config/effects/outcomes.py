"""What the results of a webhook's requests lead to, and whether an accepted request may be repeated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hookctl.delivery.outcomes import DEFAULTS, MISMATCH, Decision, decision_for
from hookctl.model import DeliveryPlan

REPEATABLE = frozenset({"POST", "PATCH"})
"""Methods whose second request may do the work a second time (RFC 9110, section 9.2.2)."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What differs from the default table, and what it can lead to."""

    chosen: tuple[tuple[str, Decision], ...]
    """What the webhook's ``outcomes`` say, by result, in order."""
    except_for: Mapping[str, tuple[str, ...]]
    """For each class of statuses in ``chosen``: the statuses of the class that mean something else."""
    requests: int
    """The most requests for one event, if a result that is retried repeats."""
    may_repeat: str
    """The method, if a validator may reject a 2xx response to a request that the target has processed, and the request
    is then repeated; else empty."""


def outcomes_of(plan: DeliveryPlan) -> Outcomes:
    """The meaning of a delivery plan's outcomes and validators."""
    chosen = tuple((result, Decision(plan.outcomes[result])) for result in sorted(plan.outcomes))
    except_for = {
        result: tuple(sorted({status for status in (*DEFAULTS, *plan.outcomes) if _is_in(status, result)}))
        for result, _ in chosen
        if result.endswith("xx")
    }
    is_retried = decision_for(MISMATCH, plan.outcomes) is Decision.RETRY and plan.retry_schedule
    repeats = plan.response_validators and plan.method in REPEATABLE and is_retried
    return Outcomes(chosen, except_for, len(plan.retry_schedule) + 1, plan.method if repeats else "")


def _is_in(status: str, whole: str) -> bool:
    """Whether a status such as ``404`` belongs to a class such as ``4xx``."""
    return status.isdecimal() and status[0] == whole[0]
