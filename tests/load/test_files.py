"""Directories and files: what is read, and what is said about the rest."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookctl.load import Loaded, load_directory
from hookctl.load.files import MAX_BYTES


def rules(loaded: Loaded) -> list[str]:
    return [finding.rule for finding in loaded.findings]


def names(loaded: Loaded) -> list[str]:
    return [webhook.name for webhook in loaded.webhooks]


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    loaded = load_directory(tmp_path / "nowhere")
    assert rules(loaded) == ["directory-missing"]
    assert loaded.findings[0].file.path == str(tmp_path / "nowhere")
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


def test_links_are_followed_and_a_loop_of_them_ends(tmp_path: Path) -> None:
    (tmp_path / "hooks" / "inner").mkdir(parents=True)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "s.yaml").write_text("name: Shared\n")
    (tmp_path / "hooks" / "inner" / "up").symlink_to(tmp_path / "hooks")
    (tmp_path / "hooks" / "linked").symlink_to(tmp_path / "shared")
    assert names(load_directory(tmp_path / "hooks")) == ["Shared"]


def test_a_link_to_nothing_and_a_link_to_itself_are_unreadable(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    (tmp_path / "good.yaml").write_text("name: Good\n")
    loaded = load_directory(tmp_path)
    assert rules(loaded) == ["file-unreadable", "file-unreadable"]
    assert names(loaded) == ["Good"]


def test_pipes_and_sockets_are_unreadable_and_nobody_waits_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_file_or_directory_without_permission_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "closed.yaml").write_text("name: A\n")
    (tmp_path / "closed.yaml").chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "open.yaml").write_text("name: B\n")
    monkeypatch.chdir(tmp_path)
    request.getfixturevalue("nobody")
    loaded = load_directory(Path())
    assert [(finding.rule, finding.file.path) for finding in loaded.findings] == [("file-unreadable", "closed"), ("file-unreadable", "closed.yaml")]
    assert names(loaded) == ["B"]


def test_a_file_over_the_limit_and_one_at_it(tmp_path: Path) -> None:
    text = "name: A\n#"
    (tmp_path / "over.yaml").write_text(text + "x" * (MAX_BYTES - len(text) + 1))
    (tmp_path / "under.yaml").write_text(text + "x" * (MAX_BYTES - len(text)))
    loaded = load_directory(tmp_path)
    assert rules(loaded) == ["file-too-large"]
    assert names(loaded) == ["A"]


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(range(256)), b"\xff\xfe\0", b"\0", b"name: A\0\n", b"\x7fELF\x02\x01\x01\0"])
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


@pytest.mark.parametrize("text", ["", "\n", "# a comment\n", "---\n", "---\n---\n...\n", "...\n", "%YAML 1.2\n---\n", "null\n"])
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
