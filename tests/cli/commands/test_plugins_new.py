"""``hookctl plugins new``: what it writes installs, passes its tests, type-checks and lints clean without edits."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookctl.cli.new_plugin import KINDS, LONGEST_NAME
from hookctl.kit.project import run_command
from hookctl.plugin import hookspecs

ROOT = Path(__file__).parents[3]
RunCli = Callable[..., Any]
LONG = f"{'long-' * 7}names"


def run(*command: object, cwd: Path, **env: str) -> str:
    ran = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a plugin of every kind."""
    folder = tmp_path_factory.mktemp("plugins")
    for kind in KINDS:
        done = run_command("plugins", "new", f"my-{kind.replace('_', '-')}", "--kind", kind, cwd=folder)
        assert done.exit_code == 0, done.stderr
    return folder


def test_there_is_a_kind_for_each_hook() -> None:
    hooks = {name for name in vars(hookspecs) if name.startswith("hookctl_")} - {"hookctl_store_types"}  # too large
    assert len(KINDS) == len(hooks)
    assert {what.split()[0] for what in KINDS.values()} == {
        hook.split("_")[1].removesuffix("ies").removesuffix("s") + ("y" if hook.endswith("ies") else "")
        for hook in hooks
    }


def test_their_types_are_right(written: Path, tmp_path: Path) -> None:
    sources = os.pathsep.join(map(str, sorted(written.glob("*/src"))))
    files = sorted([*written.glob("*/src/*"), *written.glob("*/tests/*.py")])
    options = ["--strict", "--config-file=", "--cache-dir", tmp_path]
    run(sys.executable, "-m", "mypy", *options, *files, cwd=written, MYPYPATH=sources)


def test_they_lint_clean_also_with_a_long_name(written: Path, tmp_path: Path) -> None:
    for kind in KINDS:
        done = run_command(
            "plugins", "new", f"{LONG[: LONGEST_NAME - len(kind)]}{kind[:4]}", "--kind", kind, cwd=tmp_path
        )
        assert done.exit_code == 0, done.stderr
    for directory in (written, tmp_path):
        run(sys.executable, "-m", "ruff", "check", "--no-cache", directory, cwd=directory)
        run(sys.executable, "-m", "ruff", "format", "--no-cache", "--check", directory, cwd=directory)


def test_one_installs_and_the_tests_of_all_pass_there(written: Path, tmp_path: Path) -> None:
    """One environment and one run of pytest for all; the others are on the path instead of installed."""
    environment, plugin = tmp_path / "venv", written / "hookctl-my-auth"
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=tmp_path)
    packages = next(environment.glob("lib/python*/site-packages"))
    borrowed = [*site.getsitepackages(), str(ROOT / "engine"), str(ROOT / "plugins")]
    (packages / "borrowed.pth").write_text("\n".join(borrowed), encoding="utf-8")
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python, "install", "--quiet"]
    run(*pip, "--no-deps", "--no-build-isolation", plugin, cwd=tmp_path)
    assert (packages / "hookctl_my_auth" / "py.typed").exists()
    rows = json.loads(run(python, "-m", "hookctl", "plugins", "--format", "json", cwd=tmp_path))["plugins"]
    (row,) = [row for row in rows if row["name"] == "my_auth"]
    assert (row["kind"], row["distribution"], row["version"]) == ("auth", "hookctl-my-auth", "0.1.0")
    sources = os.pathsep.join(str(path) for path in sorted(written.glob("*/src")) if path.parent != plugin)
    options = ["-q", "-c", plugin / "pyproject.toml", "--rootdir", ".", "-p", "no:cacheprovider"]
    printed = run(python, "-m", "pytest", *options, *sorted(written.glob("*/tests")), cwd=written, PYTHONPATH=sources)
    assert " passed" in printed
    assert "skipped" not in printed


def test_it_names_the_files_and_what_to_do_next(run_cli: RunCli, tmp_path: Path) -> None:
    done = run_cli("plugins", "new", "hookctl-acme", "--kind", "auth", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {f"Created {path}" for path in files} == {line for line in done.stdout.splitlines() if "Created" in line}
    assert files == {
        "hookctl-acme/.gitignore",
        "hookctl-acme/README.md",
        "hookctl-acme/pyproject.toml",
        "hookctl-acme/src/hookctl_acme/__init__.py",
        "hookctl-acme/src/hookctl_acme/py.typed",
        "hookctl-acme/src/hookctl_acme/signature.py",
        "hookctl-acme/tests/test_hookctl_acme.py",
    }
    assert "  cd hookctl-acme\n" in done.stdout
    readme = (tmp_path / "hookctl-acme/README.md").read_text()
    assert "  type: acme\n" in readme
    assert "<" not in readme


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Acme", "Did you mean 'acme'?"),
        ("my_auth", "Did you mean 'my-auth'?"),
        ("../acme", "Did you mean 'acme'?"),
        ("a--b", "Did you mean 'a-b'?"),
        ("a" * (LONGEST_NAME + 1), "up to 40 lower-case letters"),
        ("1st", "beginning with a letter"),
        ("-", "beginning with a letter"),
        ("hookctl-", "beginning with a letter"),
        ("plugins", "reserved"),
        ("class", "reserved"),
    ],
)
def test_a_bad_name_is_refused(run_cli: RunCli, tmp_path: Path, name: str, hint: str) -> None:
    done = run_cli("plugins", "new", "--kind", "filter", "--", name, cwd=tmp_path)
    assert done.exit_code == 1
    assert hint in " ".join(done.stderr.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "kind", "owner"),
    [
        ("bearer", "auth", "hookctl_plugins.auth"),
        ("json-path", "validator", "hookctl_plugins.validator"),
        ("plan", "command", "hookctl"),
        ("sarif", "format", "hookctl"),
        ("text", "format", "hookctl"),
        ("protected", "policy", "hookctl"),
    ],
)
def test_a_name_that_is_taken_is_refused(run_cli: RunCli, tmp_path: Path, name: str, kind: str, owner: str) -> None:
    done = run_cli("plugins", "new", name, "--kind", kind, cwd=tmp_path)
    assert done.exit_code == 1
    assert f"there is already a {KINDS[kind]} named {name.replace('-', '_')!r}, of {owner}" in " ".join(
        done.stderr.split()
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_nothing_is_overwritten(run_cli: RunCli, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "hookctl-acme"
    if kind == "file":
        target.write_text("mine")
    elif kind == "directory":
        (target / "src").mkdir(parents=True)
    else:
        target.symlink_to(tmp_path / "elsewhere")
    done = run_cli("plugins", "new", "acme", "--kind", "auth", cwd=tmp_path)
    assert done.exit_code == 1
    assert "hookctl-acme exists already" in done.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["hookctl-acme", *(["src"] if kind == "directory" else [])]


def test_plugins_alone_lists_them_and_a_typo_is_answered(run_cli: RunCli) -> None:
    assert "  bearer (built in" in run_cli("plugins").stdout
    done = run_cli("plugins", "nwe")
    assert done.exit_code == 64
    assert "Did you mean 'new'?" in done.stderr


def test_without_a_kind_the_message_lists_the_kinds_on_one_line(run_cli: RunCli, tmp_path: Path) -> None:
    result = run_cli("plugins", "new", "acme", cwd=tmp_path)
    words = " ".join(result.stderr.split())
    assert result.exit_code == 64
    assert f"Missing option '--kind'. Choose from: {', '.join(KINDS)}. Usage:" in words
