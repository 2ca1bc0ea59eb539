"""Loads, checks and compiles the files of a directory, with as little work as its changes need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from hookctl.config.check import apply_ignores, check_names
from hookctl.config.events import (
    NOTHING_DEFINED,
    EventTypeFiles,
    read_event_types,
    revision_event_types,
    with_defined,
)
from hookctl.config.file_results import CheckedFile, FileResults
from hookctl.config.load import MAX_TOTAL_BYTES, list_files, read_bytes, too_many
from hookctl.config.load.loader import is_empty
from hookctl.config.sharing import NOTHING_SHARED, Sharing, is_defaults, read_sharing
from hookctl.model import DeliveryPlan, Finding, Json, Revision, Webhook, has_errors, in_order
from hookctl.on_demand import OnDemand, known_plans
from hookctl.plugin.calls import Plugins

if TYPE_CHECKING:
    from hookctl.config.cache import Cache

CACHED_FROM = 100
"""The number of files from which on results are kept on disk: with fewer, checking them again is as quick as
looking."""
PROGRESS_EVERY = 50
"""Files between two reports of progress."""

NO_VARIABLES: Mapping[str, Json] = {}
Content = bytes | Finding
"""What a file holds, or why it cannot be read."""


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
    shared: frozenset[str] = frozenset()
    """The files of defaults; what is wrong with them is among :attr:`findings`."""

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

        It is everything as well if there are no names, if a file that all share has errors, and if one of the names is
        in no file: a file that cannot be read may have it. A name that differs only in case counts, because two such
        names are an error.
        """
        wanted = {name.casefold() for name in names}
        of_all = [finding for finding in self.findings if finding.path in self.shared]
        of_all += self.event_types.findings
        if (
            self.valid
            or not wanted
            or has_errors(of_all)
            or not wanted.issubset(name.casefold() for file in self.files for name in file.names)
        ):
            return self
        files = tuple(file for file in self.files if not wanted.isdisjoint(map(str.casefold, file.names)))
        paths = {file.path for file in files}
        of_all_paths = {*self.shared, *self.event_types.paths.values()}
        return CheckedDirectory(
            files,
            (*of_all, *(finding for finding in self.findings if finding.path in paths)),
            known_plans(self.plans).only([name for file in files for name in file.names if name in self.plans]),
            tuple(finding for finding in self.ignored if finding.path in paths | of_all_paths),
            is_partial=True,
            event_types=self.event_types,
            shared=self.shared,
        )


def check_directory(
    directory: str | PathLike[str],
    plugins: Plugins,
    *,
    cache: Path | None = None,
    variables: Mapping[str, Json] = NO_VARIABLES,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> CheckedDirectory:
    """Load, check and compile every webhook file of a directory, and the event types that the files beside it define.

    Needs neither network, secrets nor state.

    Args:
        directory: where the files are; ``events.d`` lies beside it.
        plugins: what the files may use.
        cache: a folder that keeps results, so that the next run checks only files that changed. It may be deleted at
            any time.
        variables: the values for ``${var:NAME}`` in the files.
        progress: called now and then with the number of files that are done, and of all files.

    Returns:
        The delivery plans, and a finding for everything that is wrong: bad input never raises.
    """
    directory = Path(directory)
    event_types = read_event_types(directory, plugins)
    plugins = with_defined(plugins, event_types.types)
    paths = list_files(directory)
    given = [path for path in paths if isinstance(path, str) and is_defaults(path)]
    sharing, _ = read_sharing(((path, read_bytes(path, directory)) for path in given), variables)
    if given:
        paths = [path for path in paths if path not in sharing.paths] or [is_empty(directory)]
    kept = _open_cache(cache, directory, plugins, sharing, len(paths))

    def contents() -> Iterator[tuple[str, Content]]:
        for number, path in enumerate(paths):
            if number % PROGRESS_EVERY == 0:
                progress(number, len(paths))
            yield (str(path), read_bytes(path, directory)) if isinstance(path, str) else (str(directory), path)

    checked = check_contents(contents(), directory, plugins, kept, sharing)
    if kept:
        kept.save()
    return _with_types(checked, event_types)


def check_revision(
    directory: Path,
    ref: str,
    plugins: Plugins,
    *,
    cache: Path | None = None,
    variables: Mapping[str, Json] = NO_VARIABLES,
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
    sharing, files = read_sharing(found.files, variables)
    kept = _open_cache(cache, directory, plugins, sharing, len(files))
    return found.revision, _with_types(check_contents(files, directory, plugins, kept, sharing), event_types)


def _with_types(checked: CheckedDirectory, event_types: EventTypeFiles) -> CheckedDirectory:
    if event_types is NOTHING_DEFINED:
        return checked
    of_types = [*event_types.findings]
    for file, ignores in event_types.ignores:
        of_types = apply_ignores(ignores, of_types, file)
    found, ignored = _apart(of_types)
    return replace(
        checked,
        findings=tuple(in_order([*found, *checked.findings])),
        ignored=tuple(in_order([*ignored, *checked.ignored])),
        event_types=replace(event_types, findings=tuple(found)),
    )


def _apart(findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
    """The findings that count, and those that a comment ignores."""
    every = [*findings]
    return [one for one in every if not one.ignored], [one for one in every if one.ignored]


def _open_cache(folder: Path | None, directory: Path, plugins: Plugins, sharing: Sharing, files: int) -> Cache | None:
    if not folder or files < CACHED_FROM:
        return None
    from hookctl.config.cache import Cache, fingerprint

    return Cache(folder, directory, fingerprint(plugins) + sharing.key)


def check_contents(
    files: Iterable[tuple[str, Content]],
    directory: Path,
    plugins: Plugins,
    cache: Cache | None = None,
    sharing: Sharing = NOTHING_SHARED,
) -> CheckedDirectory:
    """Check the contents of files, wherever they are from: each a path, as findings name it, and what it holds.

    ``directory`` is named where there are too many bytes; ``cache`` gives the results of files that it knows, and
    is told the others. ``sharing`` is what the files share.
    """
    results, room = FileResults(plugins, cache, sharing), MAX_TOTAL_BYTES
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
    found = [*results.findings, *duplicates]
    ignored_too: list[Finding] = []
    if sharing.paths:
        found = [*sharing.findings, *_once(found, sharing.paths)]
        for defaults in sharing.defaults.values():
            found = apply_ignores(defaults.ignores, found, defaults.origin.file)
        found, ignored_too = _apart(found)
    findings, ignored = in_order(found), in_order([*results.ignored, *ignored_too])
    plans = results.plans(duplicates)
    return CheckedDirectory(tuple(results.files), tuple(findings), plans, tuple(ignored), shared=sharing.paths)


def _once(findings: Iterable[Finding], paths: Collection[str]) -> Iterator[Finding]:
    """The findings, of which one about defaults stands once, although it is about each webhook that has them."""
    seen: set[tuple[object, ...]] = set()
    for finding in findings:
        if finding.path in paths:
            key = finding.path, finding.span, finding.rule, finding.message
            if key in seen:
                continue
            seen.add(key)
        yield finding


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
