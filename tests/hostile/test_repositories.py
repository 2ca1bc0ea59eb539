"""Each of ``repositories.py``: commands print and write nothing from the machine, and no command of a CI system."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SPEC = importlib.util.spec_from_file_location("hostile_repositories", Path(__file__).with_name("repositories.py"))
assert SPEC
assert SPEC.loader
repositories = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(repositories)

CANARY = repositories.CANARY
WRITTEN = [
    "--format",
    "json=out.json",
    "--format",
    "markdown=out.markdown",
    "--format",
    "github=out.github",
    "--format",
    "sarif=out.sarif",
]
RUNS = (
    ["validate", "--format", "text", *WRITTEN],
    ["validate", "--format", "github"],
    ["plan", "--format", "text", *WRITTEN],
    ["plan", "--format", "github", "--events", "events.jsonl"],
    ["plan", "--format", "json", "--against", "HEAD", "--sample", "events.jsonl"],
    ["plan", "--format", "markdown", "--out", "out.json"],
    ["plan", "--format", "sarif", "--against", "HEAD~"],
)
ANNOTATION = re.compile(r"::(?:error|warning|notice) [^\r\n]*")
TITLE = re.compile(r"^<details[^<>]*><summary><code>[^<>\n]*</code></summary>$", re.MULTILINE)
FENCE = re.compile(r"^(`{3,})\w*\n.*?^\1$\n", re.DOTALL | re.MULTILINE)


def obeyed(text: str) -> list[str]:
    """The lines that a runner takes for commands: as GitHub's reads them, and Azure's and TeamCity's."""
    lines = re.split(r"\r\n|\r|\n", text)
    return [line for line in lines if line.lstrip().startswith("::") or re.search(r"##\w*\[", line)]


def contents(directory: Path) -> dict[str, bytes | str | None]:
    """Every entry below a directory with its content; of a link where it leads. No link is followed, no pipe opened."""
    found: dict[str, bytes | str | None] = {}
    for folder, directories, files in os.walk(os.fsencode(directory)):
        for name in [*directories, *files]:
            path = Path(os.fsdecode(folder), os.fsdecode(name))
            found[str(path)] = (
                str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None
            )
    return found


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    repositories.machine(tmp_path / "outside")
    return tmp_path / "outside"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "events.jsonl").write_text("")
    return root


def commit(root: Path) -> None:
    git = ["git", "-c", "user.name=ada", "-c", "user.email=ada@example.com", "-c", "core.hooksPath=/dev/null"]
    for arguments in (
        ["init", "--quiet"],
        ["commit", "--quiet", "--allow-empty", "-m0"],
        ["add", "--all"],
        ["commit", "--quiet", "--allow-empty", "-m1"],
    ):
        subprocess.run([*git, *arguments], cwd=root, check=True, capture_output=True)
    (root / ".git/canary").write_text(f"token: [{CANARY}\n")


@pytest.mark.parametrize("name", repositories.REPOSITORIES)
def test_nothing_of_the_machine_is_shown_or_written(
    run_cli: Callable[..., Any], checkout: Path, outside: Path, name: str
) -> None:
    repositories.REPOSITORIES[name](checkout, outside)
    commit(checkout)
    before, git = contents(outside), contents(checkout / ".git").keys()
    for run in RUNS:
        result = run_cli(*run, cwd=checkout, env={"TOKEN": CANARY, "GITHUB_ACTIONS": "true"}, stdin=CANARY)
        printed = result.stdout + result.stderr
        assert result.exit_code in {0, 1, 64}, printed
        assert CANARY not in printed
        assert "Traceback" not in printed
        assert obeyed(result.stderr) == []
        is_github = "github" in run
        assert [line for line in obeyed(result.stdout) if not (is_github and ANNOTATION.fullmatch(line))] == []
    assert contents(outside) == before
    after = contents(checkout)
    assert {path for path in after if "/.git/" in path} == set(git)
    written = {path: content for path, content in after.items() if isinstance(content, bytes) and "/.git/" not in path}
    assert [path for path, content in written.items() if CANARY.encode() in content] == []
    for path, content in written.items():
        if path.endswith(("/out.json", "/out.sarif", "/out.markdown")):
            assert obeyed(content.decode()) == []
        if path.endswith("/out.markdown"):
            assert "evil.example.com" not in TITLE.sub("", FENCE.sub("", content.decode()))
