"""When policies are asked, of what, and how hard they count."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Project = Callable[..., Path]

SIEM = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\n"
TICKETS = "name: Tickets\nevent: anomaly\nurl: https://tickets.example.com/\n"
OWNER = "[policies.owner_label]\n"


@pytest.fixture
def root(run_cli: Run, project: Project) -> Path:
    """Two webhooks without an owner, applied before anyone asked for one."""
    root = project({"webhooks.d/siem.yaml": SIEM, "webhooks.d/tickets.yaml": TICKETS})
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
    (root / "hookctl.toml").write_text(OWNER)
    return root


def severities(run_cli: Run, root: Path) -> dict[str, str]:
    document = json.loads(run_cli("plan", "--format", "json", cwd=root).stdout)
    return {finding["webhook"]: finding["severity"] for finding in document["findings"]}


def test_an_unchanged_webhook_is_a_warning(run_cli: Run, root: Path) -> None:
    result = run_cli("plan", cwd=root)
    assert result.exit_code == 0
    assert (
        "    Siem  POST https://siem.example.com/\n    warning[owner_label]: the label `owner` is missing\n"
        in result.stdout
    )
    assert result.stdout.endswith("No changes. The applied webhooks match the files.\n")


def test_whoever_changes_a_webhook_brings_it_up_to_the_rules(run_cli: Run, root: Path) -> None:
    (root / "webhooks.d/siem.yaml").write_text(SIEM + "timeout_seconds: 5\n")
    assert severities(run_cli, root) == {"Siem": "error", "Tickets": "warning"}
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 1
    (root / "webhooks.d/siem.yaml").write_text(SIEM + "timeout_seconds: 5\nlabels: {owner: security}\n")
    assert severities(run_cli, root) == {"Tickets": "warning"}
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0


def test_a_removed_webhook_breaks_no_rule(run_cli: Run, root: Path) -> None:
    (root / "webhooks.d/siem.yaml").unlink()
    assert severities(run_cli, root) == {"Tickets": "warning"}


def test_a_renamed_webhook_is_changed(run_cli: Run, root: Path) -> None:
    (root / "webhooks.d/siem.yaml").write_text(SIEM.replace("Siem", "Siem 2"))
    assert severities(run_cli, root) == {"Siem 2": "error", "Tickets": "warning"}


def test_an_inactive_webhook_counts(run_cli: Run, root: Path) -> None:
    (root / "webhooks.d/siem.yaml").write_text(SIEM + "status: inactive\n")
    assert severities(run_cli, root)["Siem"] == "error"


@pytest.mark.parametrize(("severity", "code"), [("warning", 0), ("error", 1)])
def test_severity_is_set(run_cli: Run, root: Path, severity: str, code: int) -> None:
    (root / "webhooks.d/siem.yaml").write_text(SIEM + "timeout_seconds: 5\n")
    (root / "hookctl.toml").write_text(f'{OWNER}severity = "{severity}"\n')
    result = run_cli("plan", cwd=root)
    assert result.exit_code == code
    assert f"    {severity}[owner_label]: the label `owner` is missing\n" in result.stdout
    assert severities(run_cli, root) == {"Siem": severity, "Tickets": "warning"}
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == code


def test_a_saved_plan_is_asked_about_where_it_is_applied(run_cli: Run, root: Path) -> None:
    (root / "webhooks.d/siem.yaml").write_text(SIEM + "timeout_seconds: 5\n")
    (root / "hookctl.toml").unlink()
    assert run_cli("plan", "--out", "plan.json", cwd=root).exit_code == 0
    (root / "hookctl.toml").write_text(OWNER)
    result = run_cli("apply", "plan.json", "--auto-approve", cwd=root)
    assert result.exit_code == 1
    assert "    error[owner_label]: the label `owner` is missing\n" in result.stdout
    assert "      at " not in result.stdout  # the files may be others by now
    (root / "hookctl.toml").write_text(f'{OWNER}severity = "warning"\n')
    assert run_cli("apply", "plan.json", "--auto-approve", cwd=root).exit_code == 0


def test_the_settings_of_another_file(run_cli: Run, root: Path) -> None:
    (root / "hookctl.toml").rename(root / "rules.toml")
    assert severities(run_cli, root) == {}
    assert "warning[owner_label]" in run_cli("--config", "rules.toml", "plan", cwd=root).stdout


def test_the_rule_is_explained(run_cli: Run) -> None:
    result = run_cli("explain", "policy")
    assert result.exit_code == 0
    assert "[policies.NAME]" in result.stdout


def test_a_policy_is_explained_by_the_name_that_its_findings_have(run_cli: Run) -> None:
    result = run_cli("explain", "allowed_hosts")
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "allowed_hosts: Webhooks send only to these hosts.\n\nSettings in [policies.allowed_hosts] of hookctl.toml:\n"
    )
    assert "hosts  list of strings  yes " in result.stdout
    assert result.stdout.endswith(run_cli("explain", "policy").stdout)
    assert "Settings in" not in run_cli("explain", "authenticated").stdout
    assert "Did you mean allowed_hosts?" in run_cli("explain", "alowed_hosts").stderr


# -- settings that are wrong -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message", "hint"),
    [
        ("[policies.autenticated]\n", "[policies]: unknown policy 'autenticated'", "Did you mean authenticated?"),
        ("[policies.x]\n", "[policies]: unknown policy 'x'", "`hookctl plugins` lists the policies."),
        ("policies = true\n", "hookctl.toml: policies must be a table, not True", "hookctl explain settings"),
        (
            "policies.authenticated = true\n",
            "hookctl.toml: policies.authenticated must be a table, not True",
            "hookctl explain settings",
        ),
        (
            "[policies.authenticated]\nseverity = 'warn'\n",
            '[policies.authenticated]: `severity` must be error or warning, not "warn"',
            "Did you mean warning?",
        ),
        ("[policies.authenticated]\ntypes = []\n", "[policies.authenticated]: unknown field `types`", "severity"),
        ("[policies.timeout_at_most]\n", "[policies.timeout_at_most]: `seconds` is missing", "For example: 30"),
        (
            "[policies.timeout_at_most]\nsecond = 3\n",
            "[policies.timeout_at_most]: unknown field `second`",
            "Did you mean seconds?",
        ),
        (
            "[policies.timeout_at_most]\nseconds = '30'\n",
            '[policies.timeout_at_most]: `seconds` must be a number, not text ("30")',
            "timeout_seconds",
        ),
        (
            "[policies.timeout_at_most]\nseconds = true\n",
            "[policies.timeout_at_most]: `seconds` must be a number, not true",
            "timeout_seconds",
        ),
        (
            "[policies.timeout_at_most]\nseconds = 0\n",
            "[policies.timeout_at_most]: `seconds` must be greater than 0",
            "timeout_seconds",
        ),
        (
            "[policies.timeout_at_most]\nseconds = nan\n",
            "[policies.timeout_at_most]: `seconds` must be a number",
            "timeout_seconds",
        ),
        (
            "[policies.timeout_at_most]\nseconds = 1979-05-27\n",
            "[policies.timeout_at_most]: a policy setting cannot be a date or time",
            "quotes",
        ),
        (
            "[policies.timeout_at_most]\nseconds = 0x" + "f" * 6000,
            "a number has too many digits",
            "smaller",
        ),
        (
            "[policies.retry_horizon_at_least]\nduration = '1 day'\n",
            '`duration` has the wrong form: "1 day"',
            'For example: "1d"',
        ),
        (
            "[policies.retry_horizon_at_least]\nduration = 86400\n",
            "`duration` must be text, not 86400",
            'For example: "1d"',
        ),
        ("[policies.allowed_hosts]\nhosts = []\n", "`hosts` must have at least 1 item(s)", "*.example.com"),
        ("[policies.allowed_hosts]\nhosts = 'siem.example.com'\n", "`hosts` must be a list, not text", "*.example.com"),
        ("[policies.allowed_hosts]\nhosts = ['*']\n", "`hosts[0]` has the wrong form", "A host name in lower case"),
        (
            "[policies.allowed_hosts]\nhosts = ['a.example.com', 'https://b.example.com']\n",
            "`hosts[1]` has the wrong form",
            "A host name in lower case",
        ),
        (
            "[policies.allowed_hosts]\nhosts = ['Siem.example.com']\n",
            "`hosts[0]` has the wrong form",
            "A host name in lower case",
        ),
        (
            "[policies.allowed_hosts]\nhosts = ['siem.*.com']\n",
            "`hosts[0]` has the wrong form",
            "A host name in lower case",
        ),
        ("[policies.owner_label]\nlabel = ''\n", "`label` must have at least 1 character(s)", "labels"),
    ],
)
@pytest.mark.parametrize("command", [("plan",), ("apply", "--auto-approve")], ids=["plan", "apply"])
def test_wrong_settings_are_named(
    run_cli: Run, root: Path, *, command: tuple[str, ...], settings: str, message: str, hint: str
) -> None:
    (root / "hookctl.toml").write_text(settings)
    result = run_cli(*command, cwd=root)
    assert (result.exit_code, result.stdout) == (1, "")
    error, _, advice = result.stderr.partition("\n")
    assert error.startswith("Error: ")
    assert message in error
    assert hint in advice
