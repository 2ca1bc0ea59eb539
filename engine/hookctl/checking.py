"""Load, check and compile, a file at a time: what a directory holds, with as little work as its changes need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from hookctl.check import Checker, check_names
from hookctl.compile import compile_webhook
from hookctl.errors import StateError
from hookctl.load import list_files, load_bytes, load_each, read_content
from hookctl.model import DeliveryPlan, Finding, Severity, Webhook, has_errors, in_order
from hookctl.plugin.calls import Plugins

if TYPE_CHECKING:
    from hookctl.cache import Cache

CACHED_FROM = 100
"""Files from which on results are kept on disk: with fewer, checking them again takes no longer than looking."""
MOST_FINDINGS = 100
"""Findings of one file that are shown; after as many documents with errors, the others of the file are not looked at."""
TOLD_EVERY = 50
"""Files between two words of progress."""
NOT_KEPT = "plugin-failed"
"""The rule of findings that the next run may not make again."""


class CheckedFile:
    """A file's content, and its webhooks from when somebody first asks for them."""

    __slots__ = ("_webhooks", "content", "names", "path")

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self.content = content
        self.names: Sequence[str] = ()
        """Of its webhooks, in order."""
        self._webhooks: Sequence[Webhook] | None = None

    def webhook(self, number: int) -> Webhook:
        """The webhook at that place in the file, counted from 0; the file is loaded for it."""
        if self._webhooks is None:
            self._webhooks = load_bytes(self.path, self.content).webhooks
        return self._webhooks[number]

    def webhooks(self) -> Iterator[Webhook]:
        """Every webhook, each loaded when it is asked for more than its name."""
        return (Webhook.later(name, partial(self.webhook, number)) for number, name in enumerate(self.names))


@dataclass(frozen=True, slots=True)
class Checked:
    """What a directory holds, and everything that is wrong with it."""

    files: tuple[CheckedFile, ...]
    findings: tuple[Finding, ...]
    plans: Mapping[str, DeliveryPlan]
    """The delivery plan of each webhook whose file has no error."""

    @property
    def webhooks(self) -> tuple[Webhook, ...]:
        """In the order of the files; each is loaded again when it is asked for more than its name."""
        return tuple(webhook for file in self.files for webhook in file.webhooks())

    @property
    def valid(self) -> bool:
        """True when no finding is an error; only then are the plans what the directory wants."""
        return not has_errors(self.findings)


def check_directory(
    directory: Path, plugins: Plugins, *, cache: Path | None = None, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> Checked:
    """Load, check and compile every file of a directory. Needs neither network, secrets nor state; findings, never an exception, for bad input.

    Args:
        directory: where the files are.
        plugins: what may be used in them.
        cache: a folder to keep results in, so that only files that have changed are checked the next time; it may be deleted at any time.
        progress: told now and then how many of how many files are done.
    """
    paths = list_files(directory)
    kept = _cache(cache, directory, plugins) if cache and len(paths) >= CACHED_FROM else None
    survey = _Survey(plugins, kept)
    for number, path in enumerate(paths):
        if number % TOLD_EVERY == 0:
            progress(number, len(paths))
        content = path if isinstance(path, Finding) else read_content(path)
        if isinstance(content, Finding):
            survey.findings.append(content)
        else:
            survey.add(CheckedFile(str(path), content))
    if kept:
        kept.save()
    findings = in_order([*survey.findings, *_compare_names(survey.files)])
    return Checked(tuple(survey.files), tuple(findings), survey.plans)


def _cache(folder: Path, directory: Path, plugins: Plugins) -> Cache:
    from hookctl.cache import Cache, fingerprint

    return Cache(folder, directory, fingerprint(plugins))


class _Survey:
    """Collects what the files of a directory hold."""

    def __init__(self, plugins: Plugins, cache: Cache | None) -> None:
        self.files: list[CheckedFile] = []
        self.findings: list[Finding] = []
        self.plans: dict[str, DeliveryPlan] = {}
        self._plugins = plugins
        self._cache = cache

    @cached_property
    def _checker(self) -> Checker:
        return Checker(self._plugins)

    def add(self, file: CheckedFile) -> None:
        """Take in one file."""
        self.files.append(file)
        kept = self._cache.get(file.path, file.content) if self._cache else None
        if kept:
            self.findings += kept.warnings
            file.names = [name for name, _ in kept.webhooks]
            for number, (name, digest) in enumerate(kept.webhooks):
                self.plans[name] = DeliveryPlan.later(name, digest, partial(self._compile, file, number, digest))
        else:
            self._check(file)

    def _check(self, file: CheckedFile) -> None:
        webhooks: list[Webhook] = []
        findings: list[Finding] = []
        errors = 0
        for part in load_each(file.path, file.content):
            found = [*part.findings, *chain.from_iterable(map(self._checker.check, part.webhooks))]
            webhooks += part.webhooks
            findings += found
            errors += has_errors(found)
            if errors > MOST_FINDINGS:
                break
        self.findings += _bounded(findings)
        file.names = [webhook.name for webhook in webhooks]
        if errors:
            return
        plans = [compile_webhook(webhook, self._plugins) for webhook in webhooks]
        self.plans.update((plan.name, plan) for plan in plans)
        if self._cache and not any(finding.rule == NOT_KEPT for finding in findings):
            from hookctl.cache import Result

            self._cache.add(file.content, Result([(plan.name, plan.digest) for plan in plans], findings))

    def _compile(self, file: CheckedFile, number: int, digest: str) -> DeliveryPlan:
        plan = compile_webhook(file.webhook(number), self._plugins)
        if plan.digest != digest:
            raise StateError(f"the cache of {file.path} is not of this hookctl and its plugins", hint="Delete .hookctl/cache.")
        return plan


def _bounded(findings: Sequence[Finding]) -> Sequence[Finding]:
    """At most so many findings of one file, and one that counts the others."""
    if len(findings) <= MOST_FINDINGS:
        return findings
    findings = in_order(findings)
    hidden = findings[MOST_FINDINGS:]
    first, are = hidden[0], "finding is" if len(hidden) == 1 else "findings are"
    severity = Severity.ERROR if has_errors(hidden) else Severity.WARNING
    message, hint = f"from here on at least {len(hidden):,} more {are} not shown", "Mend those above, and look again."
    return [*findings[:MOST_FINDINGS], Finding(rule="more-findings", severity=severity, message=message, hint=hint, file=first.file, span=first.span)]


def _compare_names(files: Iterable[CheckedFile]) -> list[Finding]:
    """What is wrong with names that more than one webhook has: the one thing that no file shows by itself."""
    counts = Counter(name.casefold() for file in files for name in file.names)
    if len(counts) == counts.total():
        return []
    return check_names(webhook for file in files for webhook in file.webhooks() if counts[webhook.name.casefold()] > 1)
