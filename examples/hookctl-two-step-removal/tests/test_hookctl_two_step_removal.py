from collections.abc import Callable

from hookctl.kit.project import Project

import hookctl_two_step_removal as mine

SETTINGS = """
[policies.two_step_removal]
teams = ["it", "security"]
"""
WEBHOOK = """
name: Siem
event: anomaly
url: https://siem.example.com/ingest
labels: {owner: it}
"""


def test_an_owner_that_is_a_team_passes(hookctl_project: Callable[..., Project]) -> None:
    project = hookctl_project({"webhooks.d/siem.yaml": WEBHOOK, "hookctl.toml": SETTINGS}, mine)
    result = project.run("plan")
    assert result.exit_code == 0, result.stdout + result.stderr


def test_another_owner_blocks_the_plan(hookctl_project: Callable[..., Project]) -> None:
    webhook = WEBHOOK.replace("owner: it", "owner: me")
    project = hookctl_project({"webhooks.d/siem.yaml": webhook, "hookctl.toml": SETTINGS}, mine)
    result = project.run("plan")
    assert result.exit_code == 1
    assert "error[two_step_removal]: its owner is not a team" in result.stdout


def test_settings_are_checked(hookctl_project: Callable[..., Project]) -> None:
    settings = SETTINGS.replace("teams", "taems")
    project = hookctl_project({"webhooks.d/siem.yaml": WEBHOOK, "hookctl.toml": settings}, mine)
    assert project.run("plan").exit_code == 1
