"""What operators see of deliveries that are not delivered: ``list``, ``doctor`` and its exit code."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hookctl.cli.checks_of_deliveries import SHOWN
from hookctl.model import Attempt, DeliveryStatus, Event, Timing
from hookctl.store.records import Circuit, NewDelivery, Outcome, Result, Routed
from hookctl.store.sqlite.store import SqliteStore
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
WEBHOOK = "name: {name}\nevent: anomaly\nurl: https://siem.example.com/{path}\nretry: {{schedule: []}}\n"


@dataclass
class Site:
    """A project with applied webhooks, and its store."""

    root: Path
    run_cli: Run

    def run(self, *args: str, **env: str) -> Any:
        return self.run_cli(*args, cwd=self.root, env=env)

    def apply(self, *names: str) -> None:
        """Make these the applied webhooks."""
        folder = self.root / "webhooks.d"
        folder.mkdir(exist_ok=True)
        for file in folder.iterdir():
            file.unlink()
        for name in names:
            (folder / f"{name}.yaml").write_text(WEBHOOK.format(name=name, path=name.replace(" ", "")))
        assert self.run("apply", "--auto-approve", "--allow-removals").exit_code == 0

    def open(self) -> SqliteStore:
        return SqliteStore(self.root / ".hookctl/hookctl.db")

    def add(self, webhook: str, *, ago: float = 0.0, count: int = 1, dead_because: str = "") -> None:
        """Store events for a webhook that came some seconds ago."""
        with closing(self.open()) as store:
            at = time.time() - ago
            names = [f"{webhook}-{ago}-{dead_because}-{number}" for number in range(count)]
            store.enqueue(
                [
                    Routed(
                        Event(name, "anomaly", at, {"id": name, "event_type": "anomaly", "event_time": at, "data": {}}),
                        (NewDelivery(f"d-{name}", webhook, dead_because),),
                    )
                    for name in names
                ],
                at,
            )

    def end(self, webhook: str, outcome: Outcome, serial: int = 1) -> None:
        """Give what is due for a webhook this outcome, by attempts under the state with this serial."""
        with closing(self.open()) as store:
            claims = store.claim(time.time(), 1000, 60.0, {webhook: 1000})
            attempt = Attempt(
                plan_digest="d", number=1, started_at=0.0, request=None, response=None, failure=None, timing=Timing()
            )
            store.finish([Result(claim, attempt, outcome, serial) for claim in claims], time.time())

    def circuits(self, circuits: Mapping[str, Circuit]) -> None:
        with closing(self.open()) as store:
            store.set_circuits(circuits)

    def doctor(self, *args: str) -> dict[str, list[tuple[str, str, str]]]:
        """The verdict, message and hint of each check, by the name of the check."""
        result = self.run("doctor", "--format", "json", *args)
        checks = json.loads(result.stdout)
        assert result.exit_code == any(check["verdict"] == "problem" for check in checks)
        found: dict[str, list[tuple[str, str, str]]] = {}
        for check in checks:
            found.setdefault(check["name"], []).append((check["verdict"], check["message"], check["hint"]))
        return found


@pytest.fixture
def site(tmp_path: Path, run_cli: Run) -> Site:
    site = Site(tmp_path, run_cli)
    site.apply("Siem", "Ticket system", "Quiet")
    return site


def test_list_counts_and_shows_the_age_of_the_oldest(site: Site) -> None:
    site.add("Siem", ago=7300.0)
    site.end("Siem", Outcome(DeliveryStatus.RETRYING, "HTTP 503", due_at=time.time() + 500.0))
    site.add("Siem", ago=100.0, count=3)
    site.add("Siem", count=2, dead_because="render: no severity")
    site.add("Ticket system", ago=86_410.0, count=4)
    site.end("Ticket system", Outcome(DeliveryStatus.HELD, "HTTP 401", hold=True))
    rows = {row["name"]: row for row in json.loads(site.run("list", "--format", "json").stdout)}
    siem = rows["Siem"]["deliveries"]
    assert {name: siem[name] for name in ("waiting", "retrying", "held", "dead")} == {
        "waiting": 3,
        "retrying": 1,
        "held": 0,
        "dead": 2,
    }
    assert siem["oldest_at"] == pytest.approx(time.time() - 7300.0, abs=60.0)
    assert siem["due_at"] == pytest.approx(time.time() - 100.0, abs=60.0)
    assert rows["Ticket system"]["deliveries"]["held"] == 4
    assert rows["Quiet"]["deliveries"]["oldest_at"] is None
    headings, *lines = site.run("list").stdout.splitlines()
    assert "  WAITING  RETRYING  DEAD  HELD  OLDEST  LAST RESULT" in headings
    counts = {line.split()[1]: line.split("applied")[1].split()[:5] for line in lines if line.startswith("●")}
    assert counts == {
        "Siem": ["3", "1", "2", "0", "2h1m"],
        "Ticket": ["0", "0", "0", "4", "24h"],
        "Quiet": ["0", "0", "0", "0", "-"],
    }
    assert "  deliveries: 3 waiting, 1 retrying, 2 dead, 0 held\n" in site.run("show", "Siem").stdout
    assert "deliveries:" not in site.run("show", "Quiet").stdout


def test_list_says_nothing_of_an_earlier_webhook_of_the_name(site: Site) -> None:
    site.add("Siem", dead_because="HTTP 404")
    site.circuits({"Siem": Circuit("open", "HTTP 503", 1.0, 2.0)})
    site.apply("Quiet")
    (site.root / "webhooks.d/Siem.yaml").write_text(WEBHOOK.format(name="Siem", path="new"))
    (row,) = [row for row in json.loads(site.run("list", "--format", "json").stdout) if row["name"] == "Siem"]
    assert (row["state"], row["circuit"], row["deliveries"]["dead"]) == ("not applied", None, 0)


def test_doctor_names_dead_letters_and_the_commands_to_see_and_replay_them(site: Site) -> None:
    assert site.doctor()["dead"] == [("ok", "no dead letters", "")]
    site.add("Siem", count=2, dead_because="HTTP 404 Not Found")
    site.add("Ticket system", count=3, dead_because="HTTP 400 Bad Request")
    site.add("Ticket system", count=1, dead_because="timeout: no answer; schedule used up after 8 attempts")
    siem, ticket = sorted(site.doctor()["dead"], key=lambda check: check[1])
    assert siem == (
        "warning",
        "Siem has 2 dead letters: 2 HTTP 404",
        (
            "To see them: hookctl deliveries list --status dead --webhook Siem. "
            "When the cause is fixed: hookctl deliveries replay --webhook Siem"
        ),
    )
    assert ticket[1] == "Ticket system has 4 dead letters: 3 HTTP 400, 1 timeout"
    assert '--webhook "Ticket system". When' in ticket[2]
    see = site.run("deliveries", "list", "--status", "dead", "--webhook", "Ticket system", "--format", "json")
    assert len(json.loads(see.stdout)) == 4


def test_the_command_of_doctor_replays_them(site: Site) -> None:
    site.add("Siem", count=2, dead_because="HTTP 404 Not Found")
    ((_, _, hint),) = site.doctor()["dead"]
    command = hint.rpartition(": hookctl ")[2].split()
    with Receiver() as receiver:
        receiver.answer("/Siem", Answer(200))
        address = f"siem.example.com:443:{receiver.address}:{receiver.port}"
        replayed = site.run(*command, "--yes", HOOKCTL_CONNECT_TO=address, HOOKCTL_CACERT=receiver.ca_file)
    assert (replayed.exit_code, "2 replayed: 2 delivered." in replayed.stdout) == (0, True)
    assert site.doctor()["dead"] == [("ok", "no dead letters", "")]


def test_many_webhooks_are_counted_and_not_all_named(site: Site) -> None:
    names = [f"Hook {number:02}" for number in range(SHOWN + 3)]
    site.apply(*names)
    for name in names:
        site.add(name, dead_because="HTTP 404")
    site.add(names[-1], dead_because="HTTP 500")
    site.circuits({name: Circuit("local" if name == names[-1] else "open", "why", 1.0, 2.0) for name in names})
    found = site.doctor()
    assert len(found["dead"]) == SHOWN + 1
    assert found["dead"][0][1].startswith(f"{names[-1]} has 2 dead letters")
    assert found["dead"][-1][1] == "3 more webhooks with 3 dead letters"
    assert len(found["local"]) == 1
    assert found["circuit"][-1][1] == "3 more webhooks whose circuit is not closed"


def test_deliveries_that_are_due_without_a_runner(site: Site) -> None:
    assert site.doctor()["runner"][0][0] == "ok"
    site.add("Siem", ago=30.0)
    ((verdict, message, hint),) = site.doctor()["runner"]
    assert (verdict, message.startswith("no runner is alive, but deliveries have been due for 3")) == ("warning", True)
    assert hint == "Start `hookctl run`, or deliver once with `hookctl send /dev/null`."
    assert site.doctor()["lag"][0][0] == "ok"
    site.add("Quiet", ago=400.0)
    found = site.doctor()
    assert found["runner"][0][0] == "problem"
    ((verdict, message, hint),) = found["lag"]
    assert (verdict, hint) == ("warning", "No runner is alive: see below.")
    assert message.startswith("deliveries of Quiet have been due for 6m4")


def test_a_process_that_delivers_is_alive(site: Site) -> None:
    site.add("Siem", ago=400.0, count=2)
    with closing(site.open()) as worker:
        worker.claim(time.time(), 1, 60.0, {"Siem": 1})
        found = site.doctor()
        assert found["runner"] == [("ok", "1 process is delivering", "")]
        assert "raise the webhook's rate_limit or max_in_flight" in found["lag"][0][2]
    assert site.doctor()["runner"][0][0] == "problem"


def test_a_runner_has_nothing_to_do_while_a_circuit_is_open(site: Site) -> None:
    site.add("Siem", ago=400.0)
    site.circuits({"Siem": Circuit("open", "HTTP 503", time.time() - 300.0, time.time() + 100.0)})
    assert site.doctor()["runner"][0][0] == "ok"
    site.circuits({"Siem": Circuit("open", "HTTP 503", time.time() - 300.0, time.time() - 100.0)})
    assert site.doctor()["runner"][0][0] == "problem"
    with closing(site.open()) as worker:
        worker.claim(time.time() - 390.0, 1, 1.0, {"Siem": 1})
        assert site.doctor()["lag"][0][2] == "Its target fails: see its circuit below."


def test_nothing_is_reported_of_a_webhook_that_was_removed_or_is_inactive(site: Site) -> None:
    site.add("Siem", ago=400.0, dead_because="HTTP 404")
    site.add("Siem", ago=400.0)
    site.circuits({"Siem": Circuit("open", "HTTP 503", 1.0, 2.0)})
    conditions = ("--fail-on", "dead>0,circuits>0,lag>0s,oldest>0s,waiting>0")
    before = site.doctor(*conditions)
    assert {check[0] for check in before["fail_on"]} == {"problem"}
    site.apply("Quiet")
    after = site.doctor(*conditions)
    assert "circuit" not in after
    assert (after["dead"][0][0], after["lag"][0][0], after["runner"][0][0]) == ("ok", "ok", "ok")
    assert {check[0] for check in after["fail_on"]} == {"ok"}


def test_the_circuit_of_an_inactive_webhook_stops_nothing(site: Site) -> None:
    site.circuits({"Siem": Circuit("open", "HTTP 503", 1.0, 2.0)})
    file = site.root / "webhooks.d/Siem.yaml"
    file.write_text(file.read_text() + "status: inactive\n")
    assert site.run("apply", "--auto-approve").exit_code == 0
    assert "circuit" not in site.doctor()


def test_held_webhooks_meet_a_condition_and_inactive_ones_do_not(site: Site) -> None:
    site.add("Siem", count=3)
    site.add("Quiet", count=3)
    file = site.root / "webhooks.d/Quiet.yaml"
    file.write_text(file.read_text() + "status: inactive\n")
    assert site.run("apply", "--auto-approve").exit_code == 0
    with closing(site.open()) as store:
        store.reconcile(store.read_state())
    assert site.doctor("--fail-on", "held>0")["fail_on"] == [("ok", "held>0 is false: none", "")]
    site.end("Siem", Outcome(DeliveryStatus.HELD, "HTTP 401", hold=True), serial=2)
    assert site.doctor("--fail-on", "held>0")["fail_on"] == [
        ("problem", "held>0 is true: 1 webhook held", "See `held` above.")
    ]


def test_conditions_decide_the_exit_code(site: Site) -> None:
    site.add("Siem", dead_because="HTTP 404")
    assert site.run("doctor").exit_code == 0
    assert site.run("doctor", "--fail-on", "dead>1").exit_code == 0
    failed = site.run("doctor", "--fail-on", "lag>5m,dead>0")
    assert failed.exit_code == 1
    assert "✓ fail_on   lag>5m is false: none\n" in failed.stdout
    assert "✗ fail_on   dead>0 is true: 1 dead letter\n            See `dead` above.\n" in failed.stdout
    assert site.run("doctor", HOOKCTL_DOCTOR_FAIL_ON="dead>0").exit_code == 1


def test_conditions_leave_out_the_search_for_damage(site: Site) -> None:
    site.add("Siem")
    with sqlite3.connect(site.root / ".hookctl/hookctl.db") as store:
        store.execute("UPDATE events SET document = '{'")
    assert "damage" in site.doctor()
    assert "damage" not in site.doctor("--fail-on", "dead>0")


def test_a_store_that_cannot_be_read_fails_with_conditions_too(site: Site) -> None:
    (site.root / ".hookctl/hookctl.db").write_bytes(b"nonsense" * 1000)
    assert site.run("doctor", "--fail-on", "dead>0").exit_code == 1
