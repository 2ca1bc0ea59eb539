"""GitHub's REST API, for repository_dispatch.

- "Create a repository dispatch event" (docs.github.com, REST API, version 2022-11-28): 100 characters for event_type,
  ten properties in client_payload; 204, 404 and 422.
- "Getting started with the REST API" (docs.github.com): Accept, X-GitHub-Api-Version, and a required User-Agent.
- "Rate limits for the REST API", "Troubleshooting the REST API" (docs.github.com): 403 or 429, and 404 without access.
"""

from __future__ import annotations

import json
from typing import Any

from hookctl.testing.answers import Answer, ReceivedRequest

HOSTS = ("api.github.com",)
SECRETS = {"GITHUB_DISPATCH_TOKEN": "github_pat_11AAAAAAA0abcdefghijkl"}
DEDUPLICATES = False


def error(status: int, message: str, **headers: str) -> Answer:
    body = json.dumps({"message": message, "documentation_url": "https://docs.github.com/rest"}).encode()
    return Answer(status, headers=(("Content-Type", "application/json"), *headers.items()), body=body)


class Contract:
    """A repository and one token for it; ``records`` are the events that started workflows."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.harm: list[str] = []

    def __call__(self, request: ReceivedRequest) -> Answer:
        if not request.header("User-Agent"):
            return error(403, "Request forbidden by administrative rules. Please make sure it has a User-Agent header")
        if request.header("Authorization") != f"Bearer {SECRETS['GITHUB_DISPATCH_TOKEN']}":
            return error(401, "Bad credentials")
        if (request.method, request.target) != ("POST", "/repos/your-org/your-repository/dispatches"):
            return error(404, "Not Found")
        if request.header("Accept") != "application/vnd.github+json":
            return error(415, "Unsupported Media Type")
        if request.header("X-GitHub-Api-Version") != "2022-11-28":
            return error(400, "Unsupported API version")
        event = json.loads(request.body)
        payload = event.get("client_payload", {})
        if not isinstance(event.get("event_type"), str) or not 1 <= len(event["event_type"]) <= 100:
            return error(422, "Invalid request. event_type is missing or too long")
        if not isinstance(payload, dict) or len(payload) > 10 or len(json.dumps(payload)) > 65_535:
            return error(422, "Invalid request. client_payload has too many properties, or is too large")
        self.records.append(event)
        return Answer(204, headers=(), body=b"")


ERRORS = {
    "dead": [
        error(422, "Validation Failed"),
        Answer(200, headers=(("Content-Type", "text/html"),), body=b"<html>Unicorn!</html>"),
        error(500, "Server Error"),
        error(502, "Server Error"),
    ],
    "held": [error(401, "Bad credentials"), error(404, "Not Found")],
    "retrying": [
        error(403, "You have exceeded a secondary rate limit.", **{"Retry-After": "60"}),
        error(429, "API rate limit exceeded"),
        error(503, "Service unavailable"),
    ],
}
BROKEN = [
    ("event_type", None),
    ("event_type", "x" * 101),
    ("client_payload", {str(number): 1 for number in range(11)}),
    ("client_payload.title", "x" * 65_536),
]
