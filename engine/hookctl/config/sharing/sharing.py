"""Gives each webhook what its file shares with others: defaults first, then the values of variables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from hookctl.config.sharing.defaults import Defaults, is_defaults, read_defaults, with_defaults
from hookctl.config.sharing.variables import START, with_variables
from hookctl.json.paths import field_text
from hookctl.model import Contribution, Finding, Json, SourceFile, Webhook, canonical_json
from hookctl.model.rules.sharing import DEFAULTS_DOCUMENTS


@dataclass(frozen=True, slots=True)
class Sharing:
    """What the webhook files of a directory share."""

    defaults: Mapping[str, Defaults] = field(default_factory=dict)
    """By the directory that each is in."""
    variables: Mapping[str, Json] = field(default_factory=dict)
    paths: frozenset[str] = frozenset()
    """The files of the defaults."""
    findings: tuple[Finding, ...] = ()
    """What is wrong with these files."""

    @property
    def key(self) -> str:
        """A digest of everything that webhooks may get; empty for nothing."""
        if not self.defaults and not self.variables:
            return ""
        shared: dict[str, Json] = {
            "variables": dict(self.variables),
            "defaults": {place: [one.origin.file.path, one.origin.file.text] for place, one in self.defaults.items()},
        }
        return hashlib.sha256(canonical_json(shared)).hexdigest()

    def prepared(self, webhook: Webhook, *, uses_variables: bool) -> tuple[Webhook, list[Finding]]:
        """The webhook with everything that it gets, and what is wrong with the variables that it uses.

        ``uses_variables`` is whether its file does, which may hold thousands of webhooks.
        """
        if self.defaults:
            chain = [*self._chain(webhook.file.path)]
            webhook = with_defaults(webhook, chain) if chain else webhook
        if not uses_variables and not any(START in one.file.text for one in webhook.origins.values()):
            return webhook, []
        return with_variables(webhook, self.variables)

    def all_prepared(self, webhooks: Iterable[Webhook], content: bytes) -> tuple[list[Webhook], list[Finding]]:
        """The webhooks of a file with this content, as :meth:`prepared` gives them."""
        uses_variables = START.encode() in content
        if not uses_variables and not self.defaults:
            return [*webhooks], []
        found = [self.prepared(webhook, uses_variables=uses_variables) for webhook in webhooks]
        return [webhook for webhook, _ in found], [finding for _, findings in found for finding in findings]

    def _chain(self, path: str) -> Iterator[Defaults]:
        """The defaults for a file: those of the outermost directory first."""
        for parent in reversed(PurePath(path).parents):
            if str(parent) in self.defaults:
                yield self.defaults[str(parent)]


NOTHING_SHARED = Sharing()


def read_sharing(
    contents: Iterable[tuple[str, bytes | Finding]], variables: Mapping[str, Json]
) -> tuple[Sharing, list[tuple[str, bytes | Finding]]]:
    """What files share, and the contents that are not defaults."""
    defaults: dict[str, Defaults] = {}
    findings: list[Finding] = []
    paths: list[str] = []
    rest: list[tuple[str, bytes | Finding]] = []
    for path, content in contents:
        if isinstance(content, Finding) or not is_defaults(path):
            rest.append((path, content))
            continue
        place = str(PurePath(path).parent)
        if any(str(PurePath(known).parent) == place for known in paths):
            findings.append(DEFAULTS_DOCUMENTS.finding(file=SourceFile(path, "")))
            continue
        paths.append(path)
        found, problems = read_defaults(path, content)
        findings += problems
        if found is not None:
            defaults[place] = found
    return Sharing(defaults, variables, frozenset(paths), tuple(findings)), rest


def contributions(webhook: Webhook) -> tuple[Contribution, ...]:
    """The fields that a webhook has from defaults, in the order of the files."""
    found = [
        Contribution(field_text(place), origin.file.path, origin.positions.key(place).line)
        for place, origin in webhook.origins.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.path, one.line)))
