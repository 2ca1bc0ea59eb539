"""A command on a directory that takes a while says how far it is, on standard error alone."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import warm

FILES = 120


def write_files(root: Path) -> None:
    (root / "webhooks.d").mkdir()
    for number in range(FILES):
        (root / "webhooks.d" / f"{number}.yaml").write_text(
            f"name: W{number}\nevent: anomaly\nurl: https://a.example.com/{number}\n"
        )


def patched(setting: str) -> str:
    """A hookctl that shows progress each time that there is some."""
    return f"import hookctl.cli.progress as progress\n{setting}\nfrom hookctl.cli.main import main\nmain()"


def test_lines_in_a_log(tmp_path: Path) -> None:
    write_files(tmp_path)
    code = patched("progress.FIRST_LOG_SECONDS = progress.LOG_SECONDS = 0")
    done = warm.run([sys.executable, "-c", code, "plan"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stderr.splitlines() == [
        *(f"{number} of {FILES} files checked" for number in (0, 50, 100)),
        "120 webhooks read, comparing them",
        "120 changes, determining their effects",
    ]
    assert done.stdout.splitlines()[-1] == "Plan: 120 to add, 0 to change, 0 to remove."


def test_one_line_on_a_terminal_that_is_gone_at_the_end(tmp_path: Path) -> None:
    write_files(tmp_path)
    leader, follower = pty.openpty()
    code = patched("progress.TERMINAL_SECONDS = 0")
    warm.run(
        [sys.executable, "-c", code, "validate"], stdout=subprocess.DEVNULL, stderr=follower, check=True, cwd=tmp_path
    )
    os.close(follower)
    shown = os.read(leader, 10_000).decode()
    os.close(leader)
    assert "\n" not in shown
    assert [line for line in shown.split("\r\x1b[K") if line] == [
        f"{number} of {FILES} files checked" for number in (0, 50, 100)
    ]
    assert shown.endswith("\r\x1b[K")
