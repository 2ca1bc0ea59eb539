"""Microsoft Teams, through a workflow that begins with "When a Teams webhook request is received".

- "Create and send messages", "Create incoming webhooks with Workflows for Microsoft Teams" (Microsoft Learn, Microsoft
  Support): the URL with its signature is the credential, and the body holds adaptive cards.
- "Limits and specifications for Microsoft Teams" (Microsoft Learn): 28 KB for a message, four requests per second.
- "Schema Explorer" (adaptivecards.io): AdaptiveCard, RichTextBlock and TextRun, whose text has no Markdown.
- "Create an Incoming Webhook" (Microsoft Learn), for the older connectors: 200 with an error in the text.
"""

from __future__ import annotations

import json
from typing import Any

from hookctl.testing.answers import Answer, ReceivedRequest

HOSTS = ("teams.example.com",)
PATH = "powerautomate/automations/direct/workflows/5f3c/triggers/manual/paths/invoke"
QUERY = "api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=aB-3_xyz"
SECRETS = {"TEAMS_WORKFLOW_PATH": PATH, "TEAMS_WORKFLOW_QUERY": QUERY}
DEDUPLICATES = False
CARD = "application/vnd.microsoft.card.adaptive"


def error(status: int, code: str) -> Answer:
    return Answer.json({"error": {"code": code, "message": "The request was not accepted."}}, status)


class Contract:
    """A channel with one workflow."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.harm: list[str] = []

    def __call__(self, request: ReceivedRequest) -> Answer:
        path, _, query = request.target.partition("?")
        if path != f"/{PATH}":
            return error(404, "WorkflowNotFound")
        if query != QUERY:
            return error(401, "DirectApiAuthorizationRequired")
        if request.method != "POST" or request.header("Content-Type") != "application/json":
            return error(400, "TriggerInputSchemaMismatch")
        if len(request.body) > 28 * 1024:
            return error(413, "RequestEntityTooLarge")
        message = json.loads(request.body)
        if message.get("type") != "message" or not all(map(self._is_card, message.get("attachments") or [None])):
            return error(400, "TriggerInputSchemaMismatch")
        self.records.append(message)
        return Answer(202, headers=(), body=b"")

    def _is_card(self, attachment: Any) -> bool:
        if not attachment or attachment.get("contentType") != CARD:
            return False
        card = attachment["content"]
        return (
            card.get("type") == "AdaptiveCard" and card["version"] <= "1.5" and all(map(self._is_block, card["body"]))
        )

    def _is_block(self, block: Any) -> bool:
        if block["type"] == "TextBlock":
            self.harm.append(block["text"])  # its text is Markdown
        return block["type"] == "RichTextBlock" and all(
            run["type"] == "TextRun" and isinstance(run.get("text"), str) and run["text"] for run in block["inlines"]
        )


FAILED = b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429"
ERRORS = {
    "dead": [error(400, "TriggerInputSchemaMismatch"), error(413, "RequestEntityTooLarge"), Answer(200, body=FAILED)],
    "held": [error(401, "DirectApiAuthorizationRequired"), error(404, "WorkflowNotFound")],
    "retrying": [error(429, "RateLimited"), error(502, "NoResponse"), error(500, "InternalServerError")],
}
BROKEN = [
    ("type", None),
    ("attachments.0.contentType", "application/json"),
    ("attachments.0.content.body.0.inlines.0.text", ""),
    ("attachments.0.content.body.1.inlines.1.text", "x" * 28_000),
]
