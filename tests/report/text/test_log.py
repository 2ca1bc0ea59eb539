"""The lines that ``run`` logs: for people with dates, for programs with epoch seconds."""

from __future__ import annotations

import json

from hookctl.model import Json
from hookctl.report.text.log import json_line, text_line

AT = 1_795_842_840.25
RECORD: dict[str, Json] = {
    "webhook": "Siem",
    "due_at": AT + 60,
    "seconds": 0.5,
    "reason": "HTTP 503 down",
    "plan_digest": "abc",
}


def test_people_read_dates() -> None:
    assert text_line(AT, "retrying", RECORD) == (
        '2026-11-28T05:14:00.250Z retrying  webhook=Siem due_at=2026-11-28T05:15:00Z seconds=0.5 reason="HTTP 503 down"'
    )


def test_programs_read_epoch_seconds() -> None:
    assert json.loads(json_line(AT, "retrying", RECORD)) == {"at": AT, "event": "retrying", **RECORD}
