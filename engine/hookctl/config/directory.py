"""Load, check and compile, a file at a time: what a directory holds, with as little work as its changes need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hookctl.config.check import Checker, check_names
from hookctl.config.compile import compile_webhook
from hookctl.config.load import (
    MAX_TOTAL_BYTES,
    FileProblem,
    Loaded,
    file_finding,
    list_files,
    load_bytes,
    load_each,
    read_bytes,
    too_many,
)
from hookctl.errors import StateError
from hookctl.model import DeliveryPlan, Finding, Severity, Webhook, has_errors, in_order
from hookctl.model.delivery_plan import KnownPlans
from hookctl.plugin.calls import Plugins

if TYPE_CHECKING:
    from hookctl.config.cache import Cache, Outlines

CACHED_FROM = 100
"""Files from which on results are kept on disk: with fewer, checking them again takes no longer than looking."""
MOST_FINDINGS = 100
"""Findings of one file that are shown; after as many documents with errors, the others of the file are not looked at."""
TOLD_EVERY = 50
"""Files between two words of progress."""
AT_ONCE = 50
"""Files that are loaded together, then checked, then compiled: a processor that stays at one thing needs a quarter less time."""
NOT_KEPT = "plugin-failed"
"""The rule of findings that the next run may not make again."""


class CheckedFile:
    """A file's content, and its webhooks from when somebody first asks for them."""

    __slots__ = ("_webhooks", "content", "names", "path")

    def __init__(
        self, path: str, content: bytes, names: Sequence[str] = (), webhooks: Sequence[Webhook] | None = None
    ) -> None:
        self.path = path
        self.content = content
        self.names = names
        """Of its webhooks, in order."""
        self._webhooks = webhooks

    def webhook(self, number: int) -> Webhook:
        """The webhook at that place in the file, counted from 0; the file is loaded for it."""
        if self._webhooks is None:
            self._webhooks = load_bytes(self.path, self.content).webhooks
        return self._webhooks[number]

    def webhooks(self) -> Iterator[Webhook]:
        """Every webhook, each loaded when it is asked for more than its name."""
        return (Webhook.later(name, partial(self.webhook, number)) for number, name in enumerate(self.names))


