from collections.abc import Callable

from hookctl.kit.project import Project

import hookctl_hosts as mine

WEBHOOK = """
name: Siem
event: anomaly
url: https://siem.example.com/ingest
labels: {owner: it}
"""


def test_it_shows_the_owner(hookctl_project: Callable[..., Project]) -> None:
    project = hookctl_project({"webhooks.d/siem.yaml": WEBHOOK}, mine)
    result = project.run("hosts")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "Siem: it\n"


def test_help_lists_it(hookctl_project: Callable[..., Project]) -> None:
    result = hookctl_project({}, mine).run("--help")
    assert "Show who owns which webhook." in result.stdout
