"""docs/deploy: the unit, the Containerfile and the Compose file of ``hookctl serve``."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from hookctl.store.postgres.address import parse

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs/deploy"
UNIT = (DEPLOY / "hookctl.service").read_text(encoding="utf-8")
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICE = COMPOSE["services"]["hookctl"]
HOOKCTL = Path(sys.executable).with_name("hookctl")
EXPOSURE = 2.0
"""The highest exposure that ``systemd-analyze security`` may find, from 0 to 10."""
RunCli = Callable[..., Any]


def instructions() -> list[tuple[str, str]]:
    lines = [line.split(maxsplit=1) for line in CONTAINERFILE.splitlines() if line and not line.startswith("#")]
    return [(name, rest) for name, rest in lines]


def assert_accepted(run_cli: RunCli, arguments: Sequence[str]) -> None:
    """hookctl knows the command and every option: it checks them before ``--help`` ends it."""
    result = run_cli(*arguments, "--help")
    assert (result.exit_code, result.stderr) == (0, "")


def analyze(*args: str, unit: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *args, str(unit)], capture_output=True, text=True, check=False, env={"LC_ALL": "C.UTF-8"}
    )


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    path = tmp_path / "hookctl.service"
    path.write_text(UNIT.replace("/opt/hookctl/bin/hookctl", str(HOOKCTL)), encoding="utf-8")
    return path


def test_the_unit_is_well_formed_and_starts_hookctl(run_cli: RunCli) -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[method-assign,assignment]  # systemd tells upper from lower case
    parser.read_string(UNIT)
    assert parser.sections() == ["Unit", "Service", "Install"]
    program, *arguments = shlex.split(parser["Service"]["ExecStart"])
    assert Path(program).is_absolute()
    assert_accepted(run_cli, arguments)
    state = parser["Service"]["StateDirectory"]
    assert parser["Service"]["Environment"] == f"HOOKCTL_STORE=sqlite:////var/lib/{state}/hookctl.db"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_the_unit_and_finds_it_hardened(unit: Path) -> None:
    assert [line for line in analyze("verify", "--man=no", unit=unit).stderr.splitlines() if "hookctl" in line] == []
    security = analyze("security", "--offline=true", "--no-pager", unit=unit).stdout
    exposure = re.search(r"exposure level for hookctl.service: ([\d.]+)", security)
    assert exposure is not None, security
    assert float(exposure[1]) <= EXPOSURE


def test_the_containerfile_is_well_formed_and_starts_hookctl(run_cli: RunCli) -> None:
    given = instructions()
    values = dict(given)
    assert given[0][0] == "FROM"
    assert json.loads(values["ENTRYPOINT"]) == ["hookctl"]
    assert_accepted(run_cli, json.loads(values["CMD"]))
    assert int(values["USER"]) > 0
    assert f"install -d {values['WORKDIR']}" in CONTAINERFILE  # not every builder makes it, and the root is read-only
    assert [name for name, _ in given].index("USER") > [name for name, _ in given].index("RUN")
    for image in re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE):
        assert re.fullmatch(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", image)
    for source in re.findall(r"^COPY (?!--from)(\S+)", CONTAINERFILE, re.MULTILINE):
        assert (ROOT / source).exists()


def test_the_health_check_of_the_container_asks_readyz_at_its_own_port() -> None:
    values = dict(instructions())
    check = json.loads(values["HEALTHCHECK"].partition("CMD ")[2])
    compile(check[-1], "HEALTHCHECK", "exec")
    port = values["EXPOSE"]
    assert f":{port}/readyz" in check[-1]
    assert f"0.0.0.0:{port}" in json.loads(values["CMD"])


def test_the_compose_file_is_valid_and_gives_the_container_no_more_than_it_needs() -> None:
    schema = files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json"
    jsonschema.validate(COMPOSE, json.loads(schema.read_text(encoding="utf-8")))
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICE["ports"])
    assert "privileged" not in SERVICE


def test_the_compose_file_uses_the_containerfile_and_volumes_that_exist() -> None:
    context = (DEPLOY / SERVICE["build"]["context"]).resolve()
    assert context == ROOT
    assert (context / SERVICE["build"]["dockerfile"]).is_file()
    for volume in SERVICE["volumes"]:
        source, target, *_ = volume.split(":")
        assert source in COMPOSE["volumes"] or (DEPLOY / source).exists()
        assert target == dict(instructions())["VOLUME"] or target.startswith(dict(instructions())["WORKDIR"])
    assert set(SERVICE["secrets"]) == set(COMPOSE["secrets"])


def test_grace_is_shorter_than_what_systemd_and_compose_wait() -> None:
    graces = re.findall(r'--grace(?: |", ")(\d+)s', UNIT + CONTAINERFILE)
    waits = [*re.findall(r"TimeoutStopSec=(\d+)s", UNIT), SERVICE["stop_grace_period"].removesuffix("s")]
    assert len(graces) == len(waits) == 2
    assert max(map(int, graces)) < min(map(int, waits))


def docker_runs() -> bool:
    return (
        shutil.which("docker") is not None
        and subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
        and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not docker_runs(), reason="no docker with Compose is running")
def test_the_container_is_built_and_becomes_healthy(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("canary", encoding="utf-8")
    secret.chmod(0o644)

    def compose(*args: str) -> str:
        command = ["docker", "compose", "--project-name", "hookctl-test", "--file", str(DEPLOY / "compose.yaml"), *args]
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "SIEM_TOKEN_FILE": str(secret)}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        compose("build")
        compose("run", "--rm", "hookctl", "apply", "--auto-approve")
        compose("run", "--rm", "hookctl", "tokens", "create", "shop", "--scope", "intake")
        compose("up", "--detach", "--wait")
        assert compose("exec", "hookctl", "id", "-u").strip() == "10001"
    finally:
        compose("down", "--volumes", "--rmi", "local")


def test_the_files_for_postgresql_change_only_what_they_must() -> None:
    """The store is on a server, with its password in a file, and the unit needs no directory for it."""
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[method-assign,assignment]  # systemd tells upper from lower case
    parser.read_string((DEPLOY / "postgres.conf").read_text(encoding="utf-8"))
    assert parser.sections() == ["Service"]
    given = parser["Service"]
    assert (set(given), given["StateDirectory"]) == ({"Environment", "EnvironmentFile", "StateDirectory"}, "")
    name, _, url = shlex.split(given["Environment"])[0].partition("=")
    assert (name, parse(url).name) == ("HOOKCTL_STORE", "hookctl on db.example.com, schema hookctl")
    service = yaml.safe_load((DEPLOY / "compose.postgres.yaml").read_text(encoding="utf-8"))["services"]["hookctl"]
    assert (set(service), [*service["environment"]]) == ({"environment", "env_file"}, ["HOOKCTL_STORE"])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_the_unit_with_the_file_for_postgresql(unit: Path) -> None:
    more = unit.with_name(f"{unit.name}.d")
    more.mkdir()
    shutil.copy(DEPLOY / "postgres.conf", more)
    assert [line for line in analyze("verify", "--man=no", unit=unit).stderr.splitlines() if "hookctl" in line] == []
