"""Event types that files define, from the file to the delivery, and webhooks that receive several."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
WEBHOOK = """
name: Deploys
event: deployment
url: https://siem.example.com/ingest
when: data.stage != 'test'
body_template: '{"who": "{{ data.actor }}", "stage": "{{ data.stage }}"}'
"""


class Site:
    """A project with one event type of its own, and a target."""

    def __init__(self, root: Path, run_cli: Run, receiver: Receiver) -> None:
        self.root, self._run = root, run_cli
        address = f"siem.example.com:443:{receiver.address}:{receiver.port}"
        self._env = {"HOOKCTL_CONNECT_TO": address, "HOOKCTL_CACERT": receiver.ca_file}
        self.receiver = receiver
        self.webhook(WEBHOOK)
        self.event_type("actor", "stage")

    def run(self, *args: str, stdin: str = "") -> Any:
        return self._run(*args, cwd=self.root, env=self._env, stdin=stdin)

    def webhook(self, text: str) -> None:
        (self.root / "webhooks.d").mkdir(exist_ok=True)
        (self.root / "webhooks.d/deploys.yaml").write_text(text)

    def event_type(self, *fields: str, name: str = "deployment") -> None:
        (self.root / "events.d").mkdir(exist_ok=True)
        schema = {
            "description": "A program was deployed.",
            "required": ["data"],
            "properties": {
                "data": {
                    "type": "object",
                    "description": "The deployment.",
                    "required": list(fields),
                    "properties": {field: {"type": "string", "description": "Text."} for field in fields},
                }
            },
            "examples": [event(name, "mock", *fields)],
        }
        (self.root / f"events.d/{name}.schema.json").write_text(json.dumps(schema, indent=2))

    def send(self, *events: dict[str, Any]) -> Any:
        return self.run("send", "-", stdin="\n".join(map(json.dumps, events)))

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.body) for request in self.receiver.requests]


def event(name: str, event_id: str, *fields: str) -> dict[str, Any]:
    return {"id": event_id, "event_type": name, "event_time": 1.0, "data": dict.fromkeys(fields, "x")}


@pytest.fixture
def site(tmp_path: Path, run_cli: Run, receiver: Receiver) -> Site:
    return Site(tmp_path, run_cli, receiver)


def test_an_event_is_checked_by_the_schema_that_was_applied(site: Site) -> None:
    plan = site.run("plan")
    assert "+ event type deployment" in plan.stdout
    assert "Plan: 1 to add, 0 to change, 0 to remove, 1 event type." in plan.stdout
    assert "1 event type" in site.run("apply", "--auto-approve").stdout
    site.event_type("actor", "region")  # not applied
    assert site.send(event("deployment", "e1", "actor", "stage")).exit_code == 0
    refused = site.send(event("deployment", "e2", "actor", "region"))
    assert refused.exit_code == 1
    assert '"stage" is a required property' in refused.stderr
    assert site.bodies == [{"who": "x", "stage": "x"}]


def test_a_changed_schema_is_a_change_with_its_readers(site: Site) -> None:
    site.run("apply", "--auto-approve")
    site.send(event("deployment", "e1", "actor", "stage"))
    site.event_type("actor", "environment")
    refused = site.run("plan")
    assert refused.exit_code == 1
    assert "error[event-fields-gone]: fields of deployment are gone, compared with what is applied: data.stage" in (
        refused.stdout + refused.stderr
    )
    assert "Deploys (body_template: data.stage), Deploys (when: stage)" in refused.stdout + refused.stderr
    site.webhook(WEBHOOK.replace("data.stage", "data.environment"))
    shown = site.run("plan", "--out", "plan.json").stdout
    for line in (
        "  ~ event type deployment",
        "- data.stage",
        "+ data.environment",
        "body_template of Deploys no longer reads data.stage",
        "1 of the last 1 events of this type would be refused now",
    ):
        assert line in shown
    document = json.loads((site.root / "plan.json").read_text())
    (change,) = document["event_types"]["changes"]
    assert change["effects"]["gone"] == ["data.stage"]
    assert site.run("apply", "plan.json", "--auto-approve").exit_code == 0
    assert site.send(event("deployment", "e2", "actor", "environment")).exit_code == 0
    assert "No changes" in site.run("plan").stdout


def test_a_schema_alone_is_applied_and_a_plan_from_before_is_stale(site: Site) -> None:
    site.run("apply", "--auto-approve")
    site.event_type("actor", "stage", "note")
    site.run("plan", "--out", "plan.json")
    shown = site.run("plan").stdout
    assert "Plan: 0 to add, 0 to change, 0 to remove, 1 event type." in shown
    assert site.run("plan", "--detailed-exitcode").exit_code == 2
    site.run("apply", "--auto-approve")
    stale = site.run("apply", "plan.json", "--auto-approve")
    assert "the plan is stale" in stale.stderr


def test_an_altered_schema_in_a_saved_plan_is_refused(site: Site) -> None:
    site.run("plan", "--out", "plan.json")
    text = (site.root / "plan.json").read_text()
    (site.root / "plan.json").write_text(text.replace("A program was deployed.", "Something else."))
    assert "the saved plan was altered" in site.run("apply", "plan.json", "--auto-approve").stderr


def test_events_of_a_type_that_no_webhook_receives_any_more_are_accepted(site: Site) -> None:
    site.run("apply", "--auto-approve")
    site.webhook(
        WEBHOOK.replace("event: deployment", "event: audit_log")
        .replace("data.stage", "data.action")
        .replace("data.actor }", "data.actor_id }")
    )
    assert site.run("apply", "--auto-approve").exit_code == 0
    assert site.send(event("deployment", "e1", "actor", "stage")).exit_code == 0
    (site.root / "events.d/deployment.schema.json").unlink()
    assert "- event type deployment" in site.run("plan").stdout
    site.run("apply", "--auto-approve")
    assert "unknown event type 'deployment'" in site.send(event("deployment", "e2", "actor", "stage")).stderr


def test_only_leaves_other_event_types_as_they_are(site: Site) -> None:
    site.event_type("text", name="note")
    site.run("apply", "--auto-approve")
    site.event_type("text", "more", name="note")
    site.event_type("actor", "stage", "more")
    shown = site.run("plan", "--only", "Deploys").stdout
    assert "~ event type deployment" in shown
    assert "event type note" not in shown


def test_a_plan_against_a_revision_compares_event_types(site: Site) -> None:
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *command], cwd=site.root, check=True)
    assert "No changes." in site.run("plan", "--against", "HEAD").stdout
    site.event_type("actor", "stage", "more")
    assert "+ data.more" in site.run("plan", "--against", "HEAD").stdout


def test_several_types(site: Site) -> None:
    site.webhook(
        "name: Both\nevent: [deployment, audit_log]\nurl: https://siem.example.com/ingest\n"
        "body_template: '{\"what\": \"{% if event_type == ''deployment'' %}{{ data.stage }}{% else %}{{ data.action }}"
        "{% endif %}\"}'\n"
    )
    assert site.run("apply", "--auto-approve", "--test").exit_code == 0
    assert sorted(body["what"] for body in site.bodies) == ["access_flow.updated", "x"]
    tested = site.run("test", "--event-type", "audit_log", "--format", "json")
    (one,) = json.loads(tested.stdout)["tests"]
    assert (one["webhook"], one["event"]) == ("Both", "audit_log")
    assert "Both (deployment)" in site.run("test").stdout
    assert '"x"' in site.run("render", "Both", "--event-type", "deployment", "--body").stdout
    wrong = site.run("render", "Both", "--event-type", "anomaly")
    assert (wrong.exit_code, "is for 'audit_log' and 'deployment'" in wrong.stderr) == (64, True)
    assert "audit_log, deployment" in site.run("list").stdout
    assert json.loads(site.run("list", "--format", "json").stdout)[0]["event"] == ["audit_log", "deployment"]
    assert site.send(event("deployment", "e1", "actor", "stage")).exit_code == 0
    assert site.run("test", "--record").exit_code == 0
    assert sorted(path.name for path in (site.root / "tests/cassettes").iterdir()) == [
        "Both.audit_log.yaml",
        "Both.deployment.yaml",
    ]
    replayed = site.run("test", "--replay")
    assert (replayed.exit_code, "2 replays" in replayed.stdout, replayed.stderr) == (0, True, "")


def test_schema_event_shows_it(site: Site) -> None:
    assert "A program was deployed." in site.run("schema", "event").stdout
    assert "data.stage" in site.run("schema", "event", "deployment").stdout


def test_the_directory_lies_beside_that_of_webhooks(site: Site) -> None:
    (site.root / "team").mkdir()
    for name in ("webhooks.d", "events.d"):
        (site.root / name).rename(site.root / "team" / name)
    assert "no problems found" in site.run("--dir", "team/webhooks.d", "validate").stdout
