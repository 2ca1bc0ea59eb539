"""Auths that change a request after another auth has signed it."""

from __future__ import annotations

from hookctl.config.check.notes import Notes
from hookctl.model.rules.rule import Rule
from hookctl.plugin.calls import Plugins

SIGNATURE_NOT_LAST = Rule(
    id="signature-not-last",
    summary="An auth signs the request before another auth changes it.",
    explanation=(
        "Auths are applied in the order of the list. What comes after a signature can change what was signed, such as"
        " the URL or a header, and the target then rejects the request. So auths that sign come last; among each other,"
        " they may have any order. `standard_webhooks` and `hmac` sign, and so do the auths of plugins that declare it."
    ),
    message="auth {signing} signs the request, but auth {other} changes it afterwards",
    hint="Move {signing} to the end of the list.",
    bad=(
        "auth:\n  - type: hmac\n    preset: github\n    secret: ${env:SIEM_KEY}\n"
        "  - type: bearer\n    token: ${env:SIEM_TOKEN}"
    ),
    good=(
        "auth:\n  - type: bearer\n    token: ${env:SIEM_TOKEN}\n"
        "  - type: hmac\n    preset: github\n    secret: ${env:SIEM_KEY}"
    ),
)


def check(notes: Notes, plugins: Plugins) -> None:
    """Note each auth that signs before one that does not."""
    auth = notes.webhook.fields.get("auth")
    if not isinstance(auth, list) or len(auth) < 2:
        return
    names = [block.get("type") if isinstance(block, dict) else None for block in auth]
    kinds = [plugins.auth.get(name) if isinstance(name, str) else None for name in names]
    for index, kind in enumerate(kinds):
        later = next((other for other in kinds[index + 1 :] if other is not None and not other.signs), None)
        if kind is not None and kind.signs and later is not None:
            notes.add(SIGNATURE_NOT_LAST, ("auth", index, "type"), signing=kind.name, other=later.name)
