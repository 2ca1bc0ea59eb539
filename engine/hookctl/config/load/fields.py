"""Creates webhooks from fields instead of YAML, within the same limits as webhook files."""

from __future__ import annotations

from dataclasses import replace

from hookctl.config.load.composer import MAX_DEPTH
from hookctl.config.load.files import MAX_BYTES
from hookctl.model import Finding, Json, SourceFile, Webhook, canonical_json
from hookctl.model.rules.files import FILE_TOO_LARGE, YAML_AMBIGUOUS_NUMBER, YAML_DEPTH
from hookctl.model.source import NOWHERE


def load_fields(path: str, fields: dict[str, Json]) -> Webhook | Finding:
    """The webhook with these fields, or a finding if they exceed a limit of webhook files.

    ``path`` is the file name in findings.
    """
    file = SourceFile(path, "")
    webhook = Webhook(file, 1, fields, NOWHERE)
    beyond = _beyond_files(fields)
    return webhook if beyond is None else replace(beyond, file=file, webhook=webhook.name)


def _beyond_files(fields: dict[str, Json]) -> Finding | None:
    """The finding about the first exceeded limit, without its place. Works level by level, so deep nesting is safe."""
    collections: list[dict[str, Json] | list[Json]] = [fields]
    for _ in range(MAX_DEPTH):
        values = [value for one in collections for value in (one.values() if isinstance(one, dict) else one)]
        if any(isinstance(value, int) and not -(2**63) <= value < 2**64 for value in values):
            return YAML_AMBIGUOUS_NUMBER.finding("fields")
        collections = [value for value in values if isinstance(value, dict | list)]
    if collections:
        return YAML_DEPTH.finding(limit=MAX_DEPTH)
    if len(canonical_json(fields)) > MAX_BYTES:
        return FILE_TOO_LARGE.finding("fields", limit=MAX_BYTES)
    return None
