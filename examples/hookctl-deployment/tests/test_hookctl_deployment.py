import json
from collections.abc import Callable

from hookctl.kit.contracts import EventTypeContract
from hookctl.kit.project import Project

import hookctl_deployment as mine

(EVENT_TYPE,) = mine.hookctl_event_types()
WEBHOOK = """
name: Deployments
event: deployment
url: https://siem.example.com/deployments
when: data.environment == 'production'
body_template: |
  {"text": "{{ data.service }} {{ data.version }} is in {{ data.environment }}"}
"""


class TestContract(EventTypeContract):
    plugin = mine
    name = "deployment"
    refused = (
        {**EVENT_TYPE.mock, "data": {"service": "billing"}},
        {**EVENT_TYPE.mock, "event_type": "release"},
    )


def test_its_events_are_delivered(hookctl_project: Callable[..., Project]) -> None:
    project = hookctl_project({"webhooks.d/deployments.yaml": WEBHOOK}, mine)
    assert project.run("apply", "--auto-approve").exit_code == 0
    result = project.run("send", "-", stdin=json.dumps(project.mock_event("deployment")))
    assert result.exit_code == 0, result.stdout + result.stderr
    (request,) = project.receiver.requests
    assert request.json() == {"text": "billing 2.14.0 is in production"}


def test_a_field_that_it_does_not_have_is_a_finding(hookctl_project: Callable[..., Project]) -> None:
    project = hookctl_project({"webhooks.d/deployments.yaml": WEBHOOK.replace("data.service", "data.servce")}, mine)
    result = project.run("validate")
    assert result.exit_code == 1
    assert "template-unknown-path" in result.stdout


def test_a_condition_that_cannot_be_true_is_a_finding(hookctl_project: Callable[..., Project]) -> None:
    project = hookctl_project({"webhooks.d/deployments.yaml": WEBHOOK.replace("'production'", "'prod'")}, mine)
    assert "'prod'" in project.run("validate").stdout
