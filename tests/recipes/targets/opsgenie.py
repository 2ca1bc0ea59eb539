"""Opsgenie's Alert API, which Jira Service Management has too.

- "Alert API" (docs.opsgenie.com): required fields, lengths, priorities; one open alert for each alias.
- "Response" and "Error codes" (docs.opsgenie.com, "Rest API"): 202 with a requestId; 401, 403, 422, 429, 5xx.
- "Integration events" (developer.atlassian.com, "JSM Operations API"): the same fields, and `GenieKey {apiKey}`.
"""

from __future__ import annotations

import json
from typing import Any

from hookctl.testing.answers import Answer, ReceivedRequest

HOSTS = ("api.opsgenie.com",)
SECRETS = {"OPSGENIE_API_KEY": "eb243592-faa2-4ba2-a551-1afdf565c889"}
DEDUPLICATES = True
LENGTHS = {"message": 130, "alias": 512, "description": 15_000, "entity": 512, "source": 100}


def error(status: int, text: str, /, **errors: str) -> Answer:
    return Answer.json({"message": text, "errors": dict(errors), "took": 0.1, "requestId": "id-1"}, status)


class Contract:
    """A team with one API integration; ``records`` are its open alerts."""

    def __init__(self) -> None:
        self.alerts: dict[str, Any] = {}
        self.harm: list[str] = []

    @property
    def records(self) -> list[Any]:
        return list(self.alerts.values())

    def __call__(self, request: ReceivedRequest) -> Answer:
        if (request.method, request.target) != ("POST", "/v2/alerts"):
            return error(404, "Not found")
        if request.header("Authorization") != f"GenieKey {SECRETS['OPSGENIE_API_KEY']}":
            return error(401, "Could not authenticate")
        if request.header("Content-Type") != "application/json":
            return error(415, "Unsupported media type")
        alert = json.loads(request.body)
        unfit = [name for name, length in LENGTHS.items() if len(alert.get(name) or "") > length]
        details = alert.get("details", {})
        if not alert.get("message", "").strip() or unfit:
            return error(422, "Request body is not processable. Please check the errors.", message=f"empty or {unfit}")
        if alert.get("priority", "P3") not in {"P1", "P2", "P3", "P4", "P5"}:
            return error(422, "Request body is not processable. Please check the errors.", priority="invalid")
        if len(alert["tags"]) > 20 or any(len(tag) > 50 for tag in alert["tags"]):
            return error(422, "Request body is not processable. Please check the errors.", tags="too many or too long")
        if not all(isinstance(value, str) for value in details.values()) or sum(map(len, details.values())) > 8000:
            return error(422, "Request body is not processable. Please check the errors.", details="too long")
        self.alerts[alert["alias"]] = alert
        return Answer.json({"result": "Request will be processed", "took": 0.302, "requestId": "43a29c5c"}, 202)


ERRORS = {
    "dead": [error(422, "Request body is not processable.", message="Message can not be empty."), error(400, "Bad")],
    "held": [error(401, "Could not authenticate"), error(403, "Account is locked")],
    "retrying": [
        error(429, "You are making too many requests!"),
        error(503, "Service unavailable"),
        Answer(200, headers=(("Content-Type", "text/html"),), body=b"<html>Sign in</html>"),
    ],
}
BROKEN = [
    ("message", "x" * 131),
    ("message", " "),
    ("alias", "x" * 513),
    ("description", "x" * 15_001),
    ("priority", "High"),
    ("tags.0", "x" * 51),
    ("details.requester", 7),
]
