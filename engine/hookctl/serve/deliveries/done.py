"""The result of an action, as the page that follows it shows it."""

from __future__ import annotations

from collections.abc import Mapping

from hookctl.model.quantities import counted

WORDS = {"replay": "replayed", "cancel": "cancelled", "hold": "held", "resume": "resumed"}
"""What is done to each delivery, by action. A hold and its end are of webhooks."""
OF_WEBHOOKS = frozenset({"hold", "resume"})
MOST_DIGITS = 7


def done_parameters(action: str, changed: int, left: int) -> dict[str, str]:
    """The parameters of the address that :func:`done_text` reads."""
    return {"did": action, "changed": str(changed), "left": str(left)}


def done_text(parameters: Mapping[str, str]) -> str:
    """What an action did, as a sentence or two; empty if no action led to the page."""
    action = parameters.get("did", "")
    changed, left = (_number(parameters.get(name, "")) for name in ("changed", "left"))
    if action not in WORDS or changed is None or left is None:
        return ""
    noun = ("webhook", "webhooks") if action in OF_WEBHOOKS else ("delivery", "deliveries")
    text = f"{counted(changed, *noun)} {WORDS[action]}." if changed else f"Nothing was {WORDS[action]}."
    if left:
        has = "has" if left == 1 else "have"
        text += f" {counted(left, *noun)} {has} changed in the meantime, or a worker is trying it now."
    return text


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else None
