"""ServiceNow's Import Set API.

- "Import Set API" (ServiceNow Docs, REST APIs, release Australia): POST /now/import/{stagingTableName} takes only
  strings, transforms at once, and answers 201 with a list of results, each with its own status.
- "Web service import set mode", "Transform maps" (ServiceNow Docs): with Coalesce, a row whose key is known updates the
  record. The statuses are inserted, updated, ignored and error.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from hookctl.model import Json
from hookctl.testing.answers import Answer, ReceivedRequest

HOSTS = ("servicenow.example.com",)
SECRETS = {"SERVICENOW_USER": "hookctl", "SERVICENOW_PASSWORD": "secret"}
DEDUPLICATES = True
LENGTHS = {"u_correlation_id": 100, "u_short_description": 160, "u_description": 4000, "u_urgency": 1, "u_impact": 1}


def error(status: int, message: str) -> Answer:
    return Answer.json({"error": {"message": message, "detail": "..."}, "status": "failure"}, status)


def result(status: str, **more: str) -> Answer:
    row: dict[str, Json] = {"transform_map": "Anomaly", "table": "incident", "status": status, **more}
    return Answer.json({"import_set": "ISET0010001", "staging_table": "u_hookctl_anomaly", "result": [row]}, 201)


class Contract:
    """An instance with a staging table whose transform map coalesces; ``records`` are its incidents."""

    def __init__(self) -> None:
        self.incidents: dict[str, Any] = {}
        self.harm: list[str] = []

    @property
    def records(self) -> list[Any]:
        return list(self.incidents.values())

    def __call__(self, request: ReceivedRequest) -> Answer:
        given = base64.b64encode(f"{SECRETS['SERVICENOW_USER']}:{SECRETS['SERVICENOW_PASSWORD']}".encode()).decode()
        if request.header("Authorization") != f"Basic {given}":
            return error(401, "User Not Authenticated")
        if (request.method, request.path) != ("POST", "/api/now/import/u_hookctl_anomaly"):
            return error(400, "Invalid table")
        row = json.loads(request.body)
        if request.header("Content-Type") != "application/json" or not all(isinstance(v, str) for v in row.values()):
            return error(400, "Exception while reading request")
        if row.keys() != LENGTHS.keys() or any(len(row[name]) > most for name, most in LENGTHS.items()):
            return result("error", error_message="a column is unknown, missing or too long")
        key = row["u_correlation_id"]
        if not key or not row["u_short_description"]:
            return result("error", error_message="mandatory field")
        status = "inserted" if key not in self.incidents else "updated" if self.incidents[key] != row else "ignored"
        self.incidents[key] = row
        return result(status, sys_id=f"{len(self.incidents):032x}")


ERRORS = {
    "dead": [error(400, "Invalid table u_hookctl_anomaly")],
    "held": [error(401, "User Not Authenticated"), error(403, "Insufficient rights to insert records")],
    "retrying": [
        result("error", error_message="Unable to resolve target record, coalesce values not present"),
        Answer.json({"import_set": "ISET0010001", "result": []}, 201),
        Answer(200, headers=(("Content-Type", "text/html"),), body=b"<html>Instance Hibernating page</html>"),
        error(500, "Transaction cancelled"),
    ],
}
BROKEN = [
    ("u_correlation_id", ""),
    ("u_short_description", "x" * 161),
    ("u_urgency", 1),
    ("u_description", "x" * 4001),
    ("u_impact", None),
]
