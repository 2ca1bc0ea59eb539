"""What something else than an apply has changed: told by plan and apply, and mended by an apply."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hookctl.plugin.host import load_plugins
from hookctl.store.sqlite.applied import AppliedStore
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
SIEM = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/ingest\nbody_template: '{}'\n"
SLEEPING = "name: Sleeping\nevent: anomaly\nurl: https://sleep.example.com/\nstatus: inactive\n"


@pytest.fixture
def root(project: Callable[..., Path], run_cli: Run) -> Path:
    root = project({"webhooks.d/siem.yaml": SIEM, "webhooks.d/sleeping.yaml": SLEEPING})
    mock = load_plugins().event_types["anomaly"].mock
    (root / "events.jsonl").write_text("".join(json.dumps({**mock, "id": f"e{number}"}) + "\n" for number in range(3)))
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
    return root


def send(run_cli: Run, root: Path, receiver: Receiver, *args: str) -> Any:
    hosts = [f"{host}:443:{address}:{port}" for host, (address, port) in receiver.connect_to.items()]
    options = [word for host in hosts for word in ("--connect-to", host)]
    return run_cli(
        "send", *(args or ("events.jsonl",)), *options, "--cacert", receiver.ca_file, "--wait", "0s", cwd=root
    )


def edit(root: Path, statement: str) -> None:
    with closing(sqlite3.connect(root / ".hookctl/hookctl.db")) as connection, connection:
        connection.execute(statement)


def statuses(run_cli: Run, root: Path) -> list[str]:
    return sorted(
        one["status"] for one in json.loads(run_cli("deliveries", "list", "--format", "json", cwd=root).stdout)
    )


def test_what_only_applies_have_changed_is_no_drift(run_cli: Run, root: Path, receiver: Receiver) -> None:
    assert send(run_cli, root, receiver).exit_code == 0
    (root / "webhooks.d/siem.yaml").write_text(SIEM + "status: inactive\n")
    assert "drift" not in run_cli("apply", "--auto-approve", cwd=root).stdout
    assert "drift" not in run_cli("plan", cwd=root).stdout


def test_a_hold_is_shown_and_ended_by_an_apply_that_changes_the_webhook(
    run_cli: Run, root: Path, receiver: Receiver
) -> None:
    receiver.answer("/ingest", Answer(410), Answer(200))
    send(run_cli, root, receiver)
    planned = run_cli("plan", cwd=root)
    assert planned.exit_code == 0
    assert "    warning[held]: the webhook is held: HTTP 410 Gone; 0 deliveries are held" in planned.stdout
    assert planned.stdout.endswith("No changes. The applied webhooks match the files.\n")
    (finding,) = json.loads(run_cli("plan", "--format", "json", cwd=root).stdout)["findings"]
    assert (finding["policy"], finding["webhook"], finding["severity"]) == ("held", "Siem", "warning")
    assert run_cli("apply", "--auto-approve", cwd=root).stdout.endswith("The applied webhooks match the files.\n")
    assert "warning[held]" in run_cli("plan", cwd=root).stdout
    (root / "webhooks.d/siem.yaml").write_text(SIEM + "description: fixed\n")
    run_cli("plan", "--out", "plan.json", cwd=root)
    assert "standard input is not a terminal" in run_cli("apply", cwd=root).stderr
    applied = run_cli("apply", "plan.json", "--auto-approve", cwd=root)
    assert applied.stdout.endswith("Applied: 0 added, 1 changed, 0 removed. The state now has serial 2.\n")
    assert "held" not in statuses(run_cli, root)
    assert run_cli("plan", cwd=root).stdout == "No changes. The applied webhooks match the files.\n"


def test_what_was_held_by_hand(run_cli: Run, root: Path, receiver: Receiver) -> None:
    receiver.answer("/ingest", Answer(503))
    send(run_cli, root, receiver)
    edit(
        root,
        "UPDATE deliveries SET status = 'held', ready_at = NULL, reason = 'ada asked for it' "
        "WHERE id IN (SELECT id FROM deliveries LIMIT 2)",
    )
    assert (
        "warning[drift]: 2 deliveries are held, but not by an apply: ada asked for it\n"
        in run_cli("plan", cwd=root).stdout
    )
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
    assert "drift" not in run_cli("plan", cwd=root).stdout
    assert "held" not in statuses(run_cli, root)


TOLD = "warning[drift]: the applied webhooks are not those of the last apply: something else changed the store\n"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM applied_webhooks",
        "UPDATE applied_webhooks SET name = 'siem' WHERE name = 'Siem'",
        (
            "UPDATE applied_webhooks SET (digest, document) = "
            "(SELECT digest, document FROM applied_webhooks WHERE name = 'Sleeping') WHERE name = 'Siem'"
        ),
    ],
)
def test_a_store_that_was_edited(run_cli: Run, root: Path, statement: str) -> None:
    edit(root, statement)
    assert TOLD in run_cli("plan", cwd=root).stdout


def test_an_apply_mends_a_store_that_was_edited(run_cli: Run, root: Path) -> None:
    edit(root, "DELETE FROM applied_webhooks WHERE name = 'Siem'")
    assert "  + Siem\n" in run_cli("plan", cwd=root).stdout
    applied = run_cli("apply", "--auto-approve", cwd=root)
    assert (applied.exit_code, TOLD in applied.stdout) == (0, True)
    assert "drift" not in run_cli("plan", cwd=root).stdout
    assert set(AppliedStore(root / ".hookctl/hookctl.db").read().plans) == {"Siem", "Sleeping"}


def test_a_store_of_an_older_hookctl_is_not_taken_for_edited(run_cli: Run, root: Path) -> None:
    edit(root, "UPDATE applies SET state_digest = NULL")
    assert run_cli("plan", cwd=root).stdout == "No changes. The applied webhooks match the files.\n"


def test_a_plan_that_cannot_read_an_applied_webhook_does_not_say_that_all_match(run_cli: Run, root: Path) -> None:
    edit(root, "UPDATE applied_webhooks SET document = '{' WHERE name = 'Sleeping'")
    (root / "webhooks.d/sleeping.yaml").unlink()
    result = run_cli("plan", "--detailed-exitcode", cwd=root)
    assert result.stdout.endswith("No changes found, but not every webhook could be compared.\n")
    assert result.exit_code == 2
