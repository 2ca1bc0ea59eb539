"""Elasticsearch's API for documents.

- "Create a new document in the index" (elastic.co, Elasticsearch API): PUT /{index}/_create/{id} answers 201 with
  `result: created`, and 409 if the document exists. 512 bytes for an id.
- "Data streams" (elastic.co): only `create`, and each document has a field @timestamp.
- "API keys", "Token-based authentication services" (elastic.co): `Authorization: ApiKey ENCODED`.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from hookctl.model import Json
from hookctl.testing.answers import Answer, ReceivedRequest

HOSTS = ("elastic.example.com",)
SECRETS = {"ELASTIC_API_KEY": "VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw=="}
DEDUPLICATES = True
PREFIX = "/logs-hookctl.anomaly-default/_create/"


def error(status: int, kind: str) -> Answer:
    return Answer.json({"error": {"type": kind, "reason": "..."}, "status": status}, status)


class Contract:
    """A cluster with one data stream; ``records`` are its documents."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}
        self.harm: list[str] = []

    @property
    def records(self) -> list[Any]:
        return list(self.documents.values())

    def __call__(self, request: ReceivedRequest) -> Answer:
        if request.header("Authorization") != f"ApiKey {SECRETS['ELASTIC_API_KEY']}":
            return error(401, "security_exception")
        name = request.target.removeprefix(PREFIX)
        if request.method not in {"PUT", "POST"} or name == request.target or "/" in name or "?" in name:
            return error(400, "illegal_argument_exception")
        if request.header("Content-Type") != "application/json":
            return error(406, "media_type_header_exception")
        found, document = unquote(name), json.loads(request.body)
        if not 1 <= len(found.encode()) <= 512:
            return error(400, "action_request_validation_exception")
        try:
            datetime.fromisoformat(document["@timestamp"])
        except (KeyError, ValueError):
            return error(400, "document_parsing_exception")
        if document["event"]["id"] != found or not isinstance(document["event"]["severity"], int):
            return error(400, "document_parsing_exception")
        if found in self.documents:
            return error(409, "version_conflict_engine_exception")
        self.documents[found] = document
        shards: dict[str, Json] = {"total": 2, "successful": 1, "failed": 0}
        return Answer.json({"_index": ".ds-logs", "_id": found, "result": "created", "_shards": shards}, 201)


ERRORS = {
    "dead": [error(400, "document_parsing_exception"), error(413, "content_too_long")],
    "delivered": [error(409, "version_conflict_engine_exception")],
    "held": [
        error(401, "security_exception"),
        error(403, "security_exception"),
        error(404, "index_not_found_exception"),
    ],
    "retrying": [
        error(429, "es_rejected_execution_exception"),
        error(503, "unavailable_shards_exception"),
        Answer.json({"errors": True, "items": []}, 200),
        Answer(200, headers=(("Content-Type", "text/html"),), body=b"<html>Sign in</html>"),
    ],
}
BROKEN = [("@timestamp", None), ("@timestamp", "today"), ("event.severity", "High"), ("event.id", "another")]
