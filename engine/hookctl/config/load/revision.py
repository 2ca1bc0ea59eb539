"""Reads webhook files from a git revision with ``git``, without touching the work tree, the index or a remote."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hookctl.config.load.files import MAX_BYTES, MAX_FILES, MAX_TOTAL_BYTES, SUFFIXES, too_large, too_many
from hookctl.errors import RevisionError
from hookctl.model import Finding, Revision, SourceFile
from hookctl.model.rules.files import FILE_UNREADABLE

_LOCAL = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE")
"""Variables that git sets for its hooks. They could select a repository other than the one with the directory."""
_GIT = (
    "env",
    *(word for name in _LOCAL for word in ("-u", name)),
    "GIT_ALLOW_PROTOCOL=none",  # otherwise git connects to the remote of a partial clone to fetch missing objects
    "LC_ALL=C",
    "git",
    "--no-pager",
    "--no-optional-locks",
    "--no-replace-objects",
    # A pull request can commit the files of a bare repository. With this setting, git 2.38 and later does not treat
    # the directory with those files as a repository.
    *("-c", "safe.bareRepository=explicit"),
    # The commands below use none of these today; disabling them protects commands that are added later.
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.attributesFile=/dev/null"),
)
_NO_REPOSITORY = "not a git repository"
_KNOWN = (
    (_NO_REPOSITORY, _NO_REPOSITORY),
    ("cannot use bare repository", "it contains the files of a bare repository"),
    ("dubious ownership", "another user owns the repository, and safe.directory does not name it"),
    ("No such file or directory", "No such file or directory"),
)
"""Parts of known errors of git or env, and the text to report for each.

