"""PagerDuty's Events API v2.

- "Send an Alert Event" (developer.pagerduty.com): required fields, 1,024 characters for summary, 255 for dedup_key.
- "Events API v2 Overview" (developer.pagerduty.com): 202, 400, 429 and 5xx, which of them to retry, 512 KB.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from hookctl.testing.answers import Answer, ReceivedRequest

HOSTS = ("events.pagerduty.com",)
SECRETS = {"PAGERDUTY_ROUTING_KEY": "0123456789abcdef0123456789ABCDEF"}
DEDUPLICATES = True


def invalid(*errors: str) -> Answer:
    return Answer.json({"status": "invalid event", "message": "Event object is invalid", "errors": list(errors)}, 400)


class Contract:
    """A service with one integration; ``records`` are its open alerts."""

    def __init__(self) -> None:
        self.alerts: dict[str, Any] = {}
        self.harm: list[str] = []

    @property
    def records(self) -> list[Any]:
        return list(self.alerts.values())

    def __call__(self, request: ReceivedRequest) -> Answer:
        if (request.method, request.target) != ("POST", "/v2/enqueue"):
            return Answer.json({"error": "not found"}, 404)
        if request.header("Content-Type") != "application/json" or len(request.body) > 512 * 1024:
            return invalid("Body is not JSON, or too long")
        event = json.loads(request.body)
        payload = event.get("payload", {})
        if event.get("routing_key") != SECRETS["PAGERDUTY_ROUTING_KEY"]:
            return invalid("Invalid routing key")
        if event.get("event_action") not in {"trigger", "acknowledge", "resolve"}:
            return invalid("'event_action' is invalid")
        if not 1 <= len(payload.get("summary") or "") <= 1024 or not payload.get("source"):
            return invalid("'payload.summary' or 'payload.source' is missing, blank or too long")
        if payload.get("severity") not in {"critical", "error", "warning", "info"}:
            return invalid("'payload.severity' is invalid")
        if len(event["dedup_key"]) > 255 or not isinstance(payload.get("custom_details", {}), dict):
            return invalid("'dedup_key' is too long, or 'custom_details' is not an object")
        datetime.fromisoformat(payload["timestamp"])
        self.alerts[event["dedup_key"]] = event
        return Answer.json({"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}, 202)


ERRORS = {
    "dead": [invalid("Invalid routing key"), invalid("'payload.severity' is invalid")],
    "retrying": [
        Answer.json({"status": "throttle exceeded", "message": "Requests are being sent too fast"}, 429),
        Answer(500, body=b""),
        Answer.json({"status": "invalid event", "message": "Event object is invalid"}, 200),
        Answer(200, headers=(("Content-Type", "text/html"),), body=b"<html>Sign in</html>"),
    ],
}
BROKEN = [
    ("routing_key", "another"),
    ("event_action", "create"),
    ("payload.summary", "x" * 1025),
    ("payload.summary", ""),
    ("payload.source", None),
    ("payload.severity", "High"),
    ("dedup_key", "x" * 256),
]
