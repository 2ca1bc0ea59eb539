"""Slack's incoming webhooks, as Slack describes them.

- "Sending messages using incoming webhooks" (docs.slack.dev): the URL is the credential, the answer is the text `ok`.
- "Improving error conditions for Incoming Webhooks" (api.slack.com, changelog): 400, 403, 404, 410, 500, with a word.
- "Header block", "Section block", "Context block", "Text object" (docs.slack.dev, Block Kit reference): lengths.
- "Formatting message text" (docs.slack.dev): `&`, `<` and `>` are control characters. "Rate limits": one per second.
"""

from __future__ import annotations

import json
from typing import Any

from hookctl.testing.answers import Answer, ReceivedRequest

HOSTS = ("hooks.slack.com",)
SECRETS = {"SLACK_WEBHOOK_PATH": "T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"}
DEDUPLICATES = False


def text(status: int, body: str, **headers: str) -> Answer:
    return Answer(status, headers=(("Content-Type", "text/html"), *headers.items()), body=body.encode())


class Contract:
    """A channel with one incoming webhook."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.harm: list[str] = []

    def __call__(self, request: ReceivedRequest) -> Answer:
        if request.method != "POST":
            return text(405, "method_not_allowed")
        if request.path != f"/services/{SECRETS['SLACK_WEBHOOK_PATH']}":
            return text(403, "invalid_token")
        try:
            message = json.loads(request.body)
        except ValueError:
            return text(400, "invalid_payload")
        if request.header("Content-Type") != "application/json" or not isinstance(message, dict):
            return text(400, "invalid_payload")
        if not message.get("text"):
            return text(400, "no_text")
        blocks = message.get("blocks", [])
        if len(blocks) > 50 or not all(map(self._is_valid, blocks)):
            return text(400, "invalid_blocks")
        markup = [message["text"], *(part["text"] for block in blocks for part in self._texts(block))]
        self.harm += [found for found in markup if "<" in found or ">" in found]
        self.records.append(message)
        return text(200, "ok")

    @staticmethod
    def _texts(block: Any) -> list[Any]:
        return block["elements"] if block["type"] == "context" else [block["text"]]

    def _is_valid(self, block: Any) -> bool:
        longest = {"header": 150, "section": 3000, "context": 2000}[block["type"]]
        kinds = {"plain_text"} if block["type"] == "header" else {"plain_text", "mrkdwn"}
        texts = self._texts(block)
        return 1 <= len(texts) <= 10 and all(
            part["type"] in kinds and 1 <= len(part["text"]) <= longest for part in texts
        )


ERRORS = {
    "dead": [text(400, "invalid_payload"), text(400, "user_not_found"), text(200, "invalid_blocks"), text(200, "")],
    "held": [
        text(403, "action_prohibited"),
        text(404, "channel_not_found"),
        text(404, "no_service"),
        text(403, "invalid_token"),
    ],
    "retrying": [text(500, "rollup_error"), text(429, "rate_limited", **{"Retry-After": "30"})],
}
BROKEN = [
    ("text", ""),
    ("blocks.0.text.text", "x" * 151),
    ("blocks.0.text.text", ""),
    ("blocks.1.text.text", "x" * 3001),
    ("blocks.0.text.type", "mrkdwn"),
]
