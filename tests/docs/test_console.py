"""Runs the ``console`` blocks of the documentation in order, and compares their output with the page.

README.md, docs/start.md and docs/serve.md begin in an empty directory, every other page in one that holds our
``webhooks.d/``. test_tutorial.py runs docs/plugins.md, which needs more. ``...`` stands for any text, as in doctest. A
command that ends in ``&`` runs until the end of the page; its output is what it prints first. Ports 8443 and 8080 are
replaced by free ones.
``make docs`` writes what the commands print into each page, except for lines with ``...``, which stay as they are.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import warm

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ (?:.*\\\n)*.*\n", re.MULTILINE)
PAGES = [
    page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if BLOCK.search(page.read_text(encoding="utf-8")) and page.name != "plugins.md"
]
DOCUMENTED_PORTS = ("8443", "8080")
FROM_NOTHING = ("README.md", "start.md", "serve.md")
"""Pages that begin in an empty directory."""
PROGRESS = re.compile(
    r"^[\d,]+ (?:of [\d,]+ (?:files checked|tested|played|replayed)|webhooks? read, .*|changes, .*|"
    r"events read.*; [\d,]+ in flight; \d+ s)\n",
    re.MULTILINE,
)
"""What a command prints on standard error only if it takes long, as it may on a busy machine."""


@dataclass
class Shell:
    """A shell whose directory and exported variables outlive a command."""

    directory: Path
    environment: Path
    ports: dict[str, str]
    """The port that a command gets instead of each documented one."""
    background: list[subprocess.Popen[str]]

    def run(self, command: str, expected_lines: int) -> str:
        """What the command prints to both outputs; of one in the background, its first lines."""
        in_background = command.endswith("&")
        for documented, free in self.ports.items():
            command = command.replace(documented, free)
        last = f"exec {command.removesuffix('&')}" if in_background else f"{command}\nexport -p >{self.environment}"
        process = subprocess.Popen(
            ["bash", "-c", f'. {self.environment}\ncd "$PWD"\n{last}'],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        if in_background:
            self.background.append(process)
            return self._as_documented("".join(process.stdout.readline() for _ in range(expected_lines)))
        output, _ = process.communicate(timeout=120)
        return PROGRESS.sub("", self._as_documented(output))

    def _as_documented(self, output: str) -> str:
        for documented, free in self.ports.items():
            output = output.replace(free, documented)
        return output


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    environment = tmp_path / "environment"
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HOOKCTL_", "PYTEST_")) and name != "UPDATE_DOCS"
    }
    kept["PATH"] = f"{warm.commands()}:{Path(sys.executable).parent}:{kept.get('PATH', '')}"
    kept["COLUMNS"] = "100"
    directory = tmp_path / "here"
    directory.mkdir()
    subprocess.run(["bash", "-c", f"export -p >{environment}"], env=kept, cwd=directory, check=True)
    started = Shell(directory, environment, dict(zip(DOCUMENTED_PORTS, _free_ports(), strict=False)), [])
    yield started
    for process in started.background:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def _free_ports() -> Iterator[str]:
    """Free ports of four digits, as the documented ones have, so that tables keep their form."""
    for port in range(2000 + os.getpid() % 5000, 10_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                yield str(port)


def steps(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a block, without its prompt, and the output that the page shows."""
    starts = [*COMMAND.finditer(block)]
    for match, following in zip(starts, [*starts[1:], None], strict=True):
        yield match[0][2:].strip(), block[match.end() : following.start() if following else len(block)]


def agrees(expected: str, printed: str) -> bool:
    return doctest.OutputChecker().check_output(_tidy(expected), _tidy(printed), doctest.ELLIPSIS)


def refreshed(expected: str, printed: str) -> str:
    """The output that the command prints now. A line with ``...`` stays: only its author knows what varies in it."""
    if agrees(expected, printed):
        return expected
    if "..." not in expected:
        return _tidy(printed)
    old, new = expected.splitlines(), _tidy(printed).splitlines()
    if len(old) != len(new):
        return expected
    return "".join(f"{line if '...' in line else now}\n" for line, now in zip(old, new, strict=True))


def rerun(block: str, shell: Shell, wrong: list[str]) -> str:
    """A block with the output that its commands print now. A difference that matters is added to ``wrong``."""
    written = ""
    for command, expected in steps(block):
        printed = shell.run(command, expected.count("\n"))
        fresh = refreshed(expected, printed)
        written += f"$ {command}\n{fresh}"
        if not agrees(fresh if "UPDATE_DOCS" in os.environ else expected, printed):
            wrong.append(f"$ {command}\n-- the page says:\n{expected}-- it prints:\n{printed}")
    return written


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()) + "\n"


def test_blocks_are_read_as_a_shell_would() -> None:
    assert [*steps("$ a \\\n    b\nx\n\ny\n$ c &\n")] == [("a \\\n    b", "x\n\ny\n"), ("c &", "")]
    assert agrees("one ... three\n", "one two three\n")
    assert not agrees("one\n", "two\n")


def test_progress_is_left_out() -> None:
    slow = "1,200 of 3,000 files checked\n5 changes, determining their effects\nApplied: 5 added\n"
    slow = f"64 events read; 0 delivered; 7 in flight; 1 s\n{slow}"
    assert PROGRESS.sub("", slow) == "Applied: 5 added\n"


def test_an_output_is_refreshed_except_where_it_varies() -> None:
    assert refreshed("a\nat ... ms\n", "b\nat 5 ms\n") == "b\nat ... ms\n"
    assert refreshed("a\n", "b\nc\n") == "b\nc\n"
    assert refreshed("a ...\nb\n", "c\n") == "a ...\nb\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_console_blocks_print_what_the_page_says(page: Path, shell: Shell) -> None:
    if page.name not in FROM_NOTHING:
        shutil.copytree(ROOT / "webhooks.d", shell.directory / "webhooks.d")
    text = page.read_text(encoding="utf-8")
    wrong: list[str] = []
    rerun_text = BLOCK.sub(lambda block: rerun(block[0], shell, wrong), text)
    if "UPDATE_DOCS" in os.environ:
        page.write_text(rerun_text, encoding="utf-8")
    assert not wrong, "\n".join(wrong)
