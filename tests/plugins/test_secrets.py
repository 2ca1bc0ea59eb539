from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hookctl.errors import SecretError
from hookctl.model.secret import references
from hookctl.plugin.host import load_plugins
from hookctl_plugins.secret.file import MAX_BYTES

CANARY = "canary-5d1f"


@pytest.fixture
def resolve() -> Callable[[str], str]:
    sources = load_plugins().secret_sources

    def resolved(text: str) -> str:
        (reference,) = references(text)
        return sources[reference.scheme].resolve(reference.key)

    return resolved


def test_variable(resolve: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIEM_TOKEN", f" {CANARY}\n")
    assert resolve("${env:SIEM_TOKEN}") == f" {CANARY}\n"


def test_unset_and_empty_variables_are_named_with_what_to_do(
    resolve: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIEM_TOKEN", raising=False)
    with pytest.raises(SecretError, match="SIEM_TOKEN is not set") as unset:
        resolve("${env:SIEM_TOKEN}")
    assert "Set SIEM_TOKEN" in unset.value.hint
    monkeypatch.setenv("SIEM_TOKEN", "")
    with pytest.raises(SecretError, match="SIEM_TOKEN is empty"):
        resolve("${env:SIEM_TOKEN}")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"canary", "canary"),
        (b"canary\n", "canary"),
        (b"canary\r\n", "canary"),
        (b"canary\n\n", "canary\n"),
        (b" can ary \n", " can ary "),
        ("gehëim\n".encode(), "gehëim"),
        (b"x" * MAX_BYTES, "x" * MAX_BYTES),
    ],
)
def test_file_loses_its_last_line_break_alone(
    resolve: Callable[[str], str], tmp_path: Path, content: bytes, text: str
) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    assert resolve(f"${{file:{path}}}") == text


def test_relative_path_counts_from_the_working_directory(
    resolve: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "siem").write_text(CANARY)
    monkeypatch.chdir(tmp_path)
    assert resolve("${file:secrets/siem}") == CANARY


def test_file_behind_a_link_is_read(resolve: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "data").write_text(CANARY)
    (tmp_path / "link").symlink_to("data")
    assert resolve(f"${{file:{tmp_path}/link}}") == CANARY


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _path: None, "cannot be read: No such file"),
        (lambda path: path.mkdir(), "is not a regular file"),
        (os.mkfifo, "is not a regular file"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b" \n"), "is empty"),
        (lambda path: path.write_bytes(b"x" * (MAX_BYTES + 1)), "is larger than"),
        (lambda path: path.write_bytes(CANARY.encode() + b"\xff"), "is not UTF-8 text"),
        (lambda path: path.symlink_to(path), "cannot be read: Too many levels"),
    ],
)
def test_unusable_file_is_named_and_its_content_is_not(
    resolve: Callable[[str], str], tmp_path: Path, make: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "secret"
    make(path)
    with pytest.raises(SecretError, match=re.escape(message)) as raised:
        resolve(f"${{file:{path}}}")
    assert str(path) in raised.value.message
    assert raised.value.hint
    assert CANARY not in f"{raised.value.message}{raised.value.hint}{raised.value.__cause__}"
