from collections.abc import Callable

from hookctl.kit.contracts import EventTypeContract
from hookctl.kit.project import Project

import hookctl_deployment as mine

WEBHOOK = """
name: Welcome
event: deployment
url: https://siem.example.com/users
body_template: |
  {"name": "{{ data.name }}"}
"""


class TestContract(EventTypeContract):
    plugin = mine
    name = "deployment"
    refused = ({**mine.MOCK, "data": {"name": "Dana Levi"}},)


def test_a_template_can_use_its_fields(hookctl_project: Callable[..., Project]) -> None:
    project = hookctl_project({"webhooks.d/welcome.yaml": WEBHOOK}, mine)
    result = project.run("test", "Welcome")
    assert result.exit_code == 0, result.stdout + result.stderr
    (request,) = project.receiver.requests
    assert request.json() == {"name": "Dana Levi"}


def test_a_field_that_it_does_not_have_is_a_finding(hookctl_project: Callable[..., Project]) -> None:
    webhook = WEBHOOK.replace("data.name", "data.nmae")
    project = hookctl_project({"webhooks.d/welcome.yaml": webhook}, mine)
    result = project.run("validate")
    assert result.exit_code == 1
    assert "template-unknown-path" in result.stdout
