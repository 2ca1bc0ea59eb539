"""Splunk's HTTP Event Collector.

- "Format events for HTTP Event Collector" (docs.splunk.com, Getting Data In): event, time, source, sourcetype.
- "Troubleshoot HTTP Event Collector" (docs.splunk.com), "Possible error codes": code, status and text.
- "HTTP Event Collector examples" (docs.splunk.com): `Authorization: Splunk TOKEN`.
"""

from __future__ import annotations

import json
from typing import Any

from hookctl.testing.answers import Answer, ReceivedRequest

HOSTS = ("splunk.example.com",)
SECRETS = {"SPLUNK_HEC_TOKEN": "B5A79AAD-D822-46CC-80D1-819F80D7BFB0"}
DEDUPLICATES = False


def reply(status: int, text: str, code: int) -> Answer:
    return Answer.json({"text": text, "code": code}, status)


class Contract:
    """A collector with one token; ``records`` are the indexed events."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.harm: list[str] = []

    def __call__(self, request: ReceivedRequest) -> Answer:
        scheme, _, token = (request.header("Authorization") or "").partition(" ")
        if (request.method, request.target) != ("POST", "/services/collector/event"):
            return reply(404, "The requested URL was not found on this server.", 404)
        if scheme != "Splunk":
            return reply(401, "Invalid authorization", 3)
        if token != SECRETS["SPLUNK_HEC_TOKEN"]:
            return reply(403, "Invalid token", 4)
        if not request.body:
            return reply(400, "No data", 5)
        try:
            entry = json.loads(request.body)
        except ValueError:
            return reply(400, "Invalid data format", 6)
        if "event" not in entry:
            return reply(400, "Event field is required", 12)
        if entry["event"] in ("", None, {}):
            return reply(400, "Event field cannot be blank", 13)
        if entry.keys() > {"time", "host", "source", "sourcetype", "index", "event", "fields"}:
            return reply(400, "Invalid data format", 6)
        if not isinstance(entry["time"], int | float) or not isinstance(entry["sourcetype"], str):
            return reply(400, "Invalid data format", 6)
        self.records.append(entry)
        return reply(200, "Success", 0)


ERRORS = {
    "dead": [
        reply(400, "Incorrect index", 7),
        reply(400, "Data channel is missing", 10),
        reply(200, "Server is busy", 9),
        Answer(200, headers=(("Content-Type", "text/html"),), body=b"<html>Splunk</html>"),
    ],
    "held": [reply(403, "Token disabled", 1), reply(401, "Token is required", 2), reply(403, "Invalid token", 4)],
    "retrying": [reply(503, "Server is busy", 9), reply(500, "Internal server error", 8), reply(429, "Busy", 26)],
}
BROKEN = [("event", None), ("event", ""), ("time", "today"), ("sourcetype", 1)]
