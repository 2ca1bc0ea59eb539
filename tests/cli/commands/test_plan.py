"""``hookctl plan``: findings, changes, exit codes, and a file that can be applied."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hookctl.model import Event
from hookctl.schema_files import read_schema
from hookctl.store.records import NewDelivery, Routed
from hookctl.store.sqlite.queue import SqliteQueue

Run = Callable[..., Any]
Project = Callable[..., Path]

SIEM = """
name: Siem
event: anomaly
url: https://siem.example.com/ingest
auth:
  type: bearer
  token: ${env:SIEM_TOKEN}
body_template: |
  {
    "severity": "{{ data.severity }}"
  }
"""
TICKETS = "name: Tickets\nevent: anomaly\nurl: https://tickets.example.com/\n"
CANARY = "canary-9d41"


@pytest.fixture
def root(project: Project) -> Path:
    return project({"webhooks.d/siem.yaml": SIEM, "webhooks.d/tickets.yaml": TICKETS})


def test_what_is_new(run_cli: Run, root: Path) -> None:
    result = run_cli("plan", cwd=root, env={"SIEM_TOKEN": CANARY})
    assert (result.exit_code, result.stderr) == (0, "")
    assert "  + Siem\n" in result.stdout
    assert "      + auth.token: ${env:SIEM_TOKEN}\n" in result.stdout
    assert '      +     "severity": "{{ data.severity }}"\n' in result.stdout
    assert result.stdout.endswith("\nPlan: 2 to add, 0 to change, 0 to remove.\n")
    assert CANARY not in result.stdout
    assert not (root / ".hookctl").exists()


def test_what_changed(run_cli: Run, root: Path) -> None:
    run_cli("apply", "--auto-approve", cwd=root)
    assert run_cli("plan", cwd=root).stdout == "No changes. The applied webhooks match the files.\n"
    (root / "webhooks.d/tickets.yaml").unlink()
    (root / "webhooks.d/siem.yaml").write_text(
        SIEM.replace("https://siem.", "https://siem2.").replace("data.severity", "data.title")
        + "timeout_seconds: 15.0\nheaders: {X-A: b}\n"
    )
    assert run_cli("plan", cwd=root).stdout == (
        "  ~ Siem\n"
        "      ~ url: https://siem.example.com/ingest -> https://siem2.example.com/ingest\n"
        "      + headers.X-A: b\n"
        "      ~ body_template:\n"
        "          {\n"
        '      -     "severity": "{{ data.severity }}"\n'
        '      +     "severity": "{{ data.title }}"\n'
        "          }\n"
        "      request for the mock event:\n"
        "          method: POST\n"
        "      ~   url: https://siem.example.com/ingest -> https://siem2.example.com/ingest\n"
        "      +   headers.X-A: b\n"
        "          headers.Content-Type: application/json\n"
        "          headers.Authorization: Bearer ***\n"
        '      ~   body $.severity: "High" -> "High-risk request for production data"\n'
        "      payload: compatible\n"
        "      newly sent to siem2.example.com: data.title\n"
        "      new host: siem2.example.com\n"
        "\n"
        "  - Tickets  POST https://tickets.example.com/\n"
        "\n"
        "Effects:\n"
        "  newly sent to siem2.example.com (anomaly): data.title\n"
        "  new hosts: siem2.example.com\n"
        "  payload: compatible for Siem\n"
        "  longest retries: Siem, 8 attempts, the last 27h35m after the first\n"
        "\n"
        "Plan: 0 to add, 1 to change, 1 to remove.\n"
    )


def test_exit_codes(run_cli: Run, root: Path) -> None:
    assert run_cli("plan", "--detailed-exitcode", cwd=root).exit_code == 2
    run_cli("apply", "--auto-approve", cwd=root)
    assert run_cli("plan", "--detailed-exitcode", cwd=root).exit_code == 0
    (root / "webhooks.d/siem.yaml").write_text("name: 1\n")
    assert run_cli("plan", "--detailed-exitcode", cwd=root).exit_code == 1
    assert run_cli("plan", "--format", "yaml", cwd=root).exit_code == 64


def test_errors_in_the_files_come_instead_of_a_plan(run_cli: Run, project: Project) -> None:
    root = project(
        {"webhooks.d/siem.yaml": SIEM.replace("https://siem", "http://siem"), "webhooks.d/tickets.yaml": TICKETS}
    )
    result = run_cli("plan", "--out", "plan.json", cwd=root)
    assert result.exit_code == 1
    assert "webhooks.d/siem.yaml:4:" in result.stdout
    assert "Plan:" not in result.stdout
    assert not (root / "plan.json").exists()
    document = json.loads(run_cli("plan", "--format", "json", cwd=root).stdout)
    assert [diagnostic["code"] for diagnostic in document["diagnostics"]] == ["url-scheme"]


def test_warnings_do_not_stop_a_plan(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/siem.yaml": SIEM.replace('"{{ data.severity }}"', "{{ data.resource }}")})
    result = run_cli("plan", cwd=root)
    assert result.exit_code == 0
    assert "warning[template-optional-path]" in result.stdout
    assert result.stdout.endswith("Plan: 1 to add, 0 to change, 0 to remove.\n")
    result = run_cli("plan", "--format", "json", cwd=root)
    assert json.loads(result.stdout)["summary"]["create"] == 1
    assert "warning[template-optional-path]" in result.stderr


def test_json_is_as_its_schema_says(run_cli: Run, root: Path) -> None:
    result = run_cli("plan", "--format", "json", cwd=root, env={"SIEM_TOKEN": CANARY})
    document = json.loads(result.stdout)
    jsonschema.Draft202012Validator(read_schema("plan.schema.json")).validate(document)
    assert [change["name"] for change in document["changes"]] == ["Siem", "Tickets"]
    assert document["changes"][0]["after"]["auth"] == [{"type": "bearer", "settings": {"token": "${env:SIEM_TOKEN}"}}]
    assert CANARY not in result.stdout


def test_a_saved_plan_is_its_owners_alone_and_says_the_same(run_cli: Run, root: Path) -> None:
    (root / "plan.json").write_text("old")
    result = run_cli("plan", "--out", "plan.json", cwd=root)
    assert result.stderr == "Saved in plan.json. Apply exactly this with: hookctl apply plan.json\n"
    assert stat.S_IMODE((root / "plan.json").stat().st_mode) == 0o600
    assert (root / "plan.json").read_text() == run_cli("plan", "--format", "json", cwd=root).stdout
    assert sorted(path.name for path in root.iterdir()) == ["plan.json", "webhooks.d"]


def test_a_plan_that_cannot_be_saved(run_cli: Run, root: Path) -> None:
    result = run_cli("plan", "--out", "nowhere/plan.json", cwd=root)
    assert result.exit_code == 1
    assert "Error: the plan cannot be saved in nowhere/plan.json: No such file or directory" in result.stderr


def test_a_protected_webhook_that_is_gone_is_an_error(run_cli: Run, root: Path) -> None:
    (root / "webhooks.d/tickets.yaml").write_text(TICKETS + "protected: true\n")
    run_cli("apply", "--auto-approve", cwd=root)
    (root / "webhooks.d/tickets.yaml").unlink()
    result = run_cli("plan", "--detailed-exitcode", cwd=root)
    assert result.exit_code == 1
    assert (
        "  - Tickets  POST https://tickets.example.com/\n"
        "    error[protected]: a protected webhook cannot be removed\n" in result.stdout
    )
    applied = run_cli("apply", "--auto-approve", cwd=root)
    assert applied.exit_code == 1
    assert "error[protected]" in applied.stdout
    assert "Tickets" in run_cli("list", cwd=root).stdout


def test_how_many_deliveries_a_removal_cancels(run_cli: Run, root: Path) -> None:
    run_cli("apply", "--auto-approve", cwd=root)
    queue = SqliteQueue(root / ".hookctl/hookctl.db")
    for number in range(3):
        event = Event(f"e{number}", "anomaly", 1.0, {"event_type": "other"})
        queue.enqueue(
            [
                Routed(
                    event,
                    (
                        NewDelivery(f"t{number}", "Tickets"),
                        NewDelivery(f"s{number}", "Siem", "broken" if number else ""),
                    ),
                )
            ],
            2.0,
        )
    queue.close()
    for name in ("siem", "tickets"):
        (root / f"webhooks.d/{name}.yaml").write_text(SIEM.replace("Siem", f"New {name}"))
    stdout = run_cli("plan", cwd=root).stdout
    assert (
        "  - Siem  POST https://siem.example.com/ingest\n"
        "      recent events: 0 newly match, 0 no longer match, 0 match as before\n"
        "      1 waiting delivery will be" in stdout
    )
    assert "      3 waiting deliveries will be cancelled\n" in stdout
    assert "  of the 3 recent events in the store: 0 newly match, 0 no longer match, 0 match twice\n" in stdout
    assert "\n  4 waiting deliveries will be cancelled\n" in stdout


POLICIES = """
from hookctl.plugin import Finding, Policy, Severity, hookimpl

