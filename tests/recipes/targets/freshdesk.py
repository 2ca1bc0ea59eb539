"""Freshdesk's API v2.

- "Create a ticket", "Authentication", "Errors", "Rate limit" (developers.freshdesk.com/api): a requester, subject,
  description in HTML, status and priority; Basic with the API key; 400 with `errors`, 401, 403, 404, 415, 429.
- "Ticket attributes" (developers.freshdesk.com/api): values of status, priority and source; 255 characters for subject,
  32 for a tag.
"""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from typing import Any

from hookctl.model import Json
from hookctl.testing.answers import Answer, ReceivedRequest

HOSTS = ("freshdesk.example.com",)
SECRETS = {"FRESHDESK_API_KEY": "tESTaPIkEY0123456789"}
DEDUPLICATES = False


def error(status: int, message: str, *fields: str) -> Answer:
    errors: list[Json] = [
        {"field": field, "message": "It should be valid.", "code": "invalid_value"} for field in fields
    ]
    return Answer.json({"description": message, "errors": errors}, status)


class _Tags(HTMLParser):
    """Collects the tags of a description."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(f"{tag} {attrs}" if attrs else tag)


class Contract:
    """A helpdesk with one agent; ``records`` are its tickets."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.harm: list[str] = []

    def __call__(self, request: ReceivedRequest) -> Answer:
        scheme, _, given = (request.header("Authorization") or "").partition(" ")
        if scheme != "Basic" or base64.b64decode(given).partition(b":")[0].decode() != SECRETS["FRESHDESK_API_KEY"]:
            return Answer.json({"code": "invalid_credentials", "message": "You have to be logged in."}, 401)
        if (request.method, request.target) != ("POST", "/api/v2/tickets"):
            return Answer(404, headers=(), body=b"")
        if request.header("Content-Type") != "application/json":
            return Answer.json({"code": "invalid_content_type", "message": "..."}, 415)
        ticket = json.loads(request.body)
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", ticket.get("email") or ""):
            return error(400, "Validation failed", "email")
        if not 1 <= len(ticket.get("subject") or "") <= 255 or not ticket.get("description"):
            return error(400, "Validation failed", "subject", "description")
        if ticket["status"] not in {2, 3, 4, 5} or ticket["priority"] not in {1, 2, 3, 4}:
            return error(400, "Validation failed", "status", "priority")
        if ticket["source"] not in {1, 2, 3, 5, 6, 7, 9, 10} or any(len(tag) > 32 for tag in ticket["tags"]):
            return error(400, "Validation failed", "source", "tags")
        tags = _Tags()
        tags.feed(ticket["description"])
        self.harm += sorted(tags.found - {"p", "br"})
        self.records.append(ticket)
        return Answer.json({"id": len(self.records), **ticket}, 201)


ERRORS = {
    "dead": [
        error(400, "Validation failed", "email"),
        error(200, "Validation failed", "subject"),
        Answer(200, headers=(("Content-Type", "text/html"),), body=b"<html>Log in</html>"),
        error(404, "Not found"),
        Answer(500, body=b""),
    ],
    "held": [
        Answer.json({"code": "invalid_credentials", "message": "You have to be logged in."}, 401),
        Answer.json({"code": "access_denied", "message": "You are not authorized."}, 403),
    ],
    "retrying": [
        Answer.json({"message": "You have exceeded the limit of requests per hour"}, 429),
        Answer(503, body=b""),
    ],
}
BROKEN = [
    ("email", "nobody"),
    ("subject", "x" * 256),
    ("subject", ""),
    ("description", None),
    ("priority", "High"),
    ("status", 1),
    ("tags.0", "x" * 33),
]
