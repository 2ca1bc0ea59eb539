"""Finds the files of event types, and reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from hookctl.config.load.files import find_files, outside, read_bytes, too_many
from hookctl.errors import FileError
from hookctl.files import resolve_given
from hookctl.model import DefinedType, Finding, Ignore, SourceFile, has_errors, in_order
from hookctl.model.rules.event_types import EVENT_FILE_NAME, EVENT_TYPE_TAKEN
from hookctl.plugin.calls import NAME, Plugins

DIRECTORY = "events.d"
SUFFIX = ".schema.json"
SUFFIXES = (".json", ".yaml", ".yml")
"""The files that are looked at. Only those that end with :data:`SUFFIX` are right; others are findings."""
MAX_FILES = 1000
OWN = "hookctl."
"""What the names of hookctl's own event types begin with."""


@dataclass(frozen=True, slots=True)
class EventTypeFiles:
    """What the files in ``events.d`` define, and what is wrong with them."""

    types: Mapping[str, DefinedType]
    """By name. A type whose file has errors accepts any event, so that webhooks that name it cause no more findings."""
    paths: Mapping[str, str]
    """The file of each type, by the name of the type."""
    findings: tuple[Finding, ...] = ()
    ignores: tuple[tuple[SourceFile, tuple[Ignore, ...]], ...] = ()
    """The files with comments that ignore warnings, and these comments."""


NOTHING_DEFINED = EventTypeFiles({}, {})


def directory_beside(webhooks: Path) -> Path:
    """The directory of event types: ``events.d`` in the directory that also has the directory of webhook files."""
    return webhooks.parent / DIRECTORY


def read_event_types(webhooks: Path, plugins: Plugins) -> EventTypeFiles:
    """The event types that the files beside a directory of webhooks define. Bad input is a finding, never an exception.

    ``plugins`` have the event types whose names are taken.
    """
    directory = directory_beside(webhooks)
    if not directory.is_dir():
        return NOTHING_DEFINED
    try:
        resolve_given(directory)
    except FileError:
        return EventTypeFiles({}, {}, (outside(str(directory)),))
    return _defined(_contents(directory), plugins)


def revision_event_types(webhooks: Path, ref: str, plugins: Plugins) -> EventTypeFiles:
    """The same as it was in a git revision. Raises RevisionError."""
    from hookctl.config.load.revision import read_revision

    return _defined(read_revision(directory_beside(webhooks), ref, SUFFIXES).files, plugins)


def _contents(directory: Path) -> Iterator[tuple[str, bytes | Finding]]:
    for number, path in enumerate(islice(find_files(directory, SUFFIXES), MAX_FILES + 1)):
        if number == MAX_FILES:
            yield str(directory), too_many(str(directory))
        elif isinstance(path, str):
            yield path, read_bytes(path, directory)
        else:
            yield str(directory), path


def _defined(contents: Iterable[tuple[str, bytes | Finding]], plugins: Plugins) -> EventTypeFiles:
    types: dict[str, DefinedType] = {}
    paths: dict[str, str] = {}
    findings: list[Finding] = []
    ignores: list[tuple[SourceFile, tuple[Ignore, ...]]] = []
    owners = {name.casefold(): _owner(plugins, name) for name in plugins.event_types}
    for path, content in contents:
        name = Path(path).name.removesuffix(SUFFIX)
        refused = _refused(path, name, content, owners)
        if refused is not None:
            findings.append(refused)
            continue
        from hookctl.config.events.definition import define  # most directories have no event types

        owners[name.casefold()] = path
        types[name], found = define(path, name, content if isinstance(content, bytes) else b"")
        paths[name] = path
        findings += found
        if isinstance(content, bytes) and b"hookctl:" in content and not has_errors(found):
            from hookctl.config.events.ignores import find_ignores

            ignores.append(find_ignores(path, content))
    return EventTypeFiles(types, paths, tuple(in_order(findings)), tuple(ignores))


def _refused(path: str, name: str, content: bytes | Finding, owners: Mapping[str, str]) -> Finding | None:
    """Why a file defines nothing; None if it defines an event type."""
    file = SourceFile(path, "")
    if isinstance(content, Finding):
        return content
    if not path.endswith(SUFFIX):
        return EVENT_FILE_NAME.finding(file=file)
    if not NAME.fullmatch(name):
        return EVENT_FILE_NAME.finding("type", file=file, name=name)
    owner = "hookctl" if name.casefold().startswith(OWN) else owners.get(name.casefold())
    if owner:
        return EVENT_TYPE_TAKEN.finding(file=file, name=name, owner=owner)
    return None


def _owner(plugins: Plugins, name: str) -> str:
    origin = plugins.origins.get(("event type", name), "")
    is_built_in = any(one.name == origin and one.built_in for one in plugins.providers)
    return "hookctl" if is_built_in or not origin else f"the plugin {origin}"