@hookimpl
def hookctl_policies():
    return [
        Policy(name="hosts", summary="", schema={}, build=lambda _: hosts),
        Policy(name="owner", summary="", schema={}, build=lambda _: owner),
    ]

def hosts(plan):
    message = "siem.example.com is not allowed"
    return [Finding(webhook="Siem", message=message, hint="Ask the platform team.", pointer=("url",))]

def owner(plan):
    return [Finding(webhook=after.name, message="no owner", severity=Severity.WARNING) for after in plan.after]
"""
BROKEN = """
from hookctl.plugin import Policy, hookimpl

@hookimpl
def hookctl_policies():
    return [Policy(name="bad", summary="", schema={}, build=lambda settings: lambda plan: plan.nothing)]
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """``installed("acme", code)``: a distribution of that name with one module, as pip would leave it."""

    def install(name: str, code: str) -> None:
        site = tmp_path / "site"
        information = site / f"{name}-3.1.dist-info"
        information.mkdir(parents=True)
        (site / f"{name}_policies.py").write_text(code)
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 3.1\n")
        (information / "entry_points.txt").write_text(f"[hookctl]\nrules = {name}_policies\n")
        monkeypatch.syspath_prepend(site)
        monkeypatch.setattr("sys.dont_write_bytecode", True)

    return install


