"""A pull request with the files of a bare git repository, and with files that cost or reveal more than they should."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookctl.delivery.rehearsal.cassette import strays
from hookctl.delivery.rehearsal.cassette_yaml import parse

Run = Callable[..., Any]
WEBHOOK = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\n"
EVIL = WEBHOOK.replace("siem.example.com", "evil.example.com")


def git(directory: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=ada", "-c", "user.email=ada@example.com"]
    subprocess.run(["git", "-C", str(directory), *identity, *arguments], check=True, capture_output=True)


def repository(root: Path, text: str) -> Path:
    (root / "webhooks.d").mkdir(parents=True)
    (root / "webhooks.d/siem.yaml").write_text(text)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "Add it")
    return root


def embed(source: Path, directory: Path, worktree: str = ".") -> None:
    """Put the repository of ``source`` into ``directory`` as plain files, as a commit can hold them."""
    for name in ("HEAD", "objects", "refs"):
        subprocess.run(["cp", "-r", str(source / ".git" / name), str(directory / name)], check=True)
    config = f"[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = {worktree}\n"
    (directory / "config").write_text(config)


@pytest.mark.parametrize("worktree", [".", "/etc", "..", "../.."])
def test_a_plan_is_never_made_against_a_repository_among_the_files(run_cli: Run, tmp_path: Path, worktree: str) -> None:
    checkout = repository(tmp_path / "checkout", WEBHOOK)
    (checkout / "webhooks.d/siem.yaml").write_text(EVIL)
    author = repository(tmp_path / "author", EVIL)
    (author / "siem.yaml").write_text(EVIL)
    git(author, "add", "-A")
    git(author, "commit", "-qm", "Pretend")
    embed(author, checkout / "webhooks.d", worktree)
    result = run_cli("plan", "--against", "main", cwd=checkout)
    assert "No changes" not in result.stdout
    assert result.exit_code == 1 or "evil.example.com" in result.stdout
    assert "a bug" not in result.stderr


def test_no_text_of_git_is_shown(run_cli: Run, tmp_path: Path) -> None:
    checkout = repository(tmp_path / "checkout", WEBHOOK)
    canary = tmp_path / "canary"
    canary.write_text("[core]\n\tfilemode = hunter2secret\n")
    embed(checkout, checkout / "webhooks.d")
    with (checkout / "webhooks.d/config").open("a") as config:
        config.write(f"[include]\n\tpath = {canary}\n")
    (checkout / "webhooks.d/objects/info").mkdir(exist_ok=True)
    (checkout / "webhooks.d/objects/info/alternates").symlink_to(canary)
    result = run_cli("plan", "--against", "main", cwd=checkout)
    assert "hunter2secret" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    "text", ["a." * 100_000 + "b = 1\n", '"=".a.' * 2000 + "b = 1\n", ("a." * 900 + "b = 1\n") * 100]
)
def test_keys_of_thousands_of_parts(run_cli: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "hookctl.toml").write_text(text)
    result = run_cli("list", cwd=tmp_path)
    assert (result.exit_code, "more dots than settings need" in result.stderr) == (1, True)


@pytest.mark.parametrize("text", ["{" + "a," * 100_000 + "}", "- ?\n" * 100_000])
def test_a_cassette_of_very_many_values(text: str) -> None:
    with pytest.raises(ValueError, match="more lists, mappings and values"):
        parse(text)


def test_no_name_of_a_directory_outside_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret-name.yaml").write_text("")
    (tmp_path / "checkout").mkdir()
    monkeypatch.chdir(tmp_path / "checkout")
    Path("cassettes").symlink_to(tmp_path / "outside")
    assert strays(Path("cassettes"), []) == ()


def test_a_saved_plan_with_a_key_that_stands_twice(run_cli: Run, tmp_path: Path) -> None:
    root = repository(tmp_path / "checkout", WEBHOOK)
    run_cli("plan", "--out", "plan.json", cwd=root)
    text = (root / "plan.json").read_text()
    assert json.loads(text)["changes"]
    (root / "plan.json").write_text(text.replace("{", '{"changes": [], ', 1))
    result = run_cli("apply", "plan.json", "--auto-approve", cwd=root)
    assert (result.exit_code, "appears twice" in result.stderr) == (1, True)


def test_a_file_name_is_no_command_in_annotations(run_cli: Run, project: Callable[..., Path]) -> None:
    root = project({"webhooks.d/##vso[x]a ##[error]b.yaml": "name: 1\n"})
    shown = run_cli("validate", "--format", "github", cwd=root).stdout
    assert shown.startswith("::error ")
    assert "##vso[" not in shown
    assert "##[error]" not in shown
