from collections.abc import Callable

import pytest
from hookctl.kit.project import Project

import hookctl_two_step_removal as mine

SETTINGS = """
[policies.two_step_removal]
except = ["test-*"]
"""
WEBHOOK = """
name: Siem
event: anomaly
url: https://siem.example.com/ingest
"""
OTHER = """
name: Other
event: anomaly
url: https://siem.example.com/other
"""


@pytest.fixture
def project(hookctl_project: Callable[..., Project]) -> Project:
    """A project in which both webhooks are applied."""
    files = {"webhooks.d/siem.yaml": WEBHOOK, "webhooks.d/other.yaml": OTHER, "hookctl.toml": SETTINGS}
    made = hookctl_project(files, mine)
    assert made.run("apply", "--auto-approve").exit_code == 0
    return made


def test_an_active_webhook_cannot_be_removed(project: Project) -> None:
    (project.root / "webhooks.d/siem.yaml").unlink()
    result = project.run("plan")
    assert result.exit_code == 1
    assert "error[two_step_removal]: it is active, so a plan may not remove it" in result.stdout


def test_an_inactive_one_can(project: Project) -> None:
    project.write({"webhooks.d/siem.yaml": f"{WEBHOOK}status: inactive\n"})
    assert project.run("apply", "--auto-approve").exit_code == 0
    (project.root / "webhooks.d/siem.yaml").unlink()
    result = project.run("plan")
    assert result.exit_code == 0, result.stdout + result.stderr


def test_a_change_is_not_a_removal(project: Project) -> None:
    project.write({"webhooks.d/siem.yaml": WEBHOOK.replace("/ingest", "/events")})
    assert project.run("plan").exit_code == 0


def test_one_that_is_exempt_can(project: Project) -> None:
    project.write({"hookctl.toml": SETTINGS.replace("test-*", "Si*")})
    (project.root / "webhooks.d/siem.yaml").unlink()
    assert project.run("plan").exit_code == 0


def test_settings_are_checked(project: Project) -> None:
    project.write({"hookctl.toml": SETTINGS.replace("except", "exept")})
    assert project.run("plan").exit_code == 1
