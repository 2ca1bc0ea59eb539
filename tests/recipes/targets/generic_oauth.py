"""An API that takes OAuth 2.0 client credentials, and knows events that it has.

- RFC 6749, "The OAuth 2.0 Authorization Framework", sections 4.4 and 5: client credentials, and errors of the endpoint.
- RFC 6750, "Bearer Token Usage", section 3: 401 with WWW-Authenticate for a token that is not valid.
- draft-ietf-httpapi-idempotency-key-header, "The Idempotency-Key HTTP Header Field": a quoted string; 409 if repeated.
"""

from __future__ import annotations

import json
import re
from typing import Any

from hookctl.testing.answers import Answer, ReceivedRequest
from hookctl.testing.tokens import TokenEndpoint

HOSTS = ("api.example.com", "login.example.com")
SECRETS = {"OAUTH_CLIENT_ID": "hookctl", "OAUTH_CLIENT_SECRET": "s:e&c r+t"}
DEDUPLICATES = True


def refused(status: int, message: str) -> Answer:
    return Answer.json({"errors": [{"message": message}]}, status)


class Contract:
    """An API with an authorization server of its own; ``records`` are the events that it has."""

    def __init__(self) -> None:
        self.tokens = TokenEndpoint(SECRETS["OAUTH_CLIENT_ID"], SECRETS["OAUTH_CLIENT_SECRET"])
        self.events: dict[str, Any] = {}
        self.harm: list[str] = []

    @property
    def records(self) -> list[Any]:
        return list(self.events.values())

    def __call__(self, request: ReceivedRequest) -> Answer:
        if not self.tokens.accepts(request) or self.tokens.scopes[-1] != "events.write":
            return Answer(401, headers=(("WWW-Authenticate", 'Bearer error="invalid_token"'),), body=b"")
        if (request.method, request.target) != ("POST", "/v1/events"):
            return refused(404, "not found")
        if request.header("Content-Type") != "application/json":
            return refused(415, "not JSON")
        key, event = request.header("Idempotency-Key") or "", json.loads(request.body)
        if not re.fullmatch(r'"[!-~]{1,1600}"', key):
            return refused(400, "Idempotency-Key is missing or malformed")
        if [type(event.get(name)) for name in ("id", "type", "time", "data")] != [str, str, str, dict]:
            return refused(400, "a field is missing or has another type")
        if key in self.events:
            return refused(409, "this key was used before")
        self.events[key] = event
        return Answer(202, headers=(), body=b"")


ERRORS = {
    "dead": [
        refused(400, "a field is missing"),
        refused(200, "quota exceeded"),
        Answer.json({"error": "invalid_request"}, 200),
    ],
    "delivered": [
        refused(409, "this key was used before"),
        Answer.json({"errors": []}),
        Answer.json({"id": 1}, 201),
        Answer(204, headers=(), body=b""),
    ],
    "held": [refused(401, "the token is not accepted"), refused(403, "insufficient_scope")],
    "retrying": [refused(429, "too many requests"), refused(500, "failed"), refused(503, "away")],
}
BROKEN: list[tuple[str, Any]] = [("id", None), ("type", 1), ("data", [])]
