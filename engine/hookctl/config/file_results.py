"""Loads, checks and compiles files, many at a time, and collects what they hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from hookctl.config.check import WebhookChecker
from hookctl.config.compile import compile_webhook
from hookctl.config.load import Loaded, load_bytes, load_each
from hookctl.config.sharing import NOTHING_SHARED, Sharing
from hookctl.errors import StateError
from hookctl.model import DeliveryPlan, Finding, Severity, Webhook, has_errors, in_order
from hookctl.model.rules.fields import PLUGIN_FAILED
from hookctl.model.rules.files import MORE_FINDINGS
from hookctl.on_demand import KnownPlans
from hookctl.plugin.calls import Plugins

if TYPE_CHECKING:
    from hookctl.config.cache import Cache

MOST_FINDINGS = 100
"""Findings of one file that are shown. After as many documents with errors, the rest of the file is not looked at."""
AT_ONCE = 50
"""Files that are loaded together, then checked, then compiled: a processor that stays at one task is a fifth faster."""
NOT_KEPT = PLUGIN_FAILED.id
"""The rule of findings that may not occur again in the next run, so they are not cached."""


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that was checked."""

    path: str
    content: bytes
    names: Sequence[str]
    """The names of its webhooks, in order."""
    sharing: Sharing = NOTHING_SHARED

    def webhooks(self) -> Sequence[Webhook]:
        """Every webhook of the file, loaded again."""
        return self.sharing.all_prepared(load_bytes(self.path, self.content).webhooks, self.content)[0]


class _File(NamedTuple):
    """A file that was loaded and checked."""

    webhooks: Sequence[Webhook]
    findings: Sequence[Finding]
    is_valid: bool


class FileResults:
    """Collects what the files of a directory hold."""

    def __init__(self, plugins: Plugins, cache: Cache | None, sharing: Sharing) -> None:
        self.files: list[CheckedFile] = []
        self.findings: list[Finding] = []
        self.ignored: list[Finding] = []
        self._plugins = plugins
        self._cache, self._sharing = cache, sharing
        self._digests: dict[str, str] = {}
        self._compiled: dict[str, DeliveryPlan] = {}
        """The delivery plans that this run compiled. For all others the cache has the digest."""
        self._homes: dict[str, CheckedFile] = {}
        self._unchecked: list[tuple[str, bytes]] = []

    @cached_property
    def _checker(self) -> WebhookChecker:
        return WebhookChecker(self._plugins)

    def plans(self, duplicates: Sequence[Finding]) -> KnownPlans:
        """The delivery plan of each webhook without errors."""
        wrong = {finding.webhook.casefold() for finding in duplicates}  # of several with one name, none counts
        digests = {name: digest for name, digest in self._digests.items() if name.casefold() not in wrong}
        return KnownPlans(digests, self._compile, self._compiled)

    def add(self, path: str, content: bytes) -> None:
        """Take in one file. Call :meth:`flush` after the last."""
        kept = self._cache.get(path, content) if self._cache else None
        if kept is None:
            self._unchecked.append((path, content))
            if len(self._unchecked) == AT_ONCE:
                self.flush()
            return
        self.flush()
        file = CheckedFile(path, content, kept.names, self._sharing)
        self.files.append(file)
        self._add_findings(kept.warnings)
        for name, digest in zip(kept.names, kept.digests, strict=True):
            self._digests[name] = digest
            self._homes[name] = file
            self._compiled.pop(name, None)  # the later of two webhooks with the same name counts, as without a cache

    def flush(self) -> None:
        """Load, check and compile the files that were taken in, one step after the other for all of them."""
        unchecked, self._unchecked = self._unchecked, []
        readers = [self._loaded(path, content) for path, content in unchecked]
        first = [next(reader) for reader in readers]  # every file has at least one part, and most have only one
        found = [self._found(part) for part in first]
        read = [self._rest(*parts) for parts in zip(first, found, readers, strict=True)]
        compiled = [[compile_webhook(webhook, self._plugins) for webhook in _sound(file)] for file in read]
        for (path, content), file, plans in zip(unchecked, read, compiled, strict=True):
            self._take(path, content, file, plans)

    def _loaded(self, path: str, content: bytes) -> Iterator[Loaded]:
        """The parts of a file, whose webhooks have what they share."""
        for part in load_each(path, content):
            webhooks, findings = self._sharing.all_prepared(part.webhooks, content)
            yield (
                Loaded(tuple(webhooks), (*part.findings, *findings))
                if findings
                else replace(part, webhooks=tuple(webhooks))
            )

    def _found(self, part: Loaded) -> list[Finding]:
        return [*part.findings, *chain.from_iterable(map(self._checker.check, part.webhooks))]

    def _rest(self, part: Loaded, found: Sequence[Finding], others: Iterator[Loaded]) -> _File:
        """A whole file, given its first document and the findings about it."""
        webhooks, findings = [*part.webhooks], [*found]
        errors = int(has_errors(found))
        for other in others:
            found = self._found(other)
            webhooks += other.webhooks
            findings += found
            errors += has_errors(found)
            if errors > MOST_FINDINGS:
                break
        return _File(webhooks, findings, not errors)

    def _take(self, path: str, content: bytes, read: _File, plans: Sequence[DeliveryPlan]) -> None:
        file = CheckedFile(path, content, [webhook.name for webhook in read.webhooks], self._sharing)
        self.files.append(file)
        self._add_findings(read.findings)
        for plan in plans:
            self._digests[plan.name] = plan.digest
            self._compiled[plan.name] = plan
        is_kept = not any(finding.rule == NOT_KEPT or finding.path != path for finding in read.findings)
        if self._cache and read.is_valid and is_kept:
            from hookctl.config.cache import Result

            self._cache.add(content, Result(file.names, [plan.digest for plan in plans], read.findings))

    def _add_findings(self, findings: Sequence[Finding]) -> None:
        self.findings += _bounded([finding for finding in findings if not finding.ignored])
        self.ignored += [finding for finding in findings if finding.ignored]

    def _compile(self, name: str) -> DeliveryPlan:
        file = self._homes[name]
        number = max(number for number, other in enumerate(file.names) if other == name)
        plan = compile_webhook(file.webhooks()[number], self._plugins)
        if plan.digest != self._digests[name]:
            message = f"the cache of {file.path} was not written by this hookctl and its plugins"
            raise StateError(message, hint="Delete the cache of hookctl, ~/.cache/hookctl.")
        return plan


def _sound(file: _File) -> Sequence[Webhook]:
    """The webhooks of a file that have no error. A name that is missing or not a string is an error."""
    if file.is_valid:
        return file.webhooks
    wrong = {finding.webhook for finding in file.findings if finding.is_error}
    return [webhook for webhook in file.webhooks if webhook.name and webhook.name not in wrong]


def _bounded(findings: Sequence[Finding]) -> Sequence[Finding]:
    """At most so many findings of one file, and one that counts the others."""
    if len(findings) <= MOST_FINDINGS:
        return findings
    findings = in_order(findings)
    hidden = findings[MOST_FINDINGS:]
    first, are = hidden[0], "finding is" if len(hidden) == 1 else "findings are"
    more = MORE_FINDINGS.finding(file=first.file, span=first.span, count=len(hidden), are=are)
    severity = Severity.ERROR if has_errors(hidden) else Severity.WARNING
    return [*findings[:MOST_FINDINGS], replace(more, severity=severity)]
