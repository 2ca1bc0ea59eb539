"""Load, check and compile, a file at a time: what a directory holds, with as little work as its changes need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from hookctl.cache import Cache, Result, fingerprint
from hookctl.check import Checker, check_names
from hookctl.compile import compile_webhook
from hookctl.errors import StateError
from hookctl.load import list_files, load_bytes, read_content
from hookctl.model import DeliveryPlan, Finding, Webhook, has_errors, in_order
from hookctl.plugin.calls import Plugins

CACHED_FROM = 100
"""Files from which on results are kept on disk: with fewer, checking them again takes no longer than looking."""
NOT_KEPT = "plugin-failed"
"""The rule of findings that the next run may not make again."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a directory holds, and everything that is wrong with it."""

    webhooks: tuple[Webhook, ...]
    """In the order of the files; each is read again when somebody asks for more than its name."""
    findings: tuple[Finding, ...]
    plans: Mapping[str, DeliveryPlan]
    """The delivery plan of each webhook whose file has no error."""
    files: int
    """How many files were read."""

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
        progress: told before each file how many of how many are done.
    """
    paths = list_files(directory)
    kept = Cache(cache, directory, fingerprint(plugins)) if cache and len(paths) >= CACHED_FROM else None
    survey = _Survey(plugins, kept)
    for number, path in enumerate(paths):
        progress(number, len(paths))
        content = path if isinstance(path, Finding) else read_content(path)
        if isinstance(content, Finding):
            survey.findings.append(content)
        else:
            survey.add(_File(str(path), content))
    if kept:
        kept.save()
    survey.compare_names()
    return Checked(tuple(survey.webhooks), tuple(in_order(survey.findings)), survey.plans, survey.files)


class _File:
    """A file's content, and its webhooks as long as somebody needs them."""

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self.content = content

    @cached_property
    def webhooks(self) -> Sequence[Webhook]:
        """Loaded when first asked for."""
        return load_bytes(self.path, self.content).webhooks

    def webhook(self, number: int) -> Webhook:
        """The webhook at that place in the file, counted from 0."""
        return self.webhooks[number]


class _Survey:
    """Collects what the files of a directory hold."""

    def __init__(self, plugins: Plugins, cache: Cache | None) -> None:
        self.webhooks: list[Webhook] = []
        self.findings: list[Finding] = []
        self.plans: dict[str, DeliveryPlan] = {}
        self.files = 0
        self._plugins = plugins
        self._cache = cache

    @cached_property
    def _checker(self) -> Checker:
        return Checker(self._plugins)

    def add(self, file: _File) -> None:
        """Take in one file."""
        self.files += 1
        kept = self._cache.get(file.path, file.content) if self._cache else None
        if kept:
            self.findings += kept.warnings
            for number, (name, digest) in enumerate(kept.webhooks):
                self.webhooks.append(Webhook.later(name, partial(file.webhook, number)))
                self.plans[name] = DeliveryPlan.later(name, digest, partial(self._compile, file, number, digest))
        else:
            self._check(file)

    def _check(self, file: _File) -> None:
        loaded = load_bytes(file.path, file.content)
        findings = [*loaded.findings, *(finding for webhook in loaded.webhooks for finding in self._checker.check(webhook))]
        self.findings += findings
        self.webhooks += (Webhook.later(webhook.name, partial(file.webhook, number)) for number, webhook in enumerate(loaded.webhooks))
        if has_errors(findings):
            return
        plans = [compile_webhook(webhook, self._plugins) for webhook in loaded.webhooks]
        self.plans.update((plan.name, plan) for plan in plans)
        if self._cache and not any(finding.rule == NOT_KEPT for finding in findings):
            self._cache.add(file.content, Result(tuple((plan.name, plan.digest) for plan in plans), tuple(findings)))

    def _compile(self, file: _File, number: int, digest: str) -> DeliveryPlan:
        plan = compile_webhook(file.webhook(number), self._plugins)
        if plan.digest != digest:
            raise StateError(f"the cache of {file.path} is not of this hookctl and its plugins", hint="Delete .hookctl/cache.")
        return plan

    def compare_names(self) -> None:
        """Note the names that more than one webhook has: the one thing that no file shows by itself."""
        counts = Counter(webhook.name.casefold() for webhook in self.webhooks)
        if len(counts) < len(self.webhooks):
            self.findings += check_names(webhook for webhook in self.webhooks if counts[webhook.name.casefold()] > 1)
