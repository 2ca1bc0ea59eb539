"""Directories and files: what is read, and what is said about the rest."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookctl.config.load import Loaded, files, load_directory, loader
from hookctl.config.load.files import MAX_BYTES


def rules(loaded: Loaded) -> list[str]:
    return [finding.rule for finding in loaded.findings]


def names(loaded: Loaded) -> list[str]:
    return [webhook.name for webhook in loaded.webhooks]


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    loaded = load_directory(tmp_path / "nowhere")
    assert rules(loaded) == ["directory-missing"]
    assert loaded.findings[0].path == str(tmp_path / "nowhere")
    assert loaded.findings[0].span is None


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: A")
    assert rules(load_directory(tmp_path / "a.yaml")) == ["directory-missing"]


def test_a_directory_without_webhook_files(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("name: A")
    (tmp_path / ".hidden.yaml").write_text("name: B")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "c.yaml").write_text("name: C")
    assert rules(load_directory(tmp_path)) == ["directory-empty"]


def test_both_suffixes_and_subdirectories_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "team" / "deep").mkdir(parents=True)
    for place, name in {"z.yaml": "Z", "a.yml": "A", "team/t.yaml": "T", "team/deep/d.yaml": "D"}.items():
        (tmp_path / place).write_text(f"name: {name}\n")
    loaded = load_directory(tmp_path)
    assert names(loaded) == ["A", "D", "T", "Z"]
    assert loaded.findings == ()
    assert loaded.webhooks[1].file.path == str(tmp_path / "team" / "deep" / "d.yaml")


def test_a_link_that_leads_out_is_a_finding_that_shows_nothing(tmp_path: Path) -> None:
    (tmp_path / "hooks").mkdir()
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "s.yaml").write_text("name: [canary\n")
    (tmp_path / "hooks" / "linked").symlink_to(tmp_path / "shared")
    (tmp_path / "hooks" / "a.yaml").symlink_to("../shared/s.yaml")
    (tmp_path / "hooks" / "b.yaml").symlink_to("../shared/nothing.yaml")
    (tmp_path / "hooks" / "notes").symlink_to("/etc/hostname")
    loaded = load_directory(tmp_path / "hooks")
    assert rules(loaded) == ["file-outside"] * 4
    assert (
        len(
            {
                (finding.message, finding.hint, (finding.file and finding.file.text), finding.span)
                for finding in loaded.findings
            }
        )
        == 1
    )
    assert "canary" not in str(loaded.findings)


def test_what_a_link_inside_leads_to_is_read_once_and_a_loop_ends(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "i.yaml").write_text("name: I\n")
    (tmp_path / "inner" / "up").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to("inner")
    (tmp_path / "a.yaml").symlink_to("inner/i.yaml")
    (tmp_path / "b.yaml").symlink_to("a.yaml")
    (tmp_path / "README.md").symlink_to("inner/i.yaml")
    loaded = load_directory(tmp_path)
    assert [(webhook.name, webhook.file.path) for webhook in loaded.webhooks] == [
        ("I", str(tmp_path / "inner" / "i.yaml"))
    ]
    assert loaded.findings == ()


def test_a_configuration_as_kubernetes_mounts_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "..2026_11_28").mkdir()
    for name in ("a", "b"):
        (tmp_path / "..2026_11_28" / f"{name}.yaml").write_text(f"name: {name}\n")
        (tmp_path / f"{name}.yaml").symlink_to(f"..data/{name}.yaml")
    (tmp_path / "..data").symlink_to("..2026_11_28")
    (tmp_path / "z.yaml").symlink_to("a.yaml")
    (tmp_path / "team").symlink_to("..data")
    loaded = load_directory(tmp_path)
    assert names(loaded)[:2] == ["a", "b"]
    assert loaded.webhooks[0].file.path == str(tmp_path / "a.yaml")
    assert loaded.findings == ()


@pytest.mark.parametrize("hidden", [".git/config", ".env", ".secret.yaml"])
def test_a_link_to_a_hidden_file_is_not_followed(tmp_path: Path, hidden: str) -> None:
    (tmp_path / hidden).parent.mkdir(exist_ok=True)
    (tmp_path / hidden).write_text("token: [canary\n")
    (tmp_path / "a.yaml").symlink_to(hidden)
    loaded = load_directory(tmp_path)
    assert rules(loaded) == ["file-outside"]
    assert "canary" not in str(loaded.findings)


@pytest.mark.parametrize("name", ["webhooks.d", "inner/webhooks.d"])
def test_a_directory_that_a_link_leads_out_of_where_hookctl_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "elsewhere" / "webhooks.d").mkdir(parents=True)
    (tmp_path / "elsewhere" / "webhooks.d" / "a.yaml").write_text("name: A\n")
    (tmp_path / "checkout").mkdir()
    first = name.partition("/")[0]
    (tmp_path / "checkout" / first).symlink_to("../elsewhere" if first != name else "../elsewhere/webhooks.d")
    monkeypatch.chdir(tmp_path / "checkout")
    assert rules(load_directory(Path(name))) == ["file-outside"]
    assert names(load_directory(Path.cwd() / name)) == ["A"]
    assert names(load_directory(Path("../elsewhere/webhooks.d"))) == ["A"]


def test_directories_too_deep_and_too_many_files_are_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path.joinpath(*["d"] * files.MAX_DEPTH)
    deep.mkdir(parents=True)
    (deep / "a.yaml").write_text("name: Deep\n")
    (deep.parent / "b.yaml").write_text("name: Fits\n")
    loaded = load_directory(tmp_path)
    assert (rules(loaded), names(loaded)) == (["directory-too-large"], ["Fits"])
    for number in range(3):
        (tmp_path / f"{number}.yaml").write_text(f"name: N{number}\n")
    monkeypatch.setattr(loader, "MAX_FILES", 2)
    loaded = load_directory(tmp_path)
    assert (rules(loaded), names(loaded)) == (["directory-too-large"], ["N0", "N1"])


def test_a_link_to_nothing_and_a_link_to_itself_are_unreadable(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    (tmp_path / "good.yaml").write_text("name: Good\n")
    loaded = load_directory(tmp_path)
    assert rules(loaded) == ["file-unreadable", "file-unreadable"]
    assert names(loaded) == ["Good"]


def test_pipes_and_sockets_are_unreadable_and_nobody_waits_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.yaml")
        assert rules(load_directory(tmp_path)) == ["file-unreadable", "file-unreadable"]


@pytest.fixture
def nobody() -> Iterator[None]:
    """Root may read everything: for the test it becomes somebody else."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_a_file_or_directory_without_permission_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "closed.yaml").write_text("name: A\n")
    (tmp_path / "closed.yaml").chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "open.yaml").write_text("name: B\n")
    monkeypatch.chdir(tmp_path)
    request.getfixturevalue("nobody")
    loaded = load_directory(Path())
    assert [(finding.rule, finding.path) for finding in loaded.findings] == [
        ("file-unreadable", "closed"),
        ("file-unreadable", "closed.yaml"),
    ]
    assert names(loaded) == ["B"]


