"""Jira Cloud's REST API v3.

- "Issues", "Create issue" (developer.atlassian.com, The Jira Cloud platform REST API v3): required fields, 201 with id,
  key and self; 400, 401, 403 with errorMessages and errors.
- "Basic auth for REST APIs" (developer.atlassian.com): e-mail address and API token.
- "Atlassian Document Format" (developer.atlassian.com): doc, paragraph, text, whose text has at least one character.
- "Rate limiting" (developer.atlassian.com): 429 with Retry-After. JRACLOUD-78553: at most 32,767 characters.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from hookctl.testing.answers import Answer, ReceivedRequest

HOSTS = ("jira.example.com",)
SECRETS = {"JIRA_EMAIL": "hookctl@example.com", "JIRA_API_TOKEN": "ATATT3xFfGF0"}
DEDUPLICATES = False


def error(status: int, *messages: str, **fields: str) -> Answer:
    return Answer.json({"errorMessages": list(messages), "errors": dict(fields)}, status)


def is_document(node: Any) -> bool:
    """Whether a node of the Atlassian Document Format, with all nodes in it, is one that this receiver knows."""
    if node.get("type") == "text":
        return isinstance(node.get("text"), str) and node["text"] != ""
    inner = {"doc": "paragraph", "paragraph": "text"}.get(node.get("type"))
    return inner is not None and all(child["type"] == inner and is_document(child) for child in node["content"])


class Contract:
    """A site with one project and one account; ``records`` are its issues."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.harm: list[str] = []

    def __call__(self, request: ReceivedRequest) -> Answer:
        given = base64.b64encode(f"{SECRETS['JIRA_EMAIL']}:{SECRETS['JIRA_API_TOKEN']}".encode()).decode()
        if request.header("Authorization") != f"Basic {given}":
            return error(401, "Client must be authenticated to access this resource.")
        if (request.method, request.target) != ("POST", "/rest/api/3/issue"):
            return error(404, "Not found")
        if request.header("Content-Type") != "application/json":
            return Answer(415, body=b"")
        fields = json.loads(request.body)["fields"]
        summary = fields.get("summary") or ""
        if fields["project"] != {"key": "SEC"} or fields["issuetype"] != {"name": "Task"}:
            return error(400, project="valid project is required")
        if not summary.strip() or any(end in summary for end in "\r\n"):
            return error(400, summary="The summary is invalid because it contains newline characters.")
        if len(summary) > 255:
            return error(400, summary="Summary must be less than 255 characters.")
        if any(len(label) > 255 or not label or label.split() != [label] for label in fields["labels"]):
            return error(400, labels="The label contains spaces which is invalid.")
        description = fields["description"]
        if not isinstance(description, dict) or description["version"] != 1 or not is_document(description):
            return error(400, description="Operation value must be an Atlassian Document")
        if len(json.dumps(description, ensure_ascii=False)) > 32_767:
            return error(400, "CONTENT_LIMIT_EXCEEDED")
        self.records.append(fields)
        number = len(self.records)
        return Answer.json({"id": f"{10000 + number}", "key": f"SEC-{number}", "self": "https://..."}, 201)


ERRORS = {
    "dead": [
        error(400, "CONTENT_LIMIT_EXCEEDED"),
        error(404, "Site temporarily unavailable"),
        error(200, summary="You must specify a summary of the issue."),
        Answer(200, headers=(("Content-Type", "text/html"),), body=b"<html>Log in</html>"),
        error(500, "Internal server error"),
        Answer(504, body=b""),
    ],
    "held": [error(401, "Client must be authenticated to access this resource."), error(403, "Forbidden")],
    "retrying": [error(429, "Rate limit exceeded."), error(503, "Service unavailable")],
}
BROKEN = [
    ("fields.summary", "x" * 256),
    ("fields.summary", "two\nlines"),
    ("fields.labels.0", "two words"),
    ("fields.description", "plain text"),
    ("fields.description.content.0.content.0.text", ""),
    ("fields.description.content.0.content.0.text", "x" * 32_768),
    ("fields.project.key", "NO"),
]
