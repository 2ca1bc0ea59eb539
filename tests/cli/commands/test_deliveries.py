"""``hookctl deliveries``: list, show, replay, cancel and resume."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookctl.cli.commands import deliveries
from hookctl.delivery.runner.route import delivery_id
from hookctl.model import Attempt, DeliveryStatus, Event, Timing
from hookctl.plugin.host import load_plugins
from hookctl.store.records import Circuit, NewDelivery, Outcome, Result, Routed
from hookctl.store.sqlite.applied import AppliedStore
from hookctl.store.sqlite.queue import SqliteQueue
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
WEBHOOK = """
name: {name}
event: anomaly
url: https://siem.example.com/{name}
body_template: |
  {{"event": "{{{{ id }}}}"}}
retry: {{schedule: [100ms]}}
"""
E0, E1 = delivery_id("e0", 1.0, "Siem"), delivery_id("e1", 1.0, "Siem")


@pytest.fixture
def run(tmp_path: Path, run_cli: Run, reach_siem: dict[str, str]) -> Run:
    """The command line in a project with two webhooks applied, that reaches the receiver."""
    (tmp_path / "webhooks.d").mkdir()
    for name in ("Siem", "Other"):
        (tmp_path / f"webhooks.d/{name}.yaml").write_text(WEBHOOK.format(name=name), encoding="utf-8")

    def run(*args: str, stdin: str = "") -> Any:
        return run_cli(*args, cwd=tmp_path, env=reach_siem, stdin=stdin)

    assert run("apply", "--auto-approve").exit_code == 0
    return run


@pytest.fixture
def sent(run: Run, receiver: Receiver) -> Run:
    """Two events were sent: to Siem the first was dead (400) and the second delivered, to Other both were delivered."""
    mock = load_plugins().event_types["anomaly"].mock
    receiver.answer("/Siem", Answer(400), Answer())
    for name in ("e0", "e1"):
        run("send", "-", stdin=json.dumps({**mock, "id": name, "event_time": 1.0}))
    receiver.requests.clear()
    return run


def listed(run: Run, *args: str) -> list[tuple[str, str, str]]:
    result = run("deliveries", "list", "--format", "json", *args)
    assert result.exit_code == 0
    return [(one["event_id"], one["webhook"], one["status"]) for one in json.loads(result.stdout)]


def test_list(sent: Run) -> None:
    result = sent("deliveries", "list", "--status", "dead")
    head, row = result.stdout.splitlines()
    assert head.split() == ["ID", "STATUS", "WEBHOOK", "EVENT", "ATTEMPTS", "CREATED", "NEXT", "ATTEMPT", "REASON"]
    assert row.startswith(f"{E0[16:28]}  dead    Siem     e0     1")
    assert row.endswith("-             HTTP 400 Bad Request")
    assert (result.exit_code, result.stderr) == (0, "")


def test_filters(sent: Run) -> None:
    assert len(listed(sent)) == 4
    assert listed(sent, "--webhook", "siem") == [("e1", "Siem", "delivered"), ("e0", "Siem", "dead")]
    assert listed(sent, "--status", "dead", "--since", "2h") == [("e0", "Siem", "dead")]
    assert listed(sent, "--since", "0") == []
    assert len(listed(sent, "--limit", "3")) == 3
    assert sent("deliveries", "list", "--status", "held").stdout == "No deliveries.\n"


def test_more_than_the_limit_is_said(sent: Run) -> None:
    assert sent("deliveries", "list", "--limit", "1").stderr == "Showing the newest 1; use --limit for more.\n"


def test_before_anything_was_sent(run_cli: Run, tmp_path: Path) -> None:
    assert run_cli("deliveries", "list", cwd=tmp_path).stdout == "No deliveries.\n"
    assert run_cli("deliveries", "list", "--format", "json", cwd=tmp_path).stdout == "[]\n"
    for command in ("show", "replay", "cancel"):
        result = run_cli("deliveries", command, "msg_x", cwd=tmp_path)
        assert (result.exit_code, "Traceback" in result.stderr) == (1, False)
    assert list(tmp_path.iterdir()) == []


def test_show(sent: Run) -> None:
    result = sent("deliveries", "show", E0)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Delivery {E0}: dead\n  event    e0\n  webhook  Siem\n")
    for part in (
        "  reason   HTTP 400 Bad Request\n",
        "Attempt 1 at ",
        "  POST https://siem.example.com/Siem\n",
        f"  webhook-id: {E0}\n",
        "  400 Bad Request\n",
    ):
        assert part in result.stdout


def test_show_json(sent: Run) -> None:
    document = json.loads(sent("deliveries", "show", E0, "--format", "json").stdout)
    assert (document["id"], document["status"], document["event"]["id"]) == (E0, "dead", "e0")
    assert [one["response"]["status"] for one in document["attempts_made"]] == [400]


@pytest.mark.parametrize("cut", [E0, E0[16:28], E0[18:24], E0.upper()])
def test_an_id_may_be_cut_short(sent: Run, cut: str) -> None:
    assert sent("deliveries", "show", cut).stdout.startswith(f"Delivery {E0}: dead\n")


def test_an_id_that_is_none_or_several(sent: Run) -> None:
    result = sent("deliveries", "show", E0[16:25] + "zzz")
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: there is no delivery '{E0[16:25]}zzz'\n  Did you mean {E0}?\n",
    )
    for nonsense in ("nonsense", "x", "4", "--", "SiemAnomalies"):
        result = sent("deliveries", "show", "--", nonsense)
        assert (result.exit_code, "Did you mean" in result.stderr) == (1, False), nonsense
    result = sent("deliveries", "show", "msg_")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: several deliveries have 'msg_' in their id\n")
    assert "These match: msg_" in result.stderr


def test_a_webhook_that_is_none(sent: Run) -> None:
    result = sent("deliveries", "list", "--webhook", "Seim")
    assert (result.exit_code, result.stderr) == (1, "Error: there is no webhook named 'Seim'\n  Did you mean Siem?\n")


def test_replay_one(sent: Run, receiver: Receiver) -> None:
    result = sent("deliveries", "replay", E0[16:24])
    assert (result.exit_code, result.stdout) == (0, "1 replayed: 1 delivered.\n")
    (request,) = receiver.requests
    assert (request.path, request.header("webhook-id")) == ("/Siem", E0)
    shown = sent("deliveries", "show", E0).stdout
    assert shown.startswith(f"Delivery {E0}: delivered\n")
    assert "\nAttempt 1 at " in shown
    assert "\nAttempt 1 after replay 1 at " in shown


def test_replay_by_filter_and_by_what_is_applied_now(sent: Run, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "webhooks.d/Siem.yaml").write_text(
        WEBHOOK.format(name="Siem").replace(".com/Siem", ".com/fixed"), encoding="utf-8"
    )
    sent("apply", "--auto-approve")
    result = sent("deliveries", "replay", "--status", "dead", "--webhook", "Siem", "--yes", "--format", "json")
    document = json.loads(result.stdout)
    assert ([(one["id"], one["status"]) for one in document["replayed"]], document["left_alone"]) == (
        [(E0, "delivered")],
        [],
    )
    assert [request.path for request in receiver.requests] == ["/fixed"]


def test_a_filter_without_a_status_replays_the_dead_alone(sent: Run, receiver: Receiver) -> None:
    assert sent("deliveries", "replay", "--webhook", "Siem", "--yes").stdout == "1 replayed: 1 delivered.\n"
    assert len(receiver.requests) == 1


def test_what_was_delivered_is_replayed_when_named(sent: Run, receiver: Receiver) -> None:
    assert sent("deliveries", "replay", E1).exit_code == 0
    assert [request.header("webhook-id") for request in receiver.requests] == [E1]


def test_a_replay_that_fails(sent: Run, receiver: Receiver) -> None:
    receiver.answer("/Siem", Answer(500))
    result = sent("deliveries", "replay", E0)
    assert result.exit_code == 1
    assert "HTTP 500 Internal Server Error; schedule used up after 2 attempts" in result.stdout
    assert result.stdout.endswith("1 replayed: 1 dead.\n")


def test_a_replay_for_a_webhook_that_is_gone_is_cancelled(sent: Run, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "webhooks.d/Siem.yaml").unlink()
    sent("apply", "--auto-approve")
    result = sent("deliveries", "replay", E0)
    assert (result.exit_code, len(receiver.requests)) == (1, 0)
    assert result.stdout.endswith("1 replayed: 1 cancelled.\n")


def test_nothing_to_replay(sent: Run) -> None:
    result = sent("deliveries", "replay", "--status", "held")
    assert (result.exit_code, result.stdout) == (0, "Nothing to replay.\n")


@pytest.mark.parametrize("args", [[], [E0, "--status", "dead"]])
def test_replay_by_id_or_by_filter(sent: Run, args: list[str]) -> None:
    assert sent("deliveries", "replay", *args).exit_code == 64


def test_what_was_never_delivered_is_one_command(sent: Run) -> None:
    assert listed(sent, "--status", "undelivered") == [("e0", "Siem", "dead")]
    assert listed(sent, "--status", "undelivered", "--webhook", "Other") == []


def test_a_replay_as_planned_sends_what_was_sent(sent: Run, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "webhooks.d/Siem.yaml").write_text(
        WEBHOOK.format(name="Siem").replace('"event":', '"now":'), encoding="utf-8"
    )
    assert sent("apply", "--auto-approve").exit_code == 0
    for args in (["--as-planned"], []):
        assert sent("deliveries", "replay", E1, *args).exit_code == 0
    assert [json.loads(request.body) for request in receiver.requests] == [{"event": "e1"}, {"now": "e1"}]


def test_what_was_never_tried_cannot_be_replayed_as_planned(run: Run, receiver: Receiver, tmp_path: Path) -> None:
    hold(run, tmp_path)
    result = run("deliveries", "replay", E0, "--as-planned")
    assert (result.exit_code, receiver.count) == (1, 0)
    assert result.stdout.startswith(
        f"{E0} was not replayed: it was never tried, so it has no delivery plan to use again"
    )


def hold(run: Run, tmp_path: Path, *names: str) -> None:
    """Leave the deliveries of these events held, or else that of e0: Siem was held, its target had answered 410."""
    queue = SqliteQueue(tmp_path / ".hookctl/hookctl.db")
    applied = AppliedStore(tmp_path / ".hookctl/hookctl.db").read()
    queue.reconcile(applied)
    mock = load_plugins().event_types["anomaly"].mock
    for name in ("gone", *(names or ("e0",))):
        document = {**mock, "id": name}
        queue.enqueue(
            [Routed(Event(name, "anomaly", 1.0, document), (NewDelivery(delivery_id(name, 1.0, "Siem"), "Siem"),))],
            time.time(),
        )
    claimed, *_ = queue.claim(time.time(), 10, 60.0, {"Siem": 10})
    attempt = Attempt(
        plan_digest="d", number=1, started_at=1.0, request=None, response=None, failure=None, timing=Timing()
    )
    queue.finish(
        [Result(claimed, attempt, Outcome(DeliveryStatus.DEAD, "HTTP 410 Gone", hold=True), applied.serial)],
        time.time(),
    )
    queue.close()
    assert listed(run, "--status", "held") == [(name, "Siem", "held") for name in reversed(names or ("e0",))]


def test_resume_makes_what_was_held_due_and_list_says_so(run: Run, receiver: Receiver, tmp_path: Path) -> None:
    hold(run, tmp_path)
    listing = run("list").stdout
    assert "active, held" in listing
    assert "HTTP 410 Gone; 1 delivery waits. When the cause is fixed: hookctl deliveries resume Siem." in listing
    table = run("deliveries", "list", "--status", "held").stdout
    assert "the webhook is held: HTTP 410 Gone" in table
    assert "To send the held deliveries of Siem: hookctl deliveries resume Siem." in table
    (_, siem) = json.loads(run("list", "--format", "json").stdout)
    assert (siem["held"]["reason"], siem["held"]["deliveries"], siem["circuit"]) == ("HTTP 410 Gone", 1, None)
    assert siem["held"]["resume"] == "hookctl deliveries resume Siem"
    assert run("deliveries", "resume", "siem").stdout.startswith("Siem is resumed.")
    assert run("send", "-").exit_code == 0
    assert (receiver.count, listed(run, "--status", "held")) == (1, [])
    again = run("deliveries", "resume", "Siem")
    assert (again.exit_code, "'Siem' is not held" in again.stderr) == (1, True)
    assert run("deliveries", "resume", "Nobody").exit_code == 1
    assert "held" not in run("list").stdout


def test_a_circuit_is_seen_in_the_list(run: Run, tmp_path: Path) -> None:
    queue = SqliteQueue(tmp_path / ".hookctl/hookctl.db")
    queue.set_circuits({"Siem": Circuit("open", "HTTP 503 Service Unavailable", 1000.0, 1010.0)})
    queue.close()
    assert "active, circuit open" in run("list").stdout
    (other, siem) = json.loads(run("list", "--format", "json").stdout)
    assert (other["circuit"], siem["circuit"]) == (
        None,
        {"state": "open", "reason": "HTTP 503 Service Unavailable", "since": 1000.0, "until": 1010.0},
    )


def test_cancelled_is_what_waits_and_a_replay_brings_it_back(run: Run, receiver: Receiver, tmp_path: Path) -> None:
    hold(run, tmp_path)
    result = run("deliveries", "cancel", "--webhook", "Siem", "--yes")
    assert (result.exit_code, result.stdout) == (0, "1 cancelled.\n")
    assert listed(run, "--status", "cancelled") == [("e0", "Siem", "cancelled")]
    assert "cancelled by " in run("deliveries", "show", E0).stdout
    again = run("deliveries", "cancel", E0, "--format", "json")
    assert (again.exit_code, json.loads(again.stdout)) == (1, {"cancelled": [], "left_alone": [E0]})
    assert run("deliveries", "cancel", "--status", "waiting").stdout == "Nothing to cancel.\n"
    assert run("deliveries", "cancel", E0).stdout == f"{E0} was already cancelled; nothing to cancel.\n"
    nothing = "No dead deliveries match. Use --status to select others.\n"
    assert run("deliveries", "replay", "--since", "1ms").stdout == nothing
    assert run("deliveries", "resume", "Siem").exit_code == 0
    assert run("send", "-").exit_code == 0
    assert receiver.count == 0
    assert run("deliveries", "replay", E0).exit_code == 0
    assert receiver.count == 1


def test_what_another_process_has_replayed_during_the_prompt_is_left_alone(
    sent: Run, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def confirmed(*_: Any, **__: Any) -> bool:
        queue = SqliteQueue(tmp_path / ".hookctl/hookctl.db")
        assert queue.replay([E0], time.time()) == [E0]
        queue.close()
        return True

    monkeypatch.setattr(deliveries, "confirmed_deliveries", confirmed)
    result = sent("deliveries", "replay", "--status", "dead", "--wait", "0s")
    left = f"{E0} was not replayed: another process is trying it now, or has already replayed it.\n"
    assert (result.exit_code, result.stdout) == (1, f"{left}Nothing to replay.\n")
    assert [request.header("webhook-id") for request in receiver.requests] == [E0]  # by the other replay


def test_what_no_longer_has_the_selected_status_is_not_cancelled(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(run, tmp_path)

    def confirmed(*_: Any, **__: Any) -> bool:
        queue = SqliteQueue(tmp_path / ".hookctl/hookctl.db")
        assert queue.resume("Siem")
        queue.close()
        return True

    monkeypatch.setattr(deliveries, "confirmed_deliveries", confirmed)
    assert run("deliveries", "cancel", "--status", "held").stdout == "Nothing to cancel.\n"
    assert ("e0", "Siem", "waiting") in listed(run)


@pytest.mark.parametrize("args", [[], ["msg_x", "--status", "dead"]])
def test_cancel_by_id_or_by_filter(sent: Run, args: list[str]) -> None:
    assert sent("deliveries", "cancel", *args).exit_code == 64


def test_before_anything_was_sent_there_is_nothing_to_cancel_or_resume(run_cli: Run, tmp_path: Path) -> None:
    assert run_cli("deliveries", "cancel", "msg_x", cwd=tmp_path).exit_code == 1
    assert run_cli("deliveries", "resume", "Siem", cwd=tmp_path).exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_send_says_when_no_events_are_taken_in(run: Run, tmp_path: Path) -> None:
    (tmp_path / "hookctl.toml").write_text('[intake]\nmin_free = "900000TB"\n', encoding="utf-8")
    result = run("send", "-", stdin=json.dumps({**load_plugins().event_types["anomaly"].mock, "id": "e0"}))
    assert result.exit_code == 1
    assert result.stdout.startswith(
        "0 events read: 0 accepted, 0 bad, 0 seen before\nNot accepted: event e0 and all later ones: the store "
    )
    assert "Make room: free disk space" in result.stdout
    assert listed(run) == []


# -- filters and bulk actions ----------------------------------------------------------------------------------------


def test_filters_by_what_happened_and_by_the_event(sent: Run) -> None:
    (digest,) = {
        one["plan_digest"]
        for one in json.loads(sent("deliveries", "show", E0, "--format", "json").stdout)["attempts_made"]
    }
    dead = [("e0", "Siem", "dead")]
    assert listed(sent, "--cause", "400") == listed(sent, "--cause", "4XX") == dead
    assert listed(sent, "--cause", "timeout") == []
    assert {webhook for _, webhook, _ in listed(sent, "--plan", digest[:12])} == {"Siem"}
    assert len(listed(sent, "--event-id", "e0")) == 2
    assert listed(sent, "--event-id", "e0", "--status", "dead", "--event-type", "anomaly") == dead
    assert listed(sent, "--event-type", "other") == []
    assert len(listed(sent, "--attempts", "1")) == 4
    assert listed(sent, "--attempts", "2") == listed(sent, "--due-within", "1h") == []
    assert len(listed(sent, "--where", "id == 'e1'")) == 2
    assert listed(sent, "--until", "1h") == listed(sent, "--since", "2100-01-01") == []
    assert len(listed(sent, "--since", "2020-01-01", "--until", "2100-01-01")) == 4


def test_what_has_ended_is_not_offered_to_cancel(sent: Run) -> None:
    for filters in (("--status", "delivered"), ("--webhook", "Siem")):
        result = sent("deliveries", "cancel", *filters)
        assert (result.exit_code, result.stdout, result.stderr) == (0, "Nothing to cancel.\n", "")


@pytest.mark.parametrize("action", ["replay", "cancel"])
def test_a_bulk_action_shows_and_asks(run: Run, receiver: Receiver, tmp_path: Path, action: str) -> None:
    hold(run, tmp_path, *(f"e{number}" for number in range(7)))
    count = receiver.count
    result = run("deliveries", action, "--status", "held", "--reason", "why not")
    assert (result.exit_code, result.stdout, receiver.count) == (1, "", count)
    heading, titles, *rows = result.stderr.partition("Error: ")[0].splitlines()
    assert heading == "7 deliveries selected, the newest 5 of them:"
    assert titles.split()[:2] == ["ID", "STATUS"]
    assert [row.split()[3] for row in rows] == ["e6", "e5", "e4", "e3", "e2"]
    assert "Error: cannot ask for approval: standard input is not a terminal\n" in result.stderr
    assert [one["action"] for one in json.loads(run("log", "--format", "json").stdout)] == ["apply"]
    assert run("deliveries", action, "--status", "delivered").stderr == ""  # nothing to ask about


@pytest.mark.parametrize(("answer", "code", "said"), [(b"yes\n", 0, "2 cancelled.\n"), (b"y\n", 1, "")])
def test_a_bulk_action_on_a_terminal(run: Run, tmp_path: Path, answer: bytes, code: int, said: str) -> None:
    hold(run, tmp_path, "e0", "e1")
    keyboard, terminal = pty.openpty()
    os.write(keyboard, answer)
    command = [sys.executable, "-m", "hookctl", "deliveries", "cancel", "--webhook", "Siem"]
    ended = subprocess.run(command, cwd=tmp_path, stdin=terminal, capture_output=True, text=True, check=False)
    os.close(keyboard)
    os.close(terminal)
    assert (ended.returncode, ended.stdout) == (code, said)
    assert "Cancel these 2 deliveries? Only 'yes' is accepted: " in ended.stderr
    assert ended.stderr.endswith("Nothing was cancelled.\n") is (code == 1)


def test_a_bulk_action_has_a_limit(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hookctl.delivery.past.bulk.MOST", 3)
    hold(run, tmp_path, *(f"e{number}" for number in range(4)))
    cancelled = run("deliveries", "cancel", "--webhook", "Siem", "--yes")
    assert cancelled.stdout == "3 cancelled.\n"
    assert cancelled.stderr.startswith("The newest 3 of more deliveries selected; run the same command again for the")
    again = run("deliveries", "cancel", "--webhook", "Siem", "--yes")
    assert (again.stdout, again.stderr.splitlines()[0]) == ("1 cancelled.\n", "1 delivery selected:")
