"""A webhook whose fields are at hand, instead of its YAML: what a file could not hold is a finding here, too."""

from __future__ import annotations

from hookctl.config.load.composer import MAX_DEPTH
from hookctl.config.load.files import MAX_BYTES
from hookctl.model import Finding, Json, Severity, SourceFile, Webhook, canonical_json
from hookctl.model.source import NOWHERE


def load_fields(path: str, fields: dict[str, Json]) -> Webhook | Finding:
    """The webhook of these fields, or a finding about what no webhook file could hold. Findings call it ``path``."""
    file = SourceFile(path, "")
    webhook = Webhook(file, 1, fields, NOWHERE)
    found = _beyond_files(fields)
    if found is None:
        return webhook
    rule, message, hint = found
    return Finding(rule=rule, severity=Severity.ERROR, message=message, hint=hint, file=file, webhook=webhook.name)


def _beyond_files(fields: dict[str, Json]) -> tuple[str, str, str] | None:
    """Rule, message and hint; level by level, so that no depth is too deep to be found."""
    collections: list[dict[str, Json] | list[Json]] = [fields]
    for _ in range(MAX_DEPTH):
        values = [value for one in collections for value in (one.values() if isinstance(one, dict) else one)]
        if any(isinstance(value, int) and not -(2**63) <= value < 2**64 for value in values):
            return (
                "yaml-ambiguous-number",
                "a number has more digits than 64 bits hold",
                "Write a shorter number, or text.",
            )
        collections = [value for value in values if isinstance(value, dict | list)]
    if collections:
        return "yaml-depth", f"more than {MAX_DEPTH} levels of nesting", "Write the webhook flat, as the schema has it."
    if len(canonical_json(fields)) > MAX_BYTES:
        return (
            "file-too-large",
            f"larger than {MAX_BYTES} bytes",
            "Write a smaller webhook: a file can hold no larger one.",
        )
    return None
