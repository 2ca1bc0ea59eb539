"""``hookctl plan`` and ``apply --heal``: which dead letters a change repairs, and replaying exactly those."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hookctl.config.diff.document import plan_in
from hookctl.model import DeliveryStatus, Repair
from hookctl.plugin.host import load_plugins
from hookctl.schema_files import read_schema
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
PLAIN = """\
name: Siem
event: anomaly
url: https://siem.example.com/old
body_template: |
  {"event": "{{ id }}", "title": "{{ data.title }}"}
retry: {schedule: [100ms]}
"""
KEY = "k" * 32


@pytest.fixture
def root(project: Callable[..., Path]) -> Path:
    return project({"webhooks.d/siem.yaml": PLAIN})


@pytest.fixture
def run(root: Path, run_cli: Run, reach_siem: dict[str, str]) -> Run:
    """The command line in a project with a webhook applied, that reaches the receiver."""

    def run(*args: str, stdin: str = "") -> Any:
        return run_cli(*args, cwd=root, env={**reach_siem, "PLAN_KEY": KEY}, stdin=stdin)

    assert run("apply", "--auto-approve").exit_code == 0
    return run


def write(root: Path, text: str) -> None:
    (root / "webhooks.d/siem.yaml").write_text(text, encoding="utf-8")


def send(run: Run, *names: str, title: str = "a title") -> None:
    mock: dict[str, Any] = {**load_plugins().event_types["anomaly"].mock}
    data = {**mock["data"], "title": title}
    lines = [json.dumps({**mock, "id": name, "event_time": 1.0, "data": data}) for name in names]
    run("send", "-", stdin="\n".join(lines))


def statuses(run: Run) -> dict[str, str]:
    return {one["event_id"]: one["status"] for one in json.loads(run("deliveries", "list", "--format", "json").stdout)}


def planned(run: Run) -> Any:
    document = json.loads(run("plan", "--format", "json").stdout)
    jsonschema.Draft202012Validator(read_schema("plan.schema.json")).validate(document)
    return document


@pytest.mark.parametrize("status", [404, 410])
def test_another_url_may_repair_what_it_refused(run: Run, root: Path, receiver: Receiver, status: int) -> None:
    """A 410 also holds the webhook, which the apply ends."""
    receiver.answer("/old", Answer(status))
    send(run, "e0")
    run("deliveries", "resume", "Siem")
    send(run, "e1")
    assert statuses(run) == {"e0": "dead", "e1": "dead"}
    write(root, PLAIN.replace("/old", "/new"))
    text = run("plan").stdout
    assert (
        "      2 dead letters: this change may repair 2\n"
        f"          2 may be repaired: HTTP {status} before, and the URL will be different\n" in text
    )
    assert (
        "  2 dead letters: this plan may repair 2\n"
        "  `hookctl apply --heal` replays 2 dead letters; without --heal, an apply replays none\n" in text
    )
    comment = run("plan", "--format", "markdown").stdout
    assert "2 dead letters: this plan may repair 2" in comment
    receiver.requests.clear()
    result = run("apply", "--heal", "--auto-approve")
    assert result.stdout.endswith("The state now has serial 2. Healed: 2 deliveries replayed.\n")
    assert not receiver.requests
    run("send", "-", "--wait", "5s", stdin="")
    assert statuses(run) == {"e0": "delivered", "e1": "delivered"}
    assert [request.path for request in receiver.requests] == ["/new", "/new"]
    log = json.loads(run("log", "--format", "json").stdout)
    assert [entry["deliveries"] for entry in log if entry["action"] == "heal"] == [2]


def test_without_heal_nothing_is_replayed(run: Run, root: Path, receiver: Receiver) -> None:
    receiver.answer("/old", Answer(404))
    send(run, "e0")
    write(root, PLAIN.replace("/old", "/new"))
    assert "Healed" not in run("apply", "--auto-approve").stdout
    run("send", "-", stdin="")
    assert statuses(run) == {"e0": "dead"}


def test_what_is_now_valid_is_repaired_and_the_rest_still_fails(run: Run, root: Path, receiver: Receiver) -> None:
    """The title could not be in the path; a validator rejected a response; a target was overloaded."""
    validated = PLAIN + "response_validators: [{json_path: $.data.status, expected_values: [done]}]\n"
    write(root, validated.replace("/old", "/old/{{ data.title }}").replace("[100ms]", "[]"))
    assert run("apply", "--auto-approve").exit_code == 0
    receiver.answer("/old/fine", Answer(200, body=b'{"status": "ok"}'), Answer(503))
    send(run, "unrendered", title="..")
    send(run, "rejected", title="fine")
    send(run, "overloaded", title="fine")
    assert set(statuses(run).values()) == {"dead"}
    new = validated.replace("/old", "/old/fine").replace("[done]", "[done, ok]")
    write(root, new)
    text = run("plan").stdout
    assert (
        "      3 dead letters: this change repairs 2; 1 still fails\n"
        "          1 repaired: the validators accept the recorded response now\n"
        "          1 repaired: the request could not be rendered before, and can be now\n"
        "          1 still failing: HTTP 503 before, and nothing changes that matters for it\n" in text
    )
    document = planned(run)
    assert len(document["heal"]) == 2
    (healing,) = document["changes"][0]["effects"]["healing"]
    assert {key: healing[key] for key in ("status", "total", "tried", "repaired", "possible", "fails")} == {
        "status": "dead", "total": 3, "tried": 3, "repaired": 2, "possible": 0, "fails": 1,
    }  # fmt: skip
    (together,) = document["summary"]["effects"]["healing"]
    assert together == {**healing, "reasons": []}
    receiver.answer("/old/fine", Answer(200, body=b'{"status": "ok"}'))
    assert "Healed: 2 deliveries replayed.\n" in run("apply", "--heal", "--auto-approve").stdout
    run("send", "-", "--wait", "5s", stdin="")
    assert statuses(run) == {"unrendered": "delivered", "rejected": "delivered", "overloaded": "dead"}


def test_a_saved_plan_heals_what_was_reviewed(run: Run, root: Path, receiver: Receiver) -> None:
    """What has changed since, and what became a dead letter since, is left alone. The signature covers the list."""
    receiver.answer("/old", Answer(404))
    send(run, "kept", "changed")
    write(root, PLAIN.replace("/old", "/new"))
    key = "${env:PLAN_KEY}"
    assert run("plan", "--out", "plan.json", "--sign", key).exit_code == 0
    send(run, "later")
    run("deliveries", "replay", "--event-id", "changed", "--yes")
    assert statuses(run) == {"kept": "dead", "changed": "dead", "later": "dead"}
    saved = json.loads((root / "plan.json").read_text())
    assert [one["status"] for one in saved["heal"]] == ["dead", "dead"]
    forged = {**saved, "heal": saved["heal"][:1]}
    (root / "forged.json").write_text(json.dumps(forged))
    for options, message in (((), "was altered"), (("--verify", key), "signature of the saved plan is wrong")):
        refused = run("apply", "forged.json", "--heal", "--auto-approve", *options)
        assert refused.exit_code == 1
        assert message in refused.stderr
    result = run("apply", "plan.json", "--heal", "--auto-approve", "--verify", key, "--format", "json")
    outcome = json.loads(result.stdout)["outcome"]
    assert outcome["healed"] == {"replayed": 1, "changed": 1}
    assert outcome["message"].endswith("Healed: 1 delivery replayed; 1 changed since the plan and left alone.")
    run("send", "-", "--wait", "5s", stdin="")
    assert statuses(run) == {"kept": "delivered", "changed": "dead", "later": "dead"}


def test_a_retrying_delivery_is_replayed_now(run: Run, root: Path, receiver: Receiver) -> None:
    hourly = PLAIN.replace("[100ms]", "[1h]")
    write(root, hourly)
    run("apply", "--auto-approve")
    receiver.answer("/old", Answer(503))
    send(run, "e0")
    assert statuses(run) == {"e0": "retrying"}
    write(root, hourly.replace("/old", "/new"))
    text = run("plan").stdout
    assert (
        "      1 retrying delivery: this change may repair 1\n"
        "          1 may be repaired: HTTP 503 before, and the URL will be different\n" in text
    )
    assert "`hookctl apply --heal` replays 1 retrying delivery; without --heal, an apply replays none\n" in text
    run("apply", "--heal", "--auto-approve")
    run("send", "-", "--wait", "5s", stdin="")
    assert statuses(run) == {"e0": "delivered"}


def test_held_deliveries_are_released_by_the_apply_itself(run: Run, root: Path, receiver: Receiver) -> None:
    receiver.answer("/old", Answer(401))
    send(run, "held")
    send(run, "waits")
    assert statuses(run) == {"held": "held", "waits": "held"}
    write(root, PLAIN.replace("/old", "/new"))
    text = run("plan").stdout
    assert "      2 held deliveries: this change may repair 2\n" in text
    assert "          1 may be repaired: HTTP 401 before, and the URL will be different\n" in text
    assert "          1 may be repaired: it was not tried yet\n" in text
    assert "`hookctl apply --heal`" not in text
    assert planned(run)["heal"] == []
    run("apply", "--auto-approve")
    run("send", "-", "--wait", "5s", stdin="")
    assert statuses(run) == {"held": "delivered", "waits": "delivered"}


def test_more_than_a_plan_tries_are_sampled(
    run: Run, root: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookctl.config.effects.healing.MAX_TRIED", 2)
    monkeypatch.setattr("hookctl.config.effects.healing.shares.__defaults__", (2,))
    receiver.answer("/old", Answer(404))
    for name in ("e0", "e1", "e2"):
        send(run, name)
    write(root, PLAIN.replace("/old", "/new"))
    text = run("plan").stdout
    assert (
        "      the newest 2 of 3 dead letters: this change may repair 2\n"
        "          2 may be repaired: HTTP 404 before, and the URL will be different\n"
        "          the others were not tried; to replay all that are left after the apply:\n"
        "          hookctl deliveries replay --webhook Siem --status dead\n" in text
    )
    run("apply", "--heal", "--auto-approve")
    run("send", "-", "--wait", "5s", stdin="")
    assert statuses(run) == {"e0": "dead", "e1": "delivered", "e2": "delivered"}


@pytest.mark.parametrize("text", [PLAIN.replace("/old", "/new") + "status: inactive\n", None])
def test_inactive_and_removed_webhooks_heal_nothing(run: Run, root: Path, receiver: Receiver, text: str | None) -> None:
    receiver.answer("/old", Answer(404))
    send(run, "e0")
    write(root, text or PLAIN.replace("Siem", "Other").replace("/old", "/new"))
    assert planned(run)["heal"] == []
    assert "Healed: 0 deliveries replayed." in run("apply", "--heal", "--auto-approve").stdout


def test_a_plan_cannot_heal_what_it_does_not_change(run: Run, root: Path, receiver: Receiver) -> None:
    """Even with the right digest: anyone can compute it."""
    receiver.answer("/old", Answer(404))
    send(run, "e0")
    (root / "webhooks.d/other.yaml").write_text(PLAIN.replace("Siem", "Other"))
    assert run("plan", "--out", "plan.json").exit_code == 0
    saved = json.loads((root / "plan.json").read_text())
    (dead,) = json.loads(run("deliveries", "list", "--format", "json").stdout)
    for heal in ([("Siem", 1)], [("Other", 1), ("Other", 1)]):
        saved["heal"] = [
            {"webhook": webhook, "id": dead["id"], "status": "dead", "version": version} for webhook, version in heal
        ]
        plan = plan_in({**saved, "heal": []})
        repairs = tuple(Repair(webhook, dead["id"], DeliveryStatus.DEAD, version) for webhook, version in heal)
        saved["digest"] = replace(plan, heal=repairs).digest
        (root / "plan.json").write_text(json.dumps(saved))
        result = run("apply", "plan.json", "--heal", "--auto-approve")
        assert (result.exit_code, "was altered" in result.stderr) == (1, True)
        saved = {**saved, "heal": [], "digest": plan.digest}


def test_healing_sends_nothing_and_reads_no_secret(run: Run, root: Path, receiver: Receiver) -> None:
    receiver.answer("/old", Answer(404))
    send(run, "e0")
    receiver.requests.clear()
    write(root, PLAIN.replace("/old", "/new/${env:NOT_SET}") + "auth: {type: bearer, token: '${env:NEITHER}'}\n")
    text = run("plan").stdout
    assert "1 may be repaired: HTTP 404 before, and the URL and the auth will be different\n" in text
    assert not receiver.requests


def test_the_question_names_how_many_are_replayed(
    run: Run, root: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions: list[str] = []

    def approved(question: str, *, hint: str) -> bool:
        questions.append(question)
        return bool(hint == "")

    monkeypatch.setattr("hookctl.cli.approval.approved", approved)
    receiver.answer("/old", Answer(404))
    send(run, "e0")
    write(root, PLAIN.replace("/old", "/new"))
    for options in ((), ("--heal",)):
        assert run("apply", *options).exit_code == 1
    assert questions == ["Do you want to apply this?", "Do you want to apply this, and replay 1 delivery?"]
    assert statuses(run) == {"e0": "dead"}
