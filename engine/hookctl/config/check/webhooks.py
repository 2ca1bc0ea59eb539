"""Checks each webhook on its own, and the names of all webhooks against each other."""

from __future__ import annotations

from collections.abc import Iterable

from hookctl.config.check.blocks import Blocks
from hookctl.config.check.catalog import CHECKS
from hookctl.config.check.ignores import apply_ignores
from hookctl.config.check.notes import Notes
from hookctl.config.check.schemas import Schema
from hookctl.config.check.texts import Texts
from hookctl.model import Finding, Webhook, brief
from hookctl.model.rules.fields import NAME_DUPLICATE
from hookctl.plugin.calls import Plugins
from hookctl.schema_files import read_schema


class WebhookChecker:
    """Checks single webhooks, and compiles schemas only once. Does not use the network, secrets or the store."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins
        self._schema = Schema(read_schema("webhook.schema.json"), {})
        self._blocks = Blocks(plugins)
        self._texts = Texts(plugins)

    def check(self, webhook: Webhook) -> list[Finding]:
        """Every finding about one webhook on its own; a warning that a comment in its file ignores has ``ignored`` set.

        An exception in a plugin becomes a finding.
        """
        notes = Notes(webhook)
        self._schema.check(notes, dict(webhook.fields))
        for check in CHECKS:
            check(notes, self._plugins)
        self._blocks.check(notes)
        self._texts.check(notes)
        if not webhook.ignores:
            return notes.findings
        return apply_ignores(
            webhook.ignores, notes.findings, webhook.file, webhook=webhook.name, is_partial=bool(webhook.unread)
        )


def check_names(webhooks: Iterable[Webhook]) -> list[Finding]:
    """A finding for each webhook whose name an earlier webhook has, ignoring case."""
    findings: list[Finding] = []
    first: dict[str, Webhook] = {}
    for webhook in webhooks:
        notes = Notes(webhook)
        _check_name(notes, first)
        findings += notes.findings
    return findings


def _check_name(notes: Notes, first: dict[str, Webhook]) -> None:
    name = notes.webhook.name
    if not name:
        return
    other = first.setdefault(name.casefold(), notes.webhook)
    if other is not notes.webhook:
        as_written = "" if other.name == name else f", written {brief(other.name)!r}"
        place = f"{other.file.path}:{other.positions.value(('name',)).line}"
        notes.add(NAME_DUPLICATE, ("name",), name=brief(name), place=place, as_written=as_written)
