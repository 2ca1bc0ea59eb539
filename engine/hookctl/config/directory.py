"""Loads, checks and compiles the files of a directory, with as little work as its changes need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hookctl.config.check import WebhookChecker, check_names
from hookctl.config.compile import compile_webhook
from hookctl.config.events import (
    NOTHING_DEFINED,
    EventTypeFiles,
    read_event_types,
    revision_event_types,
    with_defined,
)
from hookctl.config.load import (
    MAX_TOTAL_BYTES,
    Loaded,
    list_files,
    load_bytes,
    load_each,
    read_bytes,
    too_many,
)
from hookctl.errors import StateError
from hookctl.model import DeliveryPlan, Finding, Revision, Severity, Webhook, has_errors, in_order
from hookctl.model.rules.fields import PLUGIN_FAILED
from hookctl.model.rules.files import MORE_FINDINGS
from hookctl.on_demand import KnownPlans, OnDemand, known_plans
from hookctl.plugin.calls import Plugins

if TYPE_CHECKING:
    from hookctl.config.cache import Cache

CACHED_FROM = 100
"""The number of files from which on results are kept on disk: with fewer, checking them again is as quick as
looking."""
MOST_FINDINGS = 100
"""Findings of one file that are shown. After as many documents with errors, the rest of the file is not looked at."""
PROGRESS_EVERY = 50
"""Files between two reports of progress."""
AT_ONCE = 50
"""Files that are loaded together, then checked, then compiled: a processor that stays at one task is a fifth faster."""
NOT_KEPT = PLUGIN_FAILED.id
"""The rule of findings that may not occur again in the next run, so they are not cached."""

Content = bytes | Finding
"""What a file holds, or why it cannot be read."""


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that was checked."""

    path: str
    content: bytes
    names: Sequence[str]
    """The names of its webhooks, in order."""

    def webhooks(self) -> Sequence[Webhook]:
        """Every webhook of the file, loaded again."""
        return load_bytes(self.path, self.content).webhooks


@dataclass(frozen=True, slots=True)
class CheckedDirectory:
    """The webhooks of a directory, now or in a git revision, and everything that is wrong with them."""

    files: tuple[CheckedFile, ...]
    findings: tuple[Finding, ...]
    plans: Mapping[str, DeliveryPlan]
    """The delivery plan of each webhook that has no error, by name."""
    ignored: tuple[Finding, ...] = ()
    """The warnings that comments in the files ignore, each with its reason."""
    is_partial: bool = False
    """True if this is only a part of the directory, because other files have errors."""
    event_types: EventTypeFiles = NOTHING_DEFINED
    """The event types that files define; what is wrong with them is among :attr:`findings`."""

    @property
    def webhooks(self) -> Mapping[str, Webhook]:
        """The webhooks as they are written, by name. The file is loaded again when one of its webhooks is asked for."""
        homes = {name: (file, number) for file in self.files for number, name in enumerate(file.names)}
        return OnDemand(homes, lambda name: homes[name][0].webhooks()[homes[name][1]])

    @property
    def count(self) -> int:
        """How many webhooks the files hold."""
        return sum(len(file.names) for file in self.files)

    @property
    def valid(self) -> bool:
        """True when no finding is an error; only then are the plans everything that the directory wants."""
        return not has_errors(self.findings)

    def only(self, names: Iterable[str]) -> CheckedDirectory:
        """The files of the named webhooks and what is wrong with them, if any file has errors; otherwise everything.

        It is everything as well if there are no names, if a file of an event type has errors, and if one of the names
        is in no file: a file that cannot be read may have it. A name that differs only in case counts, because two such
        names are an error.
        """
        wanted = {name.casefold() for name in names}
        of_types = self.event_types.findings
        if (
            self.valid
            or not wanted
            or has_errors(of_types)
            or not wanted.issubset(name.casefold() for file in self.files for name in file.names)
        ):
            return self
        files = tuple(file for file in self.files if not wanted.isdisjoint(map(str.casefold, file.names)))
        paths = {file.path for file in files}
        return CheckedDirectory(
            files,
            (*of_types, *(finding for finding in self.findings if finding.path in paths)),
            known_plans(self.plans).only([name for file in files for name in file.names if name in self.plans]),
            tuple(finding for finding in self.ignored if finding.path in paths),
            is_partial=True,
            event_types=self.event_types,
        )


