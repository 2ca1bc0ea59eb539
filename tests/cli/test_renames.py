"""A renamed file's webhook keeps its history, and what waits for it is delivered."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookctl.plugin.host import load_plugins
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
SIEM = (
    "name: Siem\nevent: anomaly\nurl: https://siem.example.com/ingest\nbody_template: '{}'\n"
    "retry: {schedule: [0.1s, 1h]}\n"
)


@pytest.fixture
def root(project: Callable[..., Path]) -> Path:
    mock = load_plugins().event_types["anomaly"].mock
    return project(
        {
            "webhooks.d/siem.yaml": SIEM,
            "events.jsonl": "".join(json.dumps({**mock, "id": f"e{number}"}) + "\n" for number in range(3)),
        }
    )


@pytest.mark.parametrize("name", ["Company Siem", "SIEM"])
def test_history_and_waiting_deliveries_follow(
    run_cli: Run, root: Path, receiver: Receiver, reaching: list[str], name: str
) -> None:
    run_cli("apply", "--auto-approve", cwd=root)
    receiver.answer("/ingest", Answer(503), Answer(503), Answer(503), Answer(200))
    run_cli("send", "events.jsonl", "--wait", "0s", *reaching, cwd=root)
    (root / "webhooks.d/siem.yaml").write_text(SIEM.replace("name: Siem", f"name: {name}"))
    planned = run_cli("plan", cwd=root).stdout
    assert f"  ~ Siem -> {name}\n      renamed; its history and waiting deliveries move with it\n" in planned
    assert planned.endswith("Plan: 0 to add, 0 to change, 0 to remove, 1 to rename.\n")
    assert "cancelled" not in planned
    listed = json.loads(run_cli("list", "--format", "json", cwd=root).stdout)
    assert [(one["name"], one["state"]) for one in listed] == [("Siem", f"renamed to {name}")]
    assert listed[0]["last_result"]["status"] == "retrying"
    for one in ("Siem", name):
        assert f"renamed to {name}" in run_cli("show", one, cwd=root).stdout
    applied = run_cli("apply", "--auto-approve", cwd=root)
    assert applied.stdout.endswith("Applied: 0 added, 0 changed, 0 removed, 1 renamed. The state now has serial 2.\n")
    deliveries = json.loads(run_cli("deliveries", "list", "--webhook", name, "--format", "json", cwd=root).stdout)
    assert [(one["webhook"], one["status"]) for one in deliveries] == [(name, "retrying")] * 3
    result = run_cli("send", "/dev/null", "--wait", "10s", *reaching, cwd=root)
    assert result.exit_code == 0, result.stdout
    assert receiver.count == 6
    (row,) = json.loads(run_cli("list", "--format", "json", cwd=root).stdout)
    assert (row["name"], row["state"], row["last_result"]["status"]) == (name, "applied", "delivered")


def test_a_rename_is_in_the_plan_for_machines(run_cli: Run, root: Path) -> None:
    run_cli("apply", "--auto-approve", cwd=root)
    (root / "webhooks.d/siem.yaml").write_text(SIEM.replace("name: Siem", "name: Other"))
    document = json.loads(run_cli("plan", "--format", "json", cwd=root).stdout)
    (change,) = document["changes"]
    assert (change["name"], change["action"], change["renamed_from"], change["fields"]) == (
        "Other",
        "rename",
        "Siem",
        [],
    )
    assert document["summary"]["rename"] == 1
