"""``defaults.yaml``: fields that the webhooks in its directory, and below it, have unless they set them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from hookctl.config.load import load_bytes
from hookctl.model import Finding, Ignore, Json, Origin, Pointer, SourceFile, Webhook
from hookctl.model.rules.files import FILE_EMPTY
from hookctl.model.rules.sharing import DEFAULTS_DOCUMENTS, DEFAULTS_FIELD

DEFAULTS = ("defaults.yaml", "defaults.yml")
"""The names of the file."""
OWN = ("name", "version")
"""Fields that a default cannot set."""
BY_KEY = frozenset({"headers", "labels", "outcomes"})
"""Fields that are merged key by key. Of any other field, the webhook has its own value or the default."""
EXCLUSIVE = (("body_template", "form"), ("form", "body_format"))
"""Pairs of fields of which a webhook has only one: its own keeps the default of the other away."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """The content of one file."""

    origin: Origin
    fields: Mapping[str, Json]
    ignores: tuple[Ignore, ...] = ()
    """The comments that ignore warnings about what is in this file."""


def is_defaults(path: str) -> bool:
    """Whether a file has defaults instead of webhooks."""
    return PurePath(path).name in DEFAULTS


def read_defaults(path: str, content: bytes) -> tuple[Defaults | None, list[Finding]]:
    """The defaults in a file, and what is wrong with it."""
    loaded = load_bytes(path, content)
    # A file that has only comments so far has no defaults, which is not a mistake.
    findings = [finding for finding in loaded.findings if finding.rule != FILE_EMPTY.id]
    if not loaded.webhooks:
        return None, findings
    if len(loaded.webhooks) > 1:
        return None, [*findings, DEFAULTS_DOCUMENTS.finding(file=SourceFile(path, ""))]
    (written,) = loaded.webhooks
    for name in OWN:
        if name in written.fields:
            span = written.positions.key((name,))
            findings.append(DEFAULTS_FIELD.finding(file=written.file, span=span, name=name))
    fields = {name: value for name, value in written.fields.items() if name not in OWN}
    return Defaults(Origin(written.file, written.positions), fields, written.ignores), findings


def with_defaults(webhook: Webhook, chain: Sequence[Defaults]) -> Webhook:
    """The webhook with the fields that it does not set. Of ``chain``, later defaults replace earlier ones."""
    fields: dict[str, Json] = {}
    origins: dict[Pointer, Origin] = {}
    for defaults in chain:
        _merge(fields, defaults.fields, origins, defaults.origin)
    _merge(fields, webhook.fields, origins, None)
    return replace(webhook, fields=fields, origins=origins)


def _merge(
    fields: dict[str, Json], more: Mapping[str, Json], origins: dict[Pointer, Origin], origin: Origin | None
) -> None:
    """Put ``more`` into ``fields``, and where each value is from into ``origins``; None: from the webhook itself."""
    for one, other in EXCLUSIVE:
        for own, loser in ((one, other), (other, one)):
            if own in more and loser not in more:
                fields.pop(loser, None)
                _forget(origins, loser)
    for name, value in more.items():
        before = fields.get(name)
        if name in BY_KEY and isinstance(before, dict) and isinstance(value, dict):
            fields[name] = {**before, **value}
            places: list[Pointer] = [(name, key) for key in value]
            whole = origins.pop((name,), None)
            if whole:
                origins |= {(name, key): whole for key in before if key not in value}
        else:
            fields[name] = value
            _forget(origins, name)
            places = [(name,)]
        for place in places:
            origins.pop(place, None)
            if origin:
                origins[place] = origin


def _forget(origins: dict[Pointer, Origin], name: str) -> None:
    for place in [place for place in origins if place[0] == name]:
        del origins[place]