def test_policies_speak_in_place(run_cli: Run, root: Path, installed: Callable[[str, str], None]) -> None:
    installed("acme", POLICIES)
    (root / "hookctl.toml").write_text("[policies.hosts]\n[policies.owner]\n")
    result = run_cli("plan", "--out", "plan.json", cwd=root)
    assert result.exit_code == 1
    assert (
        "    error[hosts]: siem.example.com is not allowed\n"
        "      Ask the platform team.\n"
        "      at webhooks.d/siem.yaml:4:6\n"
        "    warning[owner]: no owner\n      at webhooks.d/siem.yaml:2:7\n\n  + Tickets\n"
    ) in result.stdout
    assert not (root / "plan.json").exists()
    document = json.loads(run_cli("plan", "--format", "json", cwd=root).stdout)
    assert [finding["policy"] for finding in document["findings"]] == ["hosts", "owner", "owner"]
    assert document["versions"].keys() == {"hookctl"}  # no webhook uses the plugin
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 1
    assert json.loads(run_cli("plan", "--format", "json", cwd=root).stdout)["serial"] == 0  # nothing was applied


def test_a_policy_that_fails_is_named(run_cli: Run, root: Path, installed: Callable[[str, str], None]) -> None:
    installed("brittle", BROKEN)
    (root / "hookctl.toml").write_text('[policies.bad]\nseverity = "warning"\n')
    result = run_cli("plan", cwd=root)
    assert result.exit_code == 1
    assert "error[bad]: policy bad of plugin rules: check raised AttributeError: " in result.stdout
    assert "Plan: 2 to add" in result.stdout


def test_color_is_asked_for(run_cli: Run, root: Path) -> None:
    assert "\x1b[32m" in run_cli("--color", "always", "plan", cwd=root).stdout
    assert "\x1b" not in run_cli("plan", cwd=root).stdout