Text decides here because git gives nothing else: its exit code is 128 for every problem with a repository. It decides
only how the message reads. LC_ALL=C above keeps it in English."""
MAX_LISTED = 64 * 1024 * 1024
"""Maximum bytes of a file list. A few git objects can describe a tree of billions of files, so a limit is needed."""
_LINK = "120000"


@dataclass(frozen=True, slots=True)
class RevisionFiles:
    """The webhook files of a directory in a git revision."""

    revision: Revision
    files: Sequence[tuple[str, bytes | Finding]]
    """The path of each file as in findings, and its content or a finding; in the order of ``load_directory``."""


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    kind: str
    object_id: str
    size: int
    path: str


def read_revision(directory: Path, ref: str, suffixes: tuple[str, ...] = SUFFIXES) -> RevisionFiles:
    """The files that :func:`hookctl.config.load.load_directory` would read in the commit ``ref``.

    There are no files if the directory does not exist in that commit. Paths have git's form ``REF:PATH``, where
    ``PATH`` starts at the root of the repository. Links are not followed; each link is a finding.

    Raises:
        RevisionError: the directory is not in a git repository, ``ref`` is not a commit in it, or git is not
            installed or fails.
    """
    real = directory.resolve()
    inside = next(parent for parent in (real, *real.parents) if parent.is_dir())
    root = _checkout(inside, real, directory)
    folder = real.relative_to(root).as_posix()
    revision = Revision(ref, _commit(root, ref))
    entries = (
        []
        if _is_missing(root, revision, folder)
        else [entry for entry in _entries(root, revision, folder) if _is_meant(entry, suffixes)]
    )
    entries.sort(key=lambda entry: entry.path.split("/"))
    prefix = f"{ref}:" if folder == "." else f"{ref}:{folder}/"
    problems = {entry: _problem(entry, prefix) for entry in entries}
    if (
        len(entries) > MAX_FILES
        or sum(entry.size for entry, problem in problems.items() if not problem) > MAX_TOTAL_BYTES
    ):
        return RevisionFiles(revision, [(prefix, too_many(prefix))])
    contents = _contents(root, [entry.object_id for entry, problem in problems.items() if problem is None])
    return RevisionFiles(
        revision,
        [(f"{prefix}{entry.path}", problem or contents[entry.object_id]) for entry, problem in problems.items()],
    )


def read_revision_file(path: Path, ref: str, *, limit: int) -> bytes:
    """The content of one file in the commit ``ref``; empty if it is not a file of at most ``limit`` bytes there.

    Raises RevisionError as :func:`read_revision` does.
    """
    folder = path.absolute().parent.resolve()
    root = _checkout(folder, folder, folder)
    blob = f"{_commit(root, ref)}:{(folder / path.name).relative_to(root).as_posix()}"
    try:
        is_small = int(_git(root, "cat-file", "-s", blob)) <= limit
        return _git(root, "cat-file", "blob", blob) if is_small else b""
    except RevisionError:
        return b""


DIRTY = "-dirty"
"""After the id of a commit from which the files differ, as ``git describe --dirty`` writes it."""


def checked_out_commit(directory: Path) -> str:
    """The id of the commit that is checked out where the directory is, with ``-dirty`` if its files differ from it.

    Empty if the directory is not in a checkout with a commit, or if git is not there or fails.
    """
    real = directory.resolve()
    if not any((parent / ".git").exists() for parent in (real, *real.parents)):
        return ""
    try:
        root = _checkout(next(parent for parent in (real, *real.parents) if parent.is_dir()), real, directory)
        commit = _commit(root, "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=all", "--", str(real))
    except RevisionError:
        return ""
    return commit + (DIRTY if changed else "")


def _checkout(inside: Path, real: Path, shown: Path) -> Path:
    """The root of the checkout that contains ``real``, whose nearest existing parent is ``inside``."""
    root = _root(inside, shown)
    if not real.is_relative_to(root) or not os.path.lexists(root / ".git"):
        # Versions of git before 2.38 treat committed files of a bare repository as a repository. A commit cannot
        # contain .git, so a .git proves that this is a checkout.
        message = f"{shown} is not in a checkout of a git repository"
        raise RevisionError(message, hint="Run hookctl in a checkout that has a .git directory.")
    return root


def _root(inside: Path, directory: Path) -> Path:
    """The root of the checkout that ``inside``, the nearest existing parent of ``directory``, is in."""
    try:
        return Path(os.fsdecode(_git(inside, "rev-parse", "--show-toplevel").removesuffix(b"\n"))).resolve()
    except RevisionError as error:
        if error.message.endswith(_NO_REPOSITORY):
            raise RevisionError(f"{directory} is not in a git repository", hint="Run hookctl in a checkout.") from error
        raise


def _commit(root: Path, ref: str) -> str:
    if not ref or ref[0] in "-^" or not ref.isprintable():
        raise RevisionError(
            f"{ref!r} is not a git revision", hint="Name a branch, a tag or a commit, such as origin/main."
        )
    try:
        return _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").decode().strip()
    except RevisionError as error:
        if not _git(root, "rev-list", "--all", "--max-count=1").strip():
            hint = "Commit the webhook files first. Without --against, a plan compares with what is applied."
            raise RevisionError(f"the repository {root} has no commits yet", hint=hint) from error
        hint = "See `git branch --all`. In CI, a shallow checkout has only one commit: fetch that branch."
        raise RevisionError(f"{ref!r} is not a commit in {root}", hint=hint) from error


def _is_missing(root: Path, revision: Revision, folder: str) -> bool:
    if folder == ".":
        return False
    try:
        kind = _git(root, "cat-file", "-t", f"{revision.commit}:{folder}").strip()
    except RevisionError:
        return True
    return kind != b"tree"


def _entries(root: Path, revision: Revision, folder: str) -> Iterator[_Entry]:
    tree = f"{revision.commit}^{{tree}}" if folder == "." else f"{revision.commit}:{folder}"
    for row in _listed(root, tree).split(b"\0")[:-1]:
        about, _, path = row.partition(b"\t")
        mode, kind, object_id, size = about.decode().split()
        yield _Entry(mode, kind, object_id, int(size) if size.isdigit() else 0, os.fsdecode(path))


def _listed(root: Path, tree: str) -> bytes:
    """The output of ``git ls-tree``. Raises RevisionError if it is longer than :data:`MAX_LISTED`, or if git fails."""
    command = [*_GIT, "-C", str(root), "ls-tree", "-r", "-z", "-l", "--full-tree", tree]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as git:  # noqa: S603 - as below
        printed = git.stdout.read(MAX_LISTED + 1) if git.stdout else b""
        if len(printed) > MAX_LISTED:
            git.kill()
            raise RevisionError(
                "the revision contains more files than hookctl lists", hint="Compare with another revision."
            )
    if git.returncode:
        raise RevisionError(
            f"git ls-tree failed in {root}: exit code {git.returncode}", hint="Check the repository with `git fsck`."
        )
    return printed


def _is_meant(entry: _Entry, suffixes: tuple[str, ...]) -> bool:
    """Whether ``find_files`` would return the entry.

    Links and submodules count too, whatever their suffix: ``find_files`` would follow them, so each becomes a finding.
    """
    parts = entry.path.split("/")
    return not any(part.startswith(".") for part in parts) and (
        entry.path.endswith(suffixes) or entry.mode == _LINK or entry.kind != "blob"
    )


def _problem(entry: _Entry, prefix: str) -> Finding | None:
    if entry.mode == _LINK or entry.kind != "blob":
        what = "a link" if entry.mode == _LINK else "a submodule"
        return FILE_UNREADABLE.finding("revision", file=SourceFile(f"{prefix}{entry.path}", ""), what=what)
    return too_large(f"{prefix}{entry.path}") if entry.size > MAX_BYTES else None


def _contents(root: Path, object_ids: list[str]) -> dict[str, bytes]:
    """The content of each object, read by one git process: one per object would take minutes for many files."""
    if not object_ids:
        return {}
    answer = _git(
        root, "cat-file", "--batch", standard_input="".join(f"{object_id}\n" for object_id in object_ids).encode()
    )
    found, at = {}, 0
    for object_id in object_ids:
        head_end = answer.index(b"\n", at)
        head = answer[at:head_end].split()
        if len(head) != 3:
            raise RevisionError(
                f"git does not have the object {object_id}: this is a partial clone",
                hint="Fetch the missing objects with `git fetch --refetch`.",
            )
        at = head_end + 1 + int(head[2]) + 1
        found[object_id] = answer[head_end + 1 : at - 1]
    return found


def _git(directory: Path, *arguments: str, standard_input: bytes = b"") -> bytes:
    command = [*_GIT, "-C", str(directory), *arguments]
    try:
        done = subprocess.run(command, input=standard_input, capture_output=True, check=False)  # noqa: S603 - fixed words, and a ref that was checked
    except OSError as error:
        raise RevisionError(
            f"cannot run git: {error.strerror or error}", hint="Install git: it is needed to compare with a revision."
        ) from error
    if done.returncode:
        # The output of git can quote file names from the repository, which are not trusted, so only known errors
        # are reported, each with a fixed text.
        printed = done.stderr.decode(errors="replace")
        why = next((why for words, why in _KNOWN if words in printed), f"exit code {done.returncode}")
        message = f"git {arguments[0]} failed in {directory}: {why}"
        raise RevisionError(
            message, hint="The directory must be in a git repository that git can read: try `git status` there."
        )
    return done.stdout
