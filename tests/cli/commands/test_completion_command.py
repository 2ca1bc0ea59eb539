"""``hookctl completion``: installed with one command, and used in the real shells by pressing Tab."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HOOKCTL = Path(sys.executable).with_name("hookctl")
PATIENCE = 60.0
INTERACTIVE = {"bash": ["bash", "-i"], "zsh": ["zsh", "-i"]}
RunCli = Callable[..., Any]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose name a shell must quote."""
    home = tmp_path / "Ada's home"
    home.mkdir()
    return home


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """What a new shell of this user begins with."""
    return {"HOME": str(home), "PATH": f"{HOOKCTL.parent}:/usr/local/bin:/usr/bin:/bin", "TERM": "dumb", "PS1": "$ "}


def install(environment: dict[str, str], *shells: str) -> str:
    """What `hookctl completion install` prints."""
    command = [str(HOOKCTL), "completion", "install", *shells]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def typed(environment: dict[str, str]) -> Iterator[Callable[[list[str], str, str], str]]:
    """``typed(command, keys, awaited)`` types into an interactive shell until it shows ``awaited``."""
    started: list[tuple[subprocess.Popen[bytes], int]] = []

    def work(command: list[str], keys: str, awaited: str) -> str:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=environment["HOME"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,  # an interactive shell may stop all of its process group
        )
        os.close(theirs)
        started.append((process, ours))
        shown, deadline = "", time.monotonic() + PATIENCE
        os.write(ours, keys.encode())
        while awaited not in shown and time.monotonic() < deadline:
            if select.select([ours], [], [], 1)[0]:
                shown += os.read(ours, 4096).decode(errors="replace")
        return shown

    yield work
    for process, ours in started:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.mark.parametrize("shell", INTERACTIVE)
def test_tab_completes_in_a_new_shell(
    shell: str, environment: dict[str, str], typed: Callable[[list[str], str, str], str]
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    install(environment, shell)
    assert "hookctl unlock" in typed(INTERACTIVE[shell], "hookctl unlo\t", "hookctl unlock")


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_finds_the_script(environment: dict[str, str]) -> None:
    install(environment, "fish")
    command = ["fish", "-c", "complete --do-complete 'hookctl unlo'"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert ([line.split("\t")[0] for line in done.stdout.splitlines()], done.stderr) == (["unlock"], "")


def test_the_users_own_shell_is_the_default_and_a_second_time_changes_nothing(
    environment: dict[str, str], home: Path
) -> None:
    rules = home / "dotfiles" / "bashrc"
    rules.parent.mkdir()
    rules.write_text("alias ll='ls -l'", encoding="utf-8")  # without a line break at its end
    (home / ".bashrc").symlink_to(rules)
    environment["SHELL"] = "/usr/bin/bash"
    script = home / ".local/share/hookctl/completion.bash"
    said = install(environment)
    assert said == f"Wrote  {script}\nAdded  a line to {home}/.bashrc\nOpen a new shell to use it.\n"
    text = rules.read_text(encoding="utf-8")
    assert text.startswith("alias ll='ls -l'\n[ -r ")
    assert f"Kept   {home}/.bashrc, which already runs it\n" in install(environment)
    assert rules.read_text(encoding="utf-8") == text
    assert (home / ".bashrc").is_symlink()


def test_files_are_where_the_variables_say(environment: dict[str, str], home: Path) -> None:
    moved = {"XDG_DATA_HOME": f"{home}/data", "XDG_CONFIG_HOME": f"{home}/config", "ZDOTDIR": f"{home}/zsh"}
    (home / "zsh").mkdir()
    install({**environment, **moved}, "fish", "zsh")
    install({**environment, "XDG_DATA_HOME": "relative"}, "bash")
    assert sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()) == [
        ".bashrc",
        ".local/share/hookctl/completion.bash",
        "config/fish/completions/hookctl.fish",
        "data/hookctl/completion.zsh",
        "zsh/.zshrc",
    ]


def test_a_shell_that_is_not_known_must_be_named(run_cli: RunCli) -> None:
    result = run_cli("completion", "install", env={"SHELL": "/usr/bin/tcsh"})
    assert result.exit_code == 64
    assert "hookctl does not know your shell. Name it: bash, fish, zsh" in result.stderr
    assert run_cli("completion", "install", "tcsh").exit_code == 64


def test_what_cannot_be_written_is_reported(run_cli: RunCli, home: Path) -> None:
    (home / ".local").write_text("a file", encoding="utf-8")
    result = run_cli("completion", "install", "bash", env={"HOME": str(home), "XDG_DATA_HOME": ""})
    assert result.exit_code == 1
    assert "completion for bash was not installed: Not a directory: " in result.stderr
    assert "`hookctl completion show bash` prints the script" in result.stderr
    assert not (home / ".bashrc").exists()


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_the_script_can_be_printed(run_cli: RunCli, shell: str) -> None:
    assert f"_HOOKCTL_COMPLETE={shell}_complete" in run_cli("completion", "show", shell).stdout
