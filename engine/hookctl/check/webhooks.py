"""Checks webhooks one by one, and then against each other."""

from __future__ import annotations

from collections.abc import Sequence

from hookctl.check.blocks import Blocks
from hookctl.check.headers import check_headers
from hookctl.check.notes import Notes
from hookctl.check.schemas import Schema
from hookctl.check.secrets import check_references
from hookctl.check.texts import check_texts
from hookctl.model import Finding, Webhook, brief
from hookctl.plugin.calls import Plugins
from hookctl.schema_files import read_schema


def check_webhooks(webhooks: Sequence[Webhook], plugins: Plugins) -> list[Finding]:
    """Every finding about ``webhooks``. Looks at the files alone: neither network, secrets nor state. A plugin that raises is a finding, too."""
    schema = Schema(read_schema("webhook.schema.json"), {})
    blocks = Blocks(plugins)
    findings: list[Finding] = []
    first: dict[str, Webhook] = {}
    for webhook in webhooks:
        notes = Notes(webhook)
        schema.check(notes, dict(webhook.fields))
        check_headers(notes, ("headers",), webhook.fields.get("headers"))
        check_references(notes, plugins.secret_sources)
        blocks.check(notes)
        check_texts(notes, plugins)
        _check_name(notes, first)
        findings += notes.findings
    return findings


def _check_name(notes: Notes, first: dict[str, Webhook]) -> None:
    """Note a name that another webhook has, compared without case."""
    name = notes.webhook.name
    if not name:
        return
    other = first.setdefault(name.casefold(), notes.webhook)
    if other is not notes.webhook:
        as_written = "" if other.name == name else f", written {brief(other.name)!r}"
        place = f"{other.file.path}:{other.positions.value(('name',)).line}"
        notes.add(
            "name-duplicate", f"the name {brief(name)!r} is taken by the webhook at {place}{as_written}", "Give each webhook a name of its own.", ("name",)
        )
