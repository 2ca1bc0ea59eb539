"""Webhooks as they are in a git revision: read through git, with nothing touched."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hookctl.config.load import Loaded, load_bytes, load_directory
from hookctl.config.load.revision import read_revision
from hookctl.errors import RevisionError
from hookctl.model import Finding, Revision

SIEM = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\n"
Git = Callable[..., str]


@dataclass(frozen=True)
class LoadedRevision:
    revision: Revision
    loaded: Loaded


def load_revision(directory: Path, ref: str) -> LoadedRevision:
    """A revision's files, loaded as those of a directory are."""
    found = read_revision(directory, ref)
    parts = [
        Loaded((), (content,)) if isinstance(content, Finding) else load_bytes(path, content)
        for path, content in found.files
    ]
    webhooks, findings = ([one for part in parts for one in getattr(part, kind)] for kind in ("webhooks", "findings"))
    return LoadedRevision(found.revision, Loaded(tuple(webhooks), tuple(findings)))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "the repository"


@pytest.fixture
def git(root: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """``git("add", ".")`` in a new repository, by nobody's configuration."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")

    def run(*arguments: str) -> str:
        command = [
            "git",
            "-c",
            "user.name=ada",
            "-c",
            "user.email=ada@example.com",
            "-c",
            "protocol.file.allow=always",
            *arguments,
        ]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout

    root.mkdir()
    run("init", "--quiet", "--initial-branch=main")
    return run


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_yaml", ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def commit(git: Git) -> str:
    git("add", "--all")
    git("commit", "--quiet", "--allow-empty", "--message=x")
    return git("rev-parse", "HEAD").strip()


def named(text: str) -> str:
    return SIEM.replace("Siem", text)


def test_files_as_they_were(root: Path, git: Git) -> None:
    write(
        root,
        webhooks__a_yaml=named("A") + "---\n" + named("B"),
        webhooks__sub__c_yaml=named("C"),
        webhooks__ü_yaml=named("Ü"),
        other__d_yaml=named("D"),
    )
    write(
        root,
        **{
            "webhooks__.hidden_yaml": "nonsense",
            "webhooks__.git-like__x_yaml": "nonsense",
            "webhooks__readme.md": "nonsense",
        },
    )
    old = commit(git)
    shutil.rmtree(root / "webhooks")
    write(root, webhooks__new_yaml=named("New"))
    found = load_revision(root / "webhooks", "HEAD")
    assert (found.revision.ref, found.revision.commit) == ("HEAD", old)
    assert [(webhook.name, webhook.number, webhook.file.path) for webhook in found.loaded.webhooks] == [
        ("A", 1, "HEAD:webhooks/a.yaml"),
        ("B", 2, "HEAD:webhooks/a.yaml"),
        ("C", 1, "HEAD:webhooks/sub/c.yaml"),
        ("Ü", 1, "HEAD:webhooks/ü.yaml"),
    ]
    assert found.loaded.findings == ()
    assert [webhook.name for webhook in load_directory(root / "webhooks").webhooks] == ["New"]
    assert git("status", "--porcelain", "--", "other") == ""


def test_it_reads_what_load_directory_reads(root: Path, git: Git) -> None:
    names = [
        "b.yaml",
        "B.yml",
        "a/b.yaml",
        "a.yaml",
        "a-b.yaml",
        "a/.x.yaml",
        "z/y/x.yml",
        "b.yaml.txt",
        "a b.yaml",
        'quo"te.yaml',
        "line\nbreak.yaml",
    ]
    for number, name in enumerate(names):
        write(root, **{f"w__{name}": named(f"W{number}")})
    write(root, w__bad_yaml="a: [", w__empty_yaml="", w__tab_yaml="a:\n\tb: 1\n")
    (root / "w/binary.yaml").write_bytes(b"\xff\xfe\xfd")
    (root / "w/bom.yaml").write_bytes(b"\xef\xbb\xbf" + named("Bom").encode())
    (root / "w/crlf.yaml").write_bytes(named("Crlf").replace("\n", "\r\n").encode())
    (root / "w/large.yaml").write_bytes(b"#" * (1024 * 1024 + 1))
    commit(git)
    old, now = load_revision(root / "w", "main").loaded, load_directory(root / "w")
    assert [(webhook.name, webhook.fields) for webhook in old.webhooks] == [
        (webhook.name, webhook.fields) for webhook in now.webhooks
    ]
    assert [(one.rule, one.message, one.span) for one in old.findings] == [
        (one.rule, one.message, one.span) for one in now.findings
    ]
    assert len(now.findings) >= 6


@pytest.mark.parametrize("ref", ["main", "HEAD~1", "v1", "feature/x", "@{0}"])
def test_any_name_of_a_commit(root: Path, git: Git, ref: str) -> None:
    write(root, w__a_yaml=named("A"))
    git("add", "--all")
    git("commit", "--quiet", "--message=first")
    git("tag", "--annotate", "--message=x", "v1")
    git("branch", "feature/x")
    commit(git)
    assert [webhook.name for webhook in load_revision(root / "w", ref).loaded.webhooks] == ["A"]
    short = git("rev-parse", "--short", "HEAD").strip()
    assert load_revision(root / "w", short).revision.commit.startswith(short)


@pytest.mark.parametrize(
    "ref",
    [
        "",
        "nope",
        "-x",
        "--output=x",
        "HEAD..HEAD",
        "HEAD:w",
        "main\n",
        "a b",
        "^HEAD",
        "\x1b[31m",
        "HEAD^{tree}",
        "; touch x",
    ],
)
def test_what_names_no_commit(root: Path, git: Git, ref: str) -> None:
    write(root, w__a_yaml=named("A"))
    commit(git)
    with pytest.raises(RevisionError) as error:
        load_revision(root / "w", ref)
    assert "is not a git revision" in error.value.message or f"{ref!r} is not a commit in " in error.value.message
    assert error.value.hint


def test_a_directory_that_was_not_there(root: Path, git: Git) -> None:
    write(root, w="a file of that name")
    commit(git)
    (root / "w").unlink()
    write(root, w__a_yaml=named("A"))
    for directory in ("w", "w/deeper", "missing/now/too"):
        found = load_revision(root / directory, "HEAD")
        assert (found.loaded.webhooks, found.loaded.findings) == ((), ())


def test_the_root_and_a_directory_given_relative(root: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, a_yaml=named("A"), sub__b_yaml=named("B"))
    commit(git)
    assert [webhook.file.path for webhook in load_revision(root, "HEAD").loaded.webhooks] == [
        "HEAD:a.yaml",
        "HEAD:sub/b.yaml",
    ]
    monkeypatch.chdir(root / "sub")
    assert [webhook.name for webhook in load_revision(Path(), "HEAD").loaded.webhooks] == ["B"]
    assert [webhook.name for webhook in load_revision(Path("../sub"), "HEAD").loaded.webhooks] == ["B"]


def test_links_are_told_of(root: Path, git: Git) -> None:
    write(root, w__a_yaml=named("A"), elsewhere__b_yaml=named("B"))
    (root / "w/b.yaml").symlink_to("../elsewhere/b.yaml")
    (root / "w/dir").symlink_to("../elsewhere")
    (root / "w/.hidden").symlink_to("../elsewhere")
    commit(git)
    found = load_revision(root / "w", "HEAD").loaded
    assert [webhook.name for webhook in found.webhooks] == ["A"]
    assert [(one.rule, one.path) for one in found.findings] == [
        ("file-unreadable", "HEAD:w/b.yaml"),
        ("file-unreadable", "HEAD:w/dir"),
    ]
    (root / "linked").symlink_to("w")
    assert [webhook.file.path for webhook in load_revision(root / "linked", "HEAD").loaded.webhooks] == [
        "HEAD:w/a.yaml"
    ]


def test_another_repository_inside_is_told_of(root: Path, git: Git) -> None:
    write(root, w__a_yaml=named("A"))
    commit(git)
    git("submodule", "--quiet", "add", str(root), "w/inner")
    commit(git)
    (finding,) = load_revision(root / "w", "HEAD").loaded.findings
    assert (finding.path, finding.message) == (
        "HEAD:w/inner",
        "a submodule, which hookctl does not follow in a revision",
    )


def test_no_repository(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    with pytest.raises(RevisionError, match="is not in a git repository"):
        load_revision(tmp_path / "w", "HEAD")


def test_no_git(root: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(git)
    bare = root / "bin"
    bare.mkdir()
    (bare / "env").symlink_to(shutil.which("env") or "")
    monkeypatch.setenv("PATH", str(bare))
    with pytest.raises(RevisionError, match=r"git.*No such file"):
        load_revision(root, "HEAD")
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(RevisionError, match="cannot run git"):
        load_revision(root, "HEAD")


def test_inside_a_hook_of_another_repository(
    root: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root, w__a_yaml=named("A"))
    commit(git)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert [webhook.name for webhook in load_revision(root / "w", "HEAD").loaded.webhooks] == ["A"]


def test_nothing_in_the_repository_is_touched(root: Path, git: Git) -> None:
    write(root, w__a_yaml=named("A"))
    commit(git)
    write(root, w__a_yaml=named("Changed"))
    git("add", "--all")
    write(root, w__a_yaml=named("Changed again"))

    def everything() -> dict[str, tuple[bytes, int]]:
        return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in root.rglob("*") if path.is_file()}

    before = everything()
    assert [webhook.name for webhook in load_revision(root / "w", "HEAD").loaded.webhooks] == ["A"]
    assert everything() == before


def test_a_partial_clone_is_not_completed(root: Path, git: Git, tmp_path: Path) -> None:
    write(root, w__a_yaml=named("A"))
    commit(git)
    git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    git("clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{root}", str(clone))
    objects = len([path for path in (clone / ".git/objects").rglob("*") if path.is_file()])
    with pytest.raises(RevisionError):
        load_revision(clone / "w", "HEAD")
    assert len([path for path in (clone / ".git/objects").rglob("*") if path.is_file()]) == objects