def test_a_file_over_the_limit_and_one_at_it(tmp_path: Path) -> None:
    text = "name: A\n#"
    (tmp_path / "over.yaml").write_text(text + "x" * (MAX_BYTES - len(text) + 1))
    (tmp_path / "under.yaml").write_text(text + "x" * (MAX_BYTES - len(text)))
    loaded = load_directory(tmp_path)
    assert rules(loaded) == ["file-too-large"]
    assert names(loaded) == ["A"]


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        bytes(range(256)),
        b"\xff\xfe\0",
        b"\0",
        b"name: A\0\n",
        b"\x7fELF\x02\x01\x01\0",
    ],
)
def test_a_binary_file_is_not_text(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.yaml").write_bytes(data)
    loaded = load_directory(tmp_path)
    assert rules(loaded) == ["file-not-text"]
    assert loaded.webhooks == ()


def test_a_byte_that_is_no_utf8_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("name: A\ndescription: caf\xe9\n".encode("latin-1"))
    (finding,) = load_directory(tmp_path).findings
    assert finding.rule == "file-not-text"
    assert "byte 24 (0xe9)" in finding.message


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_byte_order_marks_and_wide_encodings_are_found_and_the_rest_is_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.yaml").write_bytes("name: A\nname: B\n".encode(encoding))
    loaded = load_directory(tmp_path)
    assert rules(loaded) == ["yaml-byte-order", "yaml-duplicate-key"]
    assert names(loaded) == ["A"]
    assert loaded.findings[1].span is not None
    assert (loaded.findings[1].span.line, loaded.findings[1].span.column) == (2, 1)


@pytest.mark.parametrize(
    "text", ["", "\n", "# a comment\n", "---\n", "---\n---\n...\n", "...\n", "%YAML 1.2\n---\n", "null\n"]
)
def test_an_empty_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    loaded = load_directory(tmp_path)
    assert rules(loaded) == ["file-empty"]
    assert loaded.findings[0].span is None


def test_one_bad_file_hides_nothing_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: [\n")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xff")
    (tmp_path / "c.yaml").write_text("name: C\nname: D\n")
    (tmp_path / "d.yaml").write_text("name: D\n")
    loaded = load_directory(tmp_path)
    assert rules(loaded) == ["yaml-syntax", "file-not-text", "yaml-duplicate-key"]
    assert names(loaded) == ["C", "D"]
