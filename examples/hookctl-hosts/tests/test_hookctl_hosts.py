from collections.abc import Callable

import pytest
from hookctl.kit.project import Project

import hookctl_hosts as mine

FILES = {
    "webhooks.d/siem.yaml": "name: Siem\nevent: anomaly\nurl: https://siem.example.com/a\n",
    "webhooks.d/second.yaml": "name: Second\nevent: anomaly\nurl: https://siem.example.com/b\n",
    "webhooks.d/chat.yaml": "name: Chat\nevent: anomaly\nurl: https://chat.example.com/c\n",
    "webhooks.d/off.yaml": "name: Off\nevent: anomaly\nurl: https://off.example.com/d\nstatus: inactive\n",
}
HOSTS = "chat.example.com: Chat\nsiem.example.com: Second, Siem\n"


@pytest.fixture
def project(hookctl_project: Callable[..., Project]) -> Project:
    """A project with four webhooks, of which nothing is applied."""
    return hookctl_project(FILES, mine)


def test_it_shows_the_hosts_of_the_files(project: Project) -> None:
    result = project.run("hosts")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == HOSTS


def test_it_shows_the_hosts_of_what_is_applied(project: Project) -> None:
    assert project.run("hosts", "--applied").stdout == ""
    assert project.run("apply", "--auto-approve").exit_code == 0
    (project.root / "webhooks.d/chat.yaml").unlink()
    assert project.run("hosts", "--applied").stdout == HOSTS
    assert project.run("hosts").stdout == "siem.example.com: Second, Siem\n"


def test_files_with_errors_are_an_error(project: Project) -> None:
    project.write({"webhooks.d/siem.yaml": "name: Siem\n"})
    result = project.run("hosts")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Error: " in result.stderr


def test_help_lists_it(project: Project) -> None:
    assert "Show every host that active webhooks send to." in project.run("--help").stdout
