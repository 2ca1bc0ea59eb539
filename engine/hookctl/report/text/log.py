"""The lines that ``run`` logs: one for each outcome, and one for anything else. Attempts are masked already."""

from __future__ import annotations

import json
import time
from functools import lru_cache
from math import isfinite

from hookctl.model import Attempt, Delivery, DeliveryStatus, Json
from hookctl.report.text.printable import json_text, printable

TIMES = frozenset({"due_at"})
"""Fields of a record that hold epoch seconds."""


def attempt_record(delivery: Delivery, attempt: Attempt) -> dict[str, Json]:
    """The log fields of an attempt, and of its delivery after it. Times are in epoch seconds."""
    return {
        "webhook": delivery.webhook,
        "delivery": delivery.id,
        "event_id": delivery.event_id,
        "attempt": attempt.number,
        "http_status": attempt.response.status if attempt.response else None,
        "failure": attempt.failure.kind.value if attempt.failure else None,
        "seconds": round(attempt.timing.total, 3),
        "reason": delivery.reason,
        "due_at": delivery.due_at if delivery.status is DeliveryStatus.RETRYING else None,
        "plan_digest": attempt.plan_digest,
    }


def json_line(at: float, event: str, record: dict[str, Json]) -> str:
    """One line for a program: ``at`` in epoch seconds, the event, and the record."""
    return json_text({"at": round(at, 3), "event": event, **record}, indent=None)


def text_line(at: float, event: str, record: dict[str, Json]) -> str:
    """One line for people: the time, the event, and each field that is not empty. Times are in UTC."""
    fields = [
        f"{key}={_time(value) if key in TIMES and isinstance(value, float | int) else _value(value)}"
        for key, value in record.items()
        if value is not None and value != "" and key != "plan_digest"
    ]
    return f"{_second(int(at))}.{int(at * 1000) % 1000:03}Z {event:<9} {' '.join(fields)}".rstrip()


@lru_cache(8)
def _second(at: int) -> str:
    """The second of a time. Thousands of lines are of the same one, and formatting it takes as long as the rest."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))


def _time(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def _value(value: Json) -> str:
    if type(value) is int or (type(value) is float and isfinite(value)):
        return repr(value)  # as json.dumps does, in a tenth of the time
    text = printable(value if isinstance(value, str) else json.dumps(value))
    return json.dumps(text, ensure_ascii=False) if " " in text or '"' in text else text