def check_directory(
    directory: str | PathLike[str],
    plugins: Plugins,
    *,
    cache: Path | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> CheckedDirectory:
    """Load, check and compile every webhook file of a directory, and the event types that the files beside it define.

    Needs neither network, secrets nor state.

    Args:
        directory: where the files are; ``events.d`` lies beside it.
        plugins: what the files may use.
        cache: a folder that keeps results, so that the next run checks only files that changed. It may be deleted at
            any time.
        progress: called now and then with the number of files that are done, and of all files.

    Returns:
        The delivery plans, and a finding for everything that is wrong: bad input never raises.
    """
    directory = Path(directory)
    event_types = read_event_types(directory, plugins)
    plugins = with_defined(plugins, event_types.types)
    paths = list_files(directory)
    kept = _open_cache(cache, directory, plugins, len(paths))

    def contents() -> Iterator[tuple[str, Content]]:
        for number, path in enumerate(paths):
            if number % PROGRESS_EVERY == 0:
                progress(number, len(paths))
            yield (str(path), read_bytes(path, directory)) if isinstance(path, str) else (str(directory), path)

    checked = check_contents(contents(), directory, plugins, kept)
    if kept:
        kept.save()
    return _with_types(checked, event_types)


def check_revision(
    directory: Path, ref: str, plugins: Plugins, *, cache: Path | None = None
) -> tuple[Revision, CheckedDirectory]:
    """The same for a directory as it was in a git revision; ``cache`` helps with files that have not changed since.

    Nothing is added to the cache: the directory's next run does not need files that it does not hold.

    Raises:
        RevisionError: git cannot read the revision, or there is none of that name.
    """
    from hookctl.config.load.revision import read_revision

    found = read_revision(directory, ref)
    event_types = revision_event_types(directory, ref, plugins)
    plugins = with_defined(plugins, event_types.types)
    kept = _open_cache(cache, directory, plugins, len(found.files))
    return found.revision, _with_types(check_contents(found.files, directory, plugins, kept), event_types)


def _with_types(checked: CheckedDirectory, event_types: EventTypeFiles) -> CheckedDirectory:
    if event_types is NOTHING_DEFINED:
        return checked
    findings = in_order([*event_types.findings, *checked.findings])
    return replace(checked, findings=tuple(findings), event_types=event_types)


def _open_cache(folder: Path | None, directory: Path, plugins: Plugins, files: int) -> Cache | None:
    if not folder or files < CACHED_FROM:
        return None
    from hookctl.config.cache import Cache, fingerprint

    return Cache(folder, directory, fingerprint(plugins))


def check_contents(
    files: Iterable[tuple[str, Content]], directory: Path, plugins: Plugins, cache: Cache | None = None
) -> CheckedDirectory:
    """Check the contents of files, wherever they are from: each a path, as findings name it, and what it holds.

    ``directory`` is named where there are too many bytes; ``cache`` gives the results of files that it knows, and
    is told the others.
    """
    results, room = _Results(plugins, cache), MAX_TOTAL_BYTES
    for path, content in files:
        if isinstance(content, Finding):
            results.findings.append(content)
            continue
        room -= len(content)
        if room < 0:
            results.findings.append(too_many(str(directory)))
            break
        results.add(path, content)
    results.flush()
    duplicates = _compare_names(results.files)
    findings, ignored = in_order([*results.findings, *duplicates]), in_order(results.ignored)
    return CheckedDirectory(tuple(results.files), tuple(findings), results.plans(duplicates), tuple(ignored))


class _File(NamedTuple):
    """A file that was loaded and checked."""

    webhooks: Sequence[Webhook]
    findings: Sequence[Finding]
    is_valid: bool


class _Results:
    """Collects what the files of a directory hold."""

    def __init__(self, plugins: Plugins, cache: Cache | None) -> None:
        self.files: list[CheckedFile] = []
        self.findings: list[Finding] = []
        self.ignored: list[Finding] = []
        self._plugins = plugins
        self._cache = cache
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
        file = CheckedFile(path, content, kept.names)
        self.files.append(file)
        self._add_findings(kept.warnings)
        for name, digest in zip(kept.names, kept.digests, strict=True):
            self._digests[name] = digest
            self._homes[name] = file
            self._compiled.pop(name, None)  # the later of two webhooks with the same name counts, as without a cache

    def flush(self) -> None:
        """Load, check and compile the files that were taken in, one step after the other for all of them."""
        unchecked, self._unchecked = self._unchecked, []
        readers = [load_each(path, content) for path, content in unchecked]
        first = [next(reader) for reader in readers]  # every file has at least one part, and most have only one
        found = [self._found(part) for part in first]
        read = [self._rest(*parts) for parts in zip(first, found, readers, strict=True)]
        compiled = [[compile_webhook(webhook, self._plugins) for webhook in _sound(file)] for file in read]
        for (path, content), file, plans in zip(unchecked, read, compiled, strict=True):
            self._take(path, content, file, plans)

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
        file = CheckedFile(path, content, [webhook.name for webhook in read.webhooks])
        self.files.append(file)
        self._add_findings(read.findings)
        for plan in plans:
            self._digests[plan.name] = plan.digest
            self._compiled[plan.name] = plan
        if self._cache and read.is_valid and not any(finding.rule == NOT_KEPT for finding in read.findings):
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


def _compare_names(files: Iterable[CheckedFile]) -> list[Finding]:
    """Findings about names that several webhooks have. This is the only check that needs all files."""
    names = [name for file in files for name in file.names]
    counts = Counter(map(str.casefold, names))
    if len(counts) == len(names):
        return []
    return check_names(webhook for file in files for webhook in _taken(file, counts))


def _taken(file: CheckedFile, counts: Mapping[str, int]) -> Iterable[Webhook]:
    """The webhooks of a file whose names other webhooks also have."""
    if all(counts[name.casefold()] == 1 for name in file.names):
        return ()
    return [webhook for webhook in file.webhooks() if counts[webhook.name.casefold()] > 1]
