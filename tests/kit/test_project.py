"""The fixture ``hookctl_project``: commands in this process, with plugins that are not installed, and no trace."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests
import vcr
import yaml

from hookctl.kit.project import Project
from hookctl.plugin import EventType, FilterType, SecretSource, hookimpl
from hookctl.testing.answers import Answer

MakeProject = Callable[..., Project]
SIEM = """
name: Siem
event: anomaly
url: https://siem.example.com/ingest
body_template: |
  {"severity": "{{ data.severity | shout }}"}
"""
PLAIN = SIEM.replace(" | shout", "")


def plugin(name: str = "acme_under_test", **hooks: Any) -> ModuleType:
    module = ModuleType(name)
    for hook, part in hooks.items():
        setattr(module, hook, hookimpl(specname=hook)(lambda part=part: [part]))
    return module


def shout() -> ModuleType:
    return plugin(hookctl_filter_types=FilterType(name="shout", summary="Upper case.", call=str.upper))


def world() -> dict[str, Any]:
    """Everything global that a command changes while it runs."""
    return {
        "argv": sys.argv,
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "path": [*sys.path],
        "environment": dict(os.environ),
        "directory": Path.cwd(),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)],
        "logging": [*logging.getLogger().handlers, *logging.getLogger("hookctl").handlers],
        "hooks": (sys.excepthook, threading.excepthook),
        "modules": {name for name in sys.modules if "under_test" in name},
    }


def test_a_plugin_that_is_not_installed_is_found_and_leaves_no_trace(
    hookctl_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOKCTL_DIR", "elsewhere")
    monkeypatch.setenv("SSLKEYLOGFILE", "kept-for-others")
    project = hookctl_project({"webhooks.d/a.yaml": SIEM}, shout())
    before = world()
    for arguments in (["validate"], ["test", "Siem"], ["apply", "--auto-approve"], ["plugins"]):
        result = project.run(*arguments)
        assert result.exit_code == 0, result.stdout + result.stderr
        assert world() == before
    assert "  shout (plugins-under-test 0)\n" in result.stdout
    assert project.receiver.requests[0].json() == {"severity": "HIGH"}
    without = Project(project.root, project.receiver)
    assert "unknown filter shout" in without.run("validate").stdout


def test_requests_reach_the_receiver_under_each_of_its_names(hookctl_project: MakeProject) -> None:
    project = hookctl_project(
        {"webhooks.d/a.yaml": PLAIN, "webhooks.d/b.yaml": PLAIN.replace("Siem", "Login").replace("siem.", "login.")}
    )
    assert project.run("test").exit_code == 0
    assert sorted(str(request.header("Host")) for request in project.receiver.requests) == [
        "login.example.com",
        "siem.example.com",
    ]


def test_variables_stdin_and_output(hookctl_project: MakeProject) -> None:
    webhook = PLAIN.replace("body_template", "headers: {X-Token: '${env:TOKEN}-${vault:a}'}\nbody_template")
    source = SecretSource(scheme="vault", summary="A vault.", resolve=lambda key: f"{key}-secret")
    project = hookctl_project(
        {"webhooks.d/a.yaml": webhook},
        plugin(hookctl_secret_sources=source),
        env={"TOKEN": "one"},
    )
    assert project.run("apply", "--auto-approve").exit_code == 0
    event = project.mock_event("anomaly")
    assert project.run("send", "-", stdin=json.dumps(event)).exit_code == 0
    assert project.run("send", "-", stdin=json.dumps({**event, "id": "2"}), env={"TOKEN": "two"}).exit_code == 0
    assert [one.header("X-Token") for one in project.receiver.requests] == ["one-a-secret", "two-a-secret"]
    assert project.run("list", "--format", "json").json()[0]["name"] == "Siem"
    assert project.run("nonsense").exit_code == 64
    assert "No such command" in project.run("nonsense").stderr


def test_mock_events_of_the_plugins_too(hookctl_project: MakeProject) -> None:
    mock = {"id": "1", "event_type": "made", "event_time": 1.0, "data": {}}
    made = EventType(name="made", summary="Made.", schema={"type": "object"}, mock=mock)  # type: ignore[arg-type]
    project = hookctl_project({}, plugin(hookctl_event_types=made))
    assert project.mock_event("made") == mock
    assert project.mock_event("anomaly")["event_type"] == "anomaly"


def test_a_plugin_that_is_found_anyway_can_be_given(hookctl_project: MakeProject) -> None:
    import hookctl_plugins.auth

    result = hookctl_project({}, hookctl_plugins.auth).run("plugins")
    assert (result.exit_code, result.stderr) == (0, "")


def test_what_cannot_be_loaded_is_a_warning(hookctl_project: MakeProject) -> None:
    result = hookctl_project({}, plugin(hookctl_filter_types="shout")).run("plugins")
    assert "Warning: plugin acme_under_test: hookctl_filter_types returned a str" in " ".join(result.stderr.split())


# -- cassettes -------------------------------------------------------------------------------------------------------


def test_vcrpy_replays_what_hookctl_recorded(hookctl_project: MakeProject) -> None:
    project = hookctl_project({"webhooks.d/a.yaml": PLAIN})
    project.receiver.default = Answer.json({"receipt": "r-1"}, 202)
    result = project.run("test", "Siem", "--record")
    assert result.exit_code == 0, result.stdout + result.stderr
    cassette = project.root / "tests/cassettes/Siem.yaml"
    with vcr.use_cassette(str(cassette), record_mode="none") as played:
        response = requests.post("https://siem.example.com/ingest", data=b"{}", timeout=5)
    assert (response.status_code, response.json()) == (202, {"receipt": "r-1"})
    assert played.all_played


def test_vcrpy_runs_no_code_of_a_cassette(tmp_path: Path) -> None:
    """Versions before 8.2.1 do; pyproject.toml excludes them."""
    cassette, proof = tmp_path / "evil.yaml", tmp_path / "proof"
    cassette.write_text(f"version: 1\ninteractions: !!python/object/apply:os.mkdir ['{proof}']\n")
    with pytest.raises((yaml.YAMLError, ValueError)), vcr.use_cassette(str(cassette), record_mode="none"):
        pass
    assert not proof.exists()
