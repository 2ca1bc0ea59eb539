"""Datadog's Events API v1.

- "Post an event" (docs.datadoghq.com, API reference, Events, v1): title and text are required, 4,000 characters for
  text, 100 for aggregation_key, values of alert_type and priority; 202 with `status`, and 400 or 429 with `errors`.
- "Authentication" (docs.datadoghq.com): the header DD-API-KEY; 403 without a valid one.
- "Notifications" (docs.datadoghq.com, Events): `@` before a name in a text notifies; `%%%` begins Markdown.
"""

from __future__ import annotations

import json
from typing import Any

from hookctl.testing.answers import Answer, ReceivedRequest

HOSTS = ("api.datadoghq.com",)
SECRETS = {"DATADOG_API_KEY": "9775a026f1ca7d1c6c5af9d94d9595a4"}
DEDUPLICATES = False
KINDS = {"error", "warning", "info", "success", "user_update", "recommendation", "snapshot"}


def error(status: int, message: str) -> Answer:
    return Answer.json({"errors": [message]}, status)


class Contract:
    """An organization with one key; ``records`` are its events."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.harm: list[str] = []

    def __call__(self, request: ReceivedRequest) -> Answer:
        if (request.method, request.target) != ("POST", "/api/v1/events"):
            return error(404, "Not found")
        if request.header("DD-API-KEY") != SECRETS["DATADOG_API_KEY"]:
            return error(403, "Forbidden")
        if request.header("Content-Type") != "application/json":
            return error(415, "Unsupported media type")
        event = json.loads(request.body)
        if not 1 <= len(event.get("title") or "") <= 100 or not 1 <= len(event.get("text") or "") <= 4000:
            return error(400, "title or text is missing or too long")
        if event["alert_type"] not in KINDS or event["priority"] not in {"normal", "low"}:
            return error(400, "alert_type or priority is invalid")
        if len(event["aggregation_key"]) > 100 or not all(1 <= len(tag) <= 200 for tag in event["tags"]):
            return error(400, "aggregation_key or a tag is too long")
        self.harm += [found for found in (event["title"], event["text"]) if "@" in found or found.startswith("%%%")]
        self.records.append(event)
        return Answer.json({"status": "ok", "event": {"id": len(self.records), "title": event["title"]}}, 202)


ERRORS = {
    "dead": [
        error(400, "Payload is not in the expected format"),
        Answer.json({"status": "error"}, 202),
        error(200, "quota exceeded"),
        Answer(200, headers=(("Content-Type", "text/html"),), body=b"<html>Datadog</html>"),
    ],
    "held": [error(403, "Forbidden")],
    "retrying": [error(429, "Too many requests"), error(500, "Internal error"), error(408, "Request timeout")],
}
BROKEN = [
    ("title", None),
    ("text", "x" * 4001),
    ("aggregation_key", "x" * 101),
    ("alert_type", "High"),
    ("tags.0", "x" * 201),
]
