"""Okta Workflows, with a flow that begins with the card API Endpoint.

- "Invoke a flow with an API endpoint" (help.okta.com, Workflows): the invoke URL; the flow's output is the answer.
- "Flow client token" (help.okta.com, Workflows): the header x-api-client-token.
- "Best practices for building flows" (help.okta.com, Workflows): the connection ends after 60 seconds.
"""

from __future__ import annotations

import json
from typing import Any

from hookctl.testing.answers import Answer, ReceivedRequest

HOSTS = ("okta.example.com",)
SECRETS = {"OKTA_FLOW_TOKEN": "f3e1a1c7d2b94b6e8a"}
DEDUPLICATES = False


class Contract:
    """A flow that takes id, event_type, event_time and data; ``records`` are its runs."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.harm: list[str] = []

    def __call__(self, request: ReceivedRequest) -> Answer:
        if (request.method, request.target) != ("POST", "/api/flo/FLOW_ALIAS/invoke"):
            return Answer.json({"error": "Flow not found"}, 404)
        if request.header("x-api-client-token") != SECRETS["OKTA_FLOW_TOKEN"]:
            return Answer.json({"error": "Unauthorized"}, 401)
        if request.header("Content-Type") != "application/json":
            return Answer.json({"error": "Body is not JSON"}, 400)
        body = json.loads(request.body)
        if [type(body.get(name)) for name in ("id", "event_type", "event_time", "data")] != [str, str, str, dict]:
            return Answer.json({"error": "An input has another type"}, 400)
        self.records.append(body)
        return Answer(200, headers=(), body=b"")


ERRORS = {
    "dead": [
        Answer.json({"error": {"message": "The card failed"}}, 200),
        Answer.json({"error": "The card failed"}, 400),
        Answer.json({"error": "The flow failed"}, 500),
        Answer(504, body=b""),
    ],
    "delivered": [Answer(204, headers=(), body=b""), Answer.json({"output": {"ok": True}}), Answer(202, body=b"{}")],
    "held": [Answer.json({"error": "Unauthorized"}, 401), Answer.json({"error": "Flow not found"}, 404)],
    "retrying": [Answer.json({"error": "Too many requests"}, 429), Answer(503, body=b"")],
}
BROKEN = [("id", None), ("event_time", 1), ("data", "text")]
