"""Defaults, variables and environments: the same files for staging and production, with a state for each."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
SETTINGS = """
environment = "staging"
[vars]
timeout = 20
team = "security"
[environments.staging.vars]
host = "staging.example.com"
[environments.production]
protected = true
vars = {host = "hooks.example.com", timeout = 30}
"""
DEFAULTS = """
url: https://${var:host}/ingest
headers:
  X-Team: ${var:team}
  X-Kind: default
timeout_seconds: ${var:timeout}
"""
WEBHOOK = """
name: A
event: anomaly
headers: {X-Kind: own}
body_template: '{"a": "{{ data.title }}"}'
"""


@pytest.fixture
def project(tmp_path: Path, run_cli: Run) -> Callable[..., Any]:
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "hookctl.toml").write_text(SETTINGS)
    (tmp_path / "webhooks.d/defaults.yaml").write_text(DEFAULTS)
    (tmp_path / "webhooks.d/a.yaml").write_text(WEBHOOK)

    def run(*args: str, **env: str) -> Any:
        return run_cli(*args, cwd=tmp_path, env=env)

    return run


def applied(run: Callable[..., Any], *args: str) -> Any:
    return json.loads(run(*args, "show", "A", "--format", "json").stdout)["applied"]


def test_each_environment_has_its_state_and_variables(project: Callable[..., Any], tmp_path: Path) -> None:
    shown = project("plan").stdout
    assert "from webhooks.d/defaults.yaml: url (line 2), headers.X-Team (line 4), timeout_seconds (line 6)" in shown
    assert "Environment staging. Plan: 1 to add" in shown
    assert project("apply", "--auto-approve").exit_code == 0
    staging = applied(project)
    assert staging["url"] == "https://staging.example.com/ingest"
    assert (staging["timeout_seconds"], staging["headers"]) == (20, {"X-Kind": "own", "X-Team": "security"})
    assert "Environment production. Plan: 1 to add" in project("plan", HOOKCTL_ENVIRONMENT="production").stdout
    assert project("--environment", "production", "apply", "--auto-approve").exit_code == 0
    production = applied(project, "--environment", "production")
    assert (production["url"], production["timeout_seconds"]) == ("https://hooks.example.com/ingest", 30)
    assert sorted(path.name for path in (tmp_path / ".hookctl").glob("*.db")) == ["production.db", "staging.db"]
    assert "No changes" in project("plan").stdout


def test_a_plan_is_for_one_environment(project: Callable[..., Any], tmp_path: Path) -> None:
    assert project("plan", "--out", "plan.json").exit_code == 0
    assert json.loads((tmp_path / "plan.json").read_text())["environment"] == "staging"
    other = project("--environment", "production", "apply", "plan.json", "--auto-approve")
    assert "the plan is for the environment 'staging'" in other.stderr
    text = (tmp_path / "plan.json").read_text()
    (tmp_path / "plan.json").write_text(text.replace('"environment": "staging"', '"environment": "production"'))
    assert "altered" in project("--environment", "production", "apply", "plan.json", "--auto-approve").stderr


def test_a_protected_environment_must_be_named(project: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "hookctl.toml").write_text(SETTINGS.replace('"staging"', '"production"', 1))
    refused = project("apply", "--auto-approve")
    assert (refused.exit_code, "is protected, so --auto-approve alone" in refused.stderr) == (1, True)
    assert not (tmp_path / ".hookctl/production.db").exists() or applied(project) is None
    for answer, code in (("yes", 1), ("production", 0)):
        ours, theirs = pty.openpty()
        os.write(ours, f"{answer}\n".encode())
        done = subprocess.run(
            [sys.executable, "-m", "hookctl", "apply"],
            cwd=tmp_path,
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
        )
        os.close(ours)
        os.close(theirs)
        assert (done.returncode, "type the name of the protected environment" in done.stderr) == (code, True)


def test_a_variable_of_the_command_line_wins_and_has_the_same_type(project: Callable[..., Any]) -> None:
    project("--var", "timeout=5", "--var", "host=x.example.com", "apply", "--auto-approve")
    assert (applied(project)["timeout_seconds"], applied(project)["url"]) == (5, "https://x.example.com/ingest")
    assert "timeout must be a number" in project("--var", "timeout=x", "validate").stderr


def test_a_variable_without_a_value_is_found_once_where_it_is_used(project: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "hookctl.toml").write_text(SETTINGS.replace("team = ", "tame = "))
    (tmp_path / "webhooks.d/b.yaml").write_text(WEBHOOK.replace("name: A", "name: B"))
    found = project("validate")
    assert found.stdout.count("error[unknown-variable]") == 1
    assert "webhooks.d/defaults.yaml:4:11: error[unknown-variable]: the variable 'team' has no value" in found.stdout
    assert "did you mean tame?" in found.stdout
    assert project("validate", HOOKCTL_VAR="team=x").exit_code == 0


def test_places_after_a_replaced_variable_are_those_of_the_file(project: Callable[..., Any], tmp_path: Path) -> None:
    body = """body_template: '{"a": "${var:team} {{ data.titel }}"}'"""
    (tmp_path / "webhooks.d/a.yaml").write_text(f"name: A\nevent: anomaly\n{body}\n")
    column = body.index("data.titel") + 1
    assert f"webhooks.d/a.yaml:3:{column}: error[template-unknown-path]" in project("validate").stdout


@pytest.mark.parametrize("value", ["{{ data.title }}", "{% if x %}", "${env:SECRET}", "two\nlines"])
def test_a_variable_cannot_bring_expressions_or_references(project: Callable[..., Any], value: str) -> None:
    refused = project("--var", f"team={value}", "validate")
    assert (refused.exit_code, "the value of team must be text in one line" in refused.stderr) == (64, True)


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("name: X\n", "defaults-field", 1),
        ("timeout_seconds: many\nurl: https://a.example.com/\n", "wrong-type", 1),
        ("tiemout_seconds: 3\nurl: https://a.example.com/\n", "unknown-field", 1),
        ("url: https://a.example.com/\n---\nurl: https://b.example.com/\n", "defaults-documents", 0),
        ("url: &x https://a.example.com/\n", "yaml-anchor", 1),
    ],
)
def test_mistakes_in_defaults_have_their_place(
    project: Callable[..., Any], tmp_path: Path, text: str, rule: str, line: int
) -> None:
    (tmp_path / "webhooks.d/defaults.yaml").write_text(text)
    (shown,) = [one for one in project("validate").stdout.splitlines() if f"error[{rule}]" in one]
    assert shown.startswith(f"webhooks.d/defaults.yaml:{line}:" if line else "webhooks.d/defaults.yaml:")


def test_directories_below_add_to_defaults(project: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "webhooks.d/team").mkdir()
    (tmp_path / "webhooks.d/team/defaults.yaml").write_text("headers: {X-Team: other}\nform: {a: '{{ data.title }}'}\n")
    (tmp_path / "webhooks.d/team/b.yaml").write_text("name: B\nevent: anomaly\n")
    (tmp_path / "webhooks.d/team/c.yaml").write_text("name: C\nevent: anomaly\nbody_template: '{}'\n")
    assert project("validate").exit_code == 0
    shown = project("plan").stdout
    assert "from webhooks.d/team/defaults.yaml: headers.X-Team (line 1), form (line 2)" in shown
    assert "3 webhooks in 3 files" in project("validate").stdout


def test_only_defaults_is_no_webhook(project: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "webhooks.d/a.yaml").unlink()
    assert "error[directory-empty]" in project("validate").stdout


def test_an_unknown_environment_is_refused(project: Callable[..., Any]) -> None:
    refused = project("--environment", "prodution", "plan")
    assert "there is no environment 'prodution'" in refused.stderr
    assert "Did you mean 'production'?" in refused.stderr


def test_a_plan_against_a_revision_has_the_same_defaults(project: Callable[..., Any], tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    assert "No changes." in project("plan", "--against", "HEAD").stdout
    (tmp_path / "webhooks.d/defaults.yaml").write_text(DEFAULTS.replace("/ingest", "/other"))
    assert "~ url: https://staging.example.com/ingest -> https://staging.example.com/other" in (
        project("plan", "--against", "HEAD").stdout
    )


def test_hints_name_each_place_for_a_variable_and_for_an_event_type(
    run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    text = "name: Siem\nevent: order.paid\nurl: https://siem.example.com/\nheaders: {X-Team: '${var:team}'}\n"
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d/siem.yaml").write_text(text, encoding="utf-8")
    result = run_cli("validate", cwd=tmp_path)
    assert "--var team=VALUE, in [vars] of hookctl.toml, or in `vars` of the environment" in result.stdout
    assert "one of your own in events.d: see `hookctl explain event-types`" in result.stdout


def test_an_environment_does_not_share_the_store_of_commands_without_one(tmp_path: Path, run_cli: Run) -> None:
    (tmp_path / "hookctl.toml").write_text("[environments.hookctl]\n")
    refused = run_cli("--environment", "hookctl", "plan", cwd=tmp_path)
    assert refused.exit_code != 0
    assert "would share its store" in refused.stderr
