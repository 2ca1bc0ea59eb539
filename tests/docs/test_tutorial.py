"""Runs the tutorial of docs/plugins.md from an empty directory: writes its files, and runs its commands, in order.

A block that begins with a comment such as ``# webhooks.d/a.yaml`` is a file. ``make docs`` writes what the commands
print into the page, as it does for every other page.
"""

from __future__ import annotations

import os
import re
import site
import sys
from pathlib import Path

from tests.docs.test_console import ROOT, Shell, rerun, shell

__all__ = ["shell"]  # the fixture
PAGE = ROOT / "docs" / "plugins.md"
BLOCK = re.compile(
    r"^```(?:console\n(?P<commands>.*?)|\w+\n# (?P<path>(?:[\w.-]+/)+[\w.-]+)\n(?P<file>.*?))^```$",
    re.DOTALL | re.MULTILINE,
)
QUOTED = re.compile(r"(?<=^```toml\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
"""The parts of pyproject.toml that the page explains."""
SCRIPTS = ("hookctl", "mypy", "pytest", "twine")
ENVIRONMENT = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_BUILD_ISOLATION": "0",
    "PIP_NO_INDEX": "1",  # what it would download is here
}
OPTIONS = {"python -m venv .venv": "--without-pip", "python -m build": "--no-isolation"}
"""What these commands get besides: one saves the download of pip, the other that of the build backend."""
COLOR = re.compile(r"\x1b\[[0-9;]*m")
FAILED = "failed with the status"


class Offline(Shell):
    """A shell that downloads nothing, and whose commands must succeed.

    The virtual environment of the tutorial borrows the packages of this one.
    """

    def run(self, command: str, expected_lines: int) -> str:
        if command.endswith("&"):
            return super().run(command, expected_lines)
        printed = super().run(f"{command} {OPTIONS.get(command, '')} || echo {FAILED} $?", expected_lines)
        assert FAILED not in printed, f"$ {command}\n{printed}"
        if command == "python -m venv .venv":
            self._borrow()
        return COLOR.sub("", printed)

    def _borrow(self) -> None:
        """What `pip install` would add to the virtual environment."""
        environment = self.directory / ".venv"
        packages = next(environment.glob("lib/python*/site-packages"))
        borrowed = [*site.getsitepackages(), str(ROOT / "engine"), str(ROOT / "plugins")]
        (packages / "borrowed.pth").write_text("\n".join(borrowed), encoding="utf-8")
        for name in SCRIPTS:
            script = environment / "bin" / name
            script.write_text(f'#!/bin/sh\nexec "{environment}/bin/python" -m {name} "$@"\n', encoding="utf-8")
            script.chmod(0o755)
        (environment / "bin" / "ruff").symlink_to(Path(sys.executable).with_name("ruff"))


def tutorial() -> str:
    """The part of the page between its heading and the next one."""
    text = PAGE.read_text(encoding="utf-8")
    start = text.index("\n## Write a plugin in ten minutes\n")
    return text[start : text.index("\n## ", start + 1)]


def test_every_step_of_the_tutorial_works(shell: Shell) -> None:
    runner = Offline(shell.directory, shell.environment, shell.ports, shell.background)
    with shell.environment.open("a", encoding="utf-8") as environment:
        environment.writelines(f"export {name}={value}\n" for name, value in ENVIRONMENT.items())
    wrong: list[str] = []

    def work(block: re.Match[str]) -> str:
        if block["path"]:
            folder = shell.directory / ("" if block["path"].startswith("webhooks.d/") else "hookctl-wsse")
            path = folder / block["path"]
            path.parent.mkdir(exist_ok=True)
            path.write_text(block["file"], encoding="utf-8")
            return block[0]
        return block[0].replace(block["commands"], rerun(block["commands"], runner, wrong))

    before = tutorial()
    after = BLOCK.sub(work, before)
    if "UPDATE_DOCS" in os.environ:
        PAGE.write_text(PAGE.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    assert not wrong, "\n".join(wrong)
    project = (shell.directory / "hookctl-wsse" / "pyproject.toml").read_text(encoding="utf-8")
    parts = QUOTED.findall(before)
    assert len(parts) == 2
    assert [part for part in parts if part not in project] == []
    assert {path.suffix for path in (shell.directory / "hookctl-wsse" / "dist").iterdir()} == {".whl", ".gz"}
