"""ServiceNow's Table API, for incidents.

- "Table API", "REST API HTTP response codes" (ServiceNow Docs, API reference): 201 with the record in `result`; 400,
  401, 403, 404, 5xx with `error.message` and `error.detail`.
- "Create an incident record" (ServiceNow Docs): the path, and fields such as short_description.
- The dictionary of the table Task (System Definition, Dictionary): 160 characters for short_description, 4,000 for
  description, 100 for correlation_id. ServiceNow cuts longer values; this receiver refuses them, so that none is sent.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from hookctl.testing.answers import Answer, ReceivedRequest

HOSTS = ("servicenow.example.com",)
SECRETS = {"SERVICENOW_USER": "hookctl", "SERVICENOW_PASSWORD": "p:ä ss"}
DEDUPLICATES = False
LENGTHS = {"short_description": 160, "description": 4000, "correlation_id": 100, "correlation_display": 100}
HIBERNATING = b"<html><title>Instance Hibernating page</title></html>"


def error(status: int, message: str) -> Answer:
    return Answer.json({"error": {"message": message, "detail": "..."}, "status": "failure"}, status)


class Contract:
    """An instance with one user; ``records`` are its incidents."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.harm: list[str] = []

    def __call__(self, request: ReceivedRequest) -> Answer:
        if not is_known(request):
            return error(401, "User Not Authenticated")
        if (request.method, request.path) != ("POST", "/api/now/table/incident"):
            return error(400, "Invalid table")
        if request.header("Content-Type") != "application/json" or request.header("Accept") != "application/json":
            return error(415, "Unsupported media type")
        record = json.loads(request.body)
        if not record.get("short_description") or any(len(record[name]) > most for name, most in LENGTHS.items()):
            return error(400, "Exception while reading request")
        if not {record["urgency"], record["impact"]} <= {"1", "2", "3"}:
            return error(400, "Invalid choice")
        self.records.append(record)
        number = len(self.records)
        return Answer.json({"result": {"sys_id": f"{number:032x}", "number": f"INC{number:07}", **record}}, 201)


def is_known(request: ReceivedRequest) -> bool:
    """Whether the request has the user's name and password."""
    given = f"{SECRETS['SERVICENOW_USER']}:{SECRETS['SERVICENOW_PASSWORD']}"
    return request.header("Authorization") == f"Basic {base64.b64encode(given.encode()).decode()}"


ERRORS = {
    "dead": [
        error(400, "Invalid table incidents"),
        error(201, "Operation Failed"),
        Answer.json({"result": {}}, 201),
        Answer(200, headers=(("Content-Type", "text/html"),), body=HIBERNATING),
        error(500, "Transaction cancelled: maximum execution time exceeded"),
        Answer(502, body=b""),
    ],
    "held": [error(401, "User Not Authenticated"), error(403, "Operation Failed")],
    "retrying": [error(429, "Rate limit exceeded"), error(503, "Service unavailable")],
}
BROKEN = [
    ("short_description", ""),
    ("short_description", "x" * 161),
    ("description", "x" * 4001),
    ("correlation_id", "x" * 101),
    ("urgency", "High"),
]