@dataclass(frozen=True, slots=True)
class CheckedWebhooks:
    """The webhooks of files, in order; each is loaded again when it is asked for more than its name."""

    files: Sequence[CheckedFile]

    def __iter__(self) -> Iterator[Webhook]:
        return chain.from_iterable(file.webhooks() for file in self.files)

    def __len__(self) -> int:
        return sum(len(file.names) for file in self.files)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a directory holds, and everything that is wrong with it."""

    files: tuple[CheckedFile, ...]
    findings: tuple[Finding, ...]
    plans: Mapping[str, DeliveryPlan]
    """The delivery plan of each webhook whose file has no error."""
    outlines: Outlines | None = None
    """What is known of these from earlier plans; None where no results are kept."""

    @property
    def webhooks(self) -> CheckedWebhooks:
        """In the order of the files."""
        return CheckedWebhooks(self.files)

    @property
    def valid(self) -> bool:
        """True when no finding is an error; only then are the plans what the directory wants."""
        return not has_errors(self.findings)


def check_directory(
    directory: Path,
    plugins: Plugins,
    *,
    cache: Path | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
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
    survey, room = _Survey(plugins, kept), MAX_TOTAL_BYTES
    for number, path in enumerate(paths):
        if number % TOLD_EVERY == 0:
            progress(number, len(paths))
        content = path if isinstance(path, FileProblem) else read_bytes(path, directory)
        if isinstance(content, FileProblem):
            survey.findings.append(file_finding(content))
            continue
        room -= len(content)
        if room < 0:
            survey.findings.append(file_finding(too_many(str(directory))))
            break
        survey.add(str(path), content)
    survey.finish()
    if kept:
        kept.save()
    findings = in_order([*survey.findings, *_compare_names(survey.files)])
    return Checked(tuple(survey.files), tuple(findings), survey.plans(), kept.outlines if kept else None)


def _cache(folder: Path, directory: Path, plugins: Plugins) -> Cache:
    from hookctl.config.cache import Cache, fingerprint

    return Cache(folder, directory, fingerprint(plugins))


class _Read(NamedTuple):
    """What a file that was loaded and checked holds."""

    webhooks: Sequence[Webhook]
    findings: Sequence[Finding]
    is_valid: bool


class _Survey:
    """Collects what the files of a directory hold."""

    def __init__(self, plugins: Plugins, cache: Cache | None) -> None:
        self.files: list[CheckedFile] = []
        self.findings: list[Finding] = []
        self._plugins = plugins
        self._cache = cache
        self._digests: dict[str, str] = {}
        self._plans: dict[str, DeliveryPlan] = {}
        """Those that were compiled; all others are kept in the cache as a digest."""
        self._homes: dict[str, CheckedFile] = {}
        self._unchecked: list[CheckedFile] = []

    @cached_property
    def _checker(self) -> Checker:
        return Checker(self._plugins)

    def plans(self) -> Mapping[str, DeliveryPlan]:
        """The delivery plan of each webhook whose file has no error."""
        return KnownPlans(self._digests, self._compile, self._plans)

    def add(self, path: str, content: bytes) -> None:
        """Take in one file. :meth:`finish` after the last."""
        kept = self._cache.get(path, content) if self._cache else None
        if kept is None:
            self._unchecked.append(CheckedFile(path, content))
            if len(self._unchecked) == AT_ONCE:
                self.finish()
            return
        self.finish()
        names, digests, warnings = kept
        file = CheckedFile(path, content, names)
        self.files.append(file)
        for name, digest in zip(names, digests, strict=True):
            self._digests[name] = digest
            self._homes[name] = file
            self._plans.pop(name, None)  # of a name that two webhooks have the later one counts, as without a cache
        self.findings += warnings

    def finish(self) -> None:
        """Check all files that were taken in, one step after the other for all of them."""
        files, self._unchecked = self._unchecked, []
        readers = [load_each(file.path, file.content) for file in files]
        first = [next(reader) for reader in readers]  # every file has one, and most have no other
        found = [self._found(part) for part in first]
        read = [self._rest(*parts) for parts in zip(first, found, readers, strict=True)]
        plans = [
            [compile_webhook(webhook, self._plugins) for webhook in one.webhooks] if one.is_valid else None
            for one in read
        ]
        for file, one, compiled in zip(files, read, plans, strict=True):
            self._take(file, one, compiled)

    def _found(self, part: Loaded) -> list[Finding]:
        return [*part.findings, *chain.from_iterable(map(self._checker.check, part.webhooks))]

    def _rest(self, part: Loaded, found: Sequence[Finding], others: Iterator[Loaded]) -> _Read:
        """A file whole, from its first document, what is wrong with that, and the other documents."""
        webhooks, findings = [*part.webhooks], [*found]
        errors = int(has_errors(found))
        for other in others:
            found = self._found(other)
            webhooks += other.webhooks
            findings += found
            errors += has_errors(found)
            if errors > MOST_FINDINGS:
                break
        return _Read(webhooks, findings, not errors)

    def _take(self, file: CheckedFile, read: _Read, plans: Sequence[DeliveryPlan] | None) -> None:
        file.names = [webhook.name for webhook in read.webhooks]
        self.files.append(file)
        self.findings += _bounded(read.findings)
        if plans is None:
            return
        for plan in plans:
            self._digests[plan.name] = plan.digest
            self._plans[plan.name] = plan
        if self._cache and not any(finding.rule == NOT_KEPT for finding in read.findings):
            from hookctl.config.cache import Result

            self._cache.add(file.content, Result(file.names, [plan.digest for plan in plans], read.findings))

    def _compile(self, name: str) -> DeliveryPlan:
        home = self._homes[name]
        number = max(number for number, other in enumerate(home.names) if other == name)
        return _compile(home.webhook(number), self._digests[name], home.path, self._plugins)


@dataclass(frozen=True, slots=True)
class Readable:
    """What files hold that may have errors: the delivery plans of the webhooks without, and the errors."""

    plans: Mapping[str, DeliveryPlan]
    errors: Mapping[tuple[str, str], Sequence[Finding]]
    """By a file's path and a webhook's name; the name is empty for what is wrong with the file."""


def check_files(
    files: Sequence[tuple[str, bytes | FileProblem]], directory: Path, plugins: Plugins, cache: Path | None = None
) -> Readable:
    """Load, check and compile files that are not in ``directory`` now, with what its cache has for the same content.

    Nothing is added to the cache: what the directory does not hold is of no use to its next run.
    """
    kept = _cache(cache, directory, plugins) if cache and len(files) >= CACHED_FROM else None
    checker = Checker(plugins)
    checked: list[CheckedFile] = []
    findings: list[Finding] = []
    digests: dict[tuple[str, str], str] = {}
    for path, content in files:
        if isinstance(content, FileProblem):
            findings.append(file_finding(content))
        elif kept and (result := kept.get(path, content)):
            checked.append(CheckedFile(path, content, result.names))
            digests.update(zip(((path, name) for name in result.names), result.digests, strict=True))
        else:
            loaded = load_bytes(path, content)
            checked.append(CheckedFile(path, content, [webhook.name for webhook in loaded.webhooks], loaded.webhooks))
            findings += [*loaded.findings, *chain.from_iterable(map(checker.check, loaded.webhooks))]
    errors: dict[tuple[str, str], list[Finding]] = {}
    for finding in in_order([*findings, *_compare_names(checked)]):
        if finding.severity is Severity.ERROR:
            errors.setdefault((finding.file.path, finding.webhook), []).append(finding)
    readable = (
        (file.path, webhook)
        for file in checked
        for webhook in file.webhooks()
        if (file.path, webhook.name) not in errors
    )
    return Readable(
        {
            webhook.name: _planned(webhook, digests.get((path, webhook.name)), path, plugins)
            for path, webhook in readable
        },
        errors,
    )


def _planned(webhook: Webhook, digest: str | None, path: str, plugins: Plugins) -> DeliveryPlan:
    """The delivery plan of a webhook without errors; made when it is first asked for more, if its digest is known."""
    return (
        DeliveryPlan.later(webhook.name, digest, partial(_compile, webhook, digest, path, plugins))
        if digest
        else compile_webhook(webhook, plugins)
    )


def _compile(webhook: Webhook, digest: str, path: str, plugins: Plugins) -> DeliveryPlan:
    plan = compile_webhook(webhook, plugins)
    if plan.digest != digest:
        hint = "Delete the cache of hookctl, ~/.cache/hookctl."
        raise StateError(f"the cache of {path} is not of this hookctl and its plugins", hint=hint)
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
    return [
        *findings[:MOST_FINDINGS],
        Finding(rule="more-findings", severity=severity, message=message, hint=hint, file=first.file, span=first.span),
    ]


def _compare_names(files: Iterable[CheckedFile]) -> list[Finding]:
    """What is wrong with names that more than one webhook has: the one thing that no file shows by itself."""
    names = [name for file in files for name in file.names]
    counts = Counter(map(str.casefold, names))
    if len(counts) == len(names):
        return []
    return check_names(webhook for file in files for webhook in file.webhooks() if counts[webhook.name.casefold()] > 1)
