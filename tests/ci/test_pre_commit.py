"""Our hook for pre-commit, installed and run by pre-commit itself, without a network: it uses installed packages."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = ("engine", "plugins", "schemas", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
GOOD = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/ingest\n"
CONFIG = "repos:\n  - repo: {source}\n    rev: v1\n    hooks:\n      - id: hookctl-validate\n"


def git(*arguments: str, cwd: Path) -> None:
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *author, *arguments], cwd=cwd, check=True, capture_output=True)


@dataclass(frozen=True)
class Repository:
    """A user's repository, with our hook in its configuration."""

    directory: Path
    environment: Mapping[str, str]

    def commit(self, name: str, text: str) -> subprocess.CompletedProcess[str]:
        """Stage a file, and run the hook as a commit would."""
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        git("add", name, cwd=self.directory)
        command = [sys.executable, "-m", "pre_commit", "run", "--color", "never"]
        return subprocess.run(
            command, cwd=self.directory, env=self.environment, capture_output=True, text=True, check=False, timeout=300
        )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our repository at a tag, as pre-commit would clone it."""
    directory = tmp_path_factory.mktemp("source")
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, directory / name)
    git("init", "-q", cwd=directory)
    git("add", ".", cwd=directory)
    git("commit", "-q", "-m", "All", cwd=directory)
    git("tag", "v1", cwd=directory)
    return directory


@pytest.fixture
def repository(source: Path, tmp_path: Path) -> Repository:
    directory = tmp_path / "repository"
    directory.mkdir()
    git("init", "-q", cwd=directory)
    (directory / ".pre-commit-config.yaml").write_text(CONFIG.format(source=source))
    git("add", ".", cwd=directory)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HOOKCTL_", "PIP_", "GIT_", "PRE_COMMIT"))
    }
    borrowed = {
        "PYTHONPATH": os.pathsep.join(site.getsitepackages()),
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
    }
    return Repository(
        directory,
        {
            **kept,
            **borrowed,
            "PRE_COMMIT_HOME": str(source.parent / "pre-commit"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        },
    )


def test_it_is_skipped_fails_and_passes(repository: Repository) -> None:
    result = repository.commit("README.md", "name: no webhook\n")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "(no files to check)Skipped" in result.stdout
    result = repository.commit("webhooks.d/a.yaml", GOOD.replace("https:", "http:"))
    assert result.returncode == 1
    assert "webhooks.d/a.yaml:3:6: error[url-scheme]: " in result.stdout, result.stdout + result.stderr
    result = repository.commit("webhooks.d/a.yaml", GOOD)
    assert result.returncode == 0
    assert "hookctl validate" in result.stdout
    assert "Passed" in result.stdout


@pytest.mark.parametrize("name", ["webhooks.d/b.yml", "webhooks.d/b.yaml"])
def test_one_broken_file_fails_the_commit_of_another(repository: Repository, name: str) -> None:
    repository.commit("webhooks.d/a.yaml", "")
    assert "webhooks.d/a.yaml: error[file-empty]" in repository.commit(name, GOOD).stdout
