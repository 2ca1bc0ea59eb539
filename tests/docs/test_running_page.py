"""docs/running.md: its unit is well-formed, and starts hookctl with arguments that it accepts, as its containers do.

The scripts for alerts are in test_alerts.py.
"""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"
DEPLOY = DOCS / "deploy"
PAGE = (DOCS / "running.md").read_text(encoding="utf-8")
HOOKCTL = Path(sys.executable).with_name("hookctl")
RunCli = Callable[..., Any]


def block(language: str) -> str:
    (found,) = re.findall(rf"(?<=^```{language}\n).*?(?=^```$)", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


def assert_accepted(run_cli: RunCli, arguments: Sequence[str]) -> None:
    """hookctl knows the command and every option: it checks them before ``--help`` ends it."""
    result = run_cli(*arguments, "--help")
    assert (result.exit_code, result.stderr) == (0, "")


def test_the_unit_is_well_formed(run_cli: RunCli) -> None:
    unit = configparser.RawConfigParser(strict=True)
    unit.optionxform = str  # type: ignore[method-assign,assignment]  # systemd tells upper from lower case
    unit.read_string(block("ini"))
    assert unit.sections() == ["Unit", "Service", "Install"]
    program, *arguments = shlex.split(unit["Service"]["ExecStart"])
    assert Path(program).is_absolute()
    assert_accepted(run_cli, arguments)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "hookctl.service"
    unit.write_text(block("ini").replace("/opt/hookctl/bin/hookctl", str(HOOKCTL)), encoding="utf-8")
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert [line for line in checked.stderr.splitlines() if "hookctl" in line] == []


def container_commands() -> list[list[str]]:
    """What the documented containers run."""
    return [shlex.split(line) for line in re.findall(r"^isolated .* hookctl (.*)$", PAGE, re.MULTILINE)]


def test_containers_start_hookctl_with_arguments_that_it_accepts(run_cli: RunCli) -> None:
    commands = container_commands()
    assert [command[0] for command in commands] == ["apply", "run"]
    for command in commands:
        assert_accepted(run_cli, command)


def test_the_health_check_of_the_image_asks_where_the_documented_run_answers() -> None:
    (address,) = re.findall(r"--health (\S+)", PAGE[PAGE.index("alias isolated") :].partition("```")[0])
    assert f"http://{address}/" in (DEPLOY / "Containerfile").read_text(encoding="utf-8")


def test_grace_is_shorter_than_what_systemd_and_docker_wait() -> None:
    graces = re.findall(r"--grace (\d+)s", block("ini") + PAGE[PAGE.index("alias isolated") :])
    waits = re.findall(r"(?:TimeoutStopSec=|--stop-timeout )(\d+)", PAGE)
    assert len(graces) == len(waits) == 2
    assert max(map(int, graces)) < min(map(int, waits))


def test_every_check_of_doctor_is_documented(run_cli: RunCli) -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", PAGE[PAGE.index("| `name` | a finding") :], re.MULTILINE))
    printed = {check["name"] for check in json.loads(run_cli("doctor", "--format", "json").stdout)}
    assert printed <= named
