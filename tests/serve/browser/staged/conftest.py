"""A store as that of a small team after a day with some trouble: what the pages and their pictures show."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from hookctl.config.diff import make_plan
from hookctl.config.directory import check_directory
from hookctl.delivery.past.bulk import audit_entry
from hookctl.delivery.rehearsal.render import render_request
from hookctl.delivery.runner.route import Router
from hookctl.model import (
    Attempt,
    DeliveryPlan,
    DeliveryStatus,
    Event,
    Failure,
    FailureKind,
    Mismatch,
    Response,
    Timing,
    Verdict,
)
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins
from hookctl.store.records import Circuit, Claimed, Filter, Outcome, Result
from hookctl.store.sqlite.store import SqliteStore
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

HOUR, DAY = 3600.0, 86400.0
COMMITS = ("4be61b0f53d1c0a89d27e6f1b3c5a7089e4d2f61", "a91f3c7de25b8840c6d1f7e93b0a5246d8c07e1b")
FIRST = {
    "siem": """\
name: SIEM
description: Every anomaly, for correlation
labels: {team: security}
event: anomaly
url: https://siem.example.com/ingest
auth: {type: bearer, token: "${env:SIEM_TOKEN}"}
body_template: |
  {
    "severity": "{{ data.severity }}",
    "title": "{{ data.title }}",
    "requester": "{{ data.requester.email }}"
  }
""",
    "incidents": """\
name: Incident responders
description: High severity only, as incidents with a person on call
labels: {team: incident-response}
event: anomaly
url: https://incidents.example.com/v2/incidents
auth: {type: headers, headers: {X-Api-Key: "${env:INCIDENTS_KEY}"}}
when: data.severity == 'High'
body_template: |
  {"summary": "{{ data.title }} ({{ data.request.friendly_id }})", "source": {{ data.integration }}}
""",
    "tickets": """\
name: Ticket system
description: A ticket for each anomaly that someone should look at
labels: {team: it}
event: anomaly
method: PUT
url: https://tickets.example.com/api/tickets
auth: {type: basic, username: hookctl, password: "${env:TICKETS_PASSWORD}"}
when: contains(['High', 'Medium'], data.severity)
body_template: |
  {"subject": "[{{ data.severity }}] {{ data.title }}", "resource": {{ data.resource.name }}}
response_validators:
  - json_path: $.data.status
    expected_values: [accepted, queued]
""",
    "warehouse": """\
name: Data warehouse
labels: {team: data}
event: anomaly
url: https://lake.example.com/v1/rows
auth: {type: bearer, token: "${env:LAKE_TOKEN}"}
body_template: |
  {{ data }}
""",
    "archive": """\
name: Audit archive
description: Waits for the archive team to open its gate
labels: {team: compliance}
event: anomaly
status: inactive
url: https://audit.example.com/records
body_template: |
  {"id": "{{ id }}", "record": {{ data }}}
""",
    "review": """\
name: Audit review
description: What inactive users ask for, to the reviewers' own queue
labels: {team: compliance}
event: anomaly
url: https://audit.example.com/reviews
when: data.type == 'request_from_inactive_user'
body_template: |
  {"who": {{ data.requester }}, "what": {{ data.request }}}
""",
}
CHAT = """\
name: Chat alerts
description: A message to the channel of whoever is on call
labels: {team: incident-response}
event: anomaly
url: https://chat.example.com/hooks/oncall
when: data.severity == 'High'
body_template: |
  {"text": "{{ data.title }}, requested by {{ data.requester.name }}"}
"""
PEOPLE = ("Dana Levi", "Noor Haddad", "Jonas Weber", "Mei Tanaka", "Amara Okafor", "Luis Ortega")
RESOURCES = ("orders", "payroll", "customers", "billing-exports", "kubernetes-prod")
TITLES = {
    "High": "High-risk request for production data",
    "Medium": "Request outside of usual hours",
    "Low": "First request for this resource",
}
KINDS = {"High": "high_risk_request", "Medium": "unusual_hours", "Low": "first_request"}
UNKNOWN: Any = {"error": "channel_not_found"}
REFUSED = {"data": {"status": "rejected", "reason": "the field resource is read-only"}}


@dataclass
class Stage:
    """Writes into a store what a runner would have written at the time."""

    store: SqliteStore
    plugins: Plugins
    directory: Path
    now: float
    """Epoch seconds; the end of the day."""
    random: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - the same data each time
    tries: Counter[str] = field(default_factory=Counter)

    def apply(self, files: Mapping[str, str], at: float, who: str, commit: str) -> None:
        for name, text in files.items():
            (self.directory / f"{name}.yaml").write_text(text, encoding="utf-8")
        with patch("time.time", return_value=at):
            checked = check_directory(self.directory, self.plugins)
            assert checked.valid, checked.findings
            plan = make_plan(self.store.read_state(), checked.plans, {})
            self.store.reconcile(self.store.apply(plan, applied_by=who, commit=commit))

    def events(self, start: float, seconds: float, count: int) -> None:
        """Events at even distances, each delivered as far as its target is well at that time."""
        mock = self.plugins.event_types["anomaly"].mock
        router = Router(self.store.read_state())
        for number in range(count):
            at = start + number * seconds / count
            self.store.enqueue([router.route(self._event(mock, at))], at)
        self._deliver(start + seconds - 1)

    def _event(self, mock: Mapping[str, Any], at: float) -> Event:
        severity = self.random.choices(["High", "Medium", "Low"], [3, 4, 5])[0]
        who, resource = self.random.choice(PEOPLE), self.random.choice(RESOURCES)
        number = self.tries["event"] = self.tries["event"] + 1
        request = {**mock["data"]["request"], "friendly_id": f"AR-{1200 + number}"}
        requester = {**mock["data"]["requester"], "name": who, "email": f"{who.lower().replace(' ', '.')}@example.com"}
        of_resource = {**mock["data"]["resource"], "name": resource}
        values = {"severity": severity, "type": KINDS[severity], "title": TITLES[severity]}
        data = {**mock["data"], **values, "request": request, "requester": requester, "resource": of_resource}
        event_id = f"evt_{4200 + number}"
        return Event(event_id, "anomaly", at, {"id": event_id, "event_type": "anomaly", "event_time": at, "data": data})

    def _deliver(self, now: float) -> None:
        """Make every attempt that is due, in two commits for all of them, since each waits for the disk."""
        state = self.store.read_state()
        with patch("time.time", return_value=now):
            is_due = True
            while is_due:
                results = []
                for claimed in self.store.claim(now, 100, 60, dict.fromkeys(state.plans, 100)):
                    plan = state.plans[claimed.delivery.webhook]
                    attempt, outcome = self._attempt(
                        plan, claimed, max(claimed.delivery.created_at, claimed.replayed_at or 0.0)
                    )
                    results.append(Result(claimed, attempt, outcome, state.serial, plan))
                self.store.finish(results, now)
                is_due = any(one.outcome.due_at is not None and one.outcome.due_at <= now for one in results)

    def _attempt(self, plan: DeliveryPlan, claimed: Claimed, at: float) -> tuple[Attempt, Outcome]:
        outcome, response, *mismatches = self._result(plan, claimed, self.now - at)
        verdicts = (Verdict("json_path $.data.status", tuple(mismatches)),) if plan.response_validators else ()
        total = self.random.lognormvariate(-2.4, 0.5) if response else 15.0
        attempt = Attempt(
            plan_digest=plan.digest,
            number=claimed.delivery.attempts + 1,
            started_at=at,
            request=render_request(plan, claimed.document, self.plugins, claimed.delivery.id, at),
            response=response,
            failure=None if response else Failure(FailureKind.TIMEOUT, "no answer within 15 s"),
            timing=Timing(0.002, 0.012, 0.031, 0.031 + total * 0.9 if response else None, 0.032 + total),
            verdicts=verdicts,
        )
        return attempt, outcome

    def _result(self, plan: DeliveryPlan, claimed: Claimed, age: float) -> Any:
        """The outcome, the response and its mismatches of an attempt that was made ``age`` seconds before the end."""
        status, is_high = DeliveryStatus, '"High"' in json.dumps(claimed.document)
        match plan.name:
            case "Incident responders" if age < 2400:
                later = self.now + 1500 + self.random.random() * 1800
                body = {"message": "upstream is not available"}
                outcome = Outcome(status.RETRYING, "HTTP 503 Service Unavailable", later)
                return outcome, _answer(503, "Service Unavailable", body)
            case "Chat alerts" if age < 3 * HOUR:
                return Outcome(status.DEAD, "HTTP 404 Not Found"), _answer(404, "Not Found", UNKNOWN)
            case "Ticket system" if 3 * HOUR < age < 8 * HOUR and is_high:
                reason = "'rejected' is not one of accepted, queued"
                mismatch = Mismatch("json_path $.data.status", reason)
                return Outcome(status.DEAD, f"json_path $.data.status: {reason}"), _answer(200, "OK", REFUSED), mismatch
            case "Data warehouse" if age < 1.5 * HOUR:
                body = {"error": "the token has expired"}
                outcome = Outcome(status.HELD, "HTTP 401 Unauthorized", hold=True)
                return outcome, _answer(401, "Unauthorized", body)
            case "SIEM" if 9 * HOUR < age < 10 * HOUR and claimed.delivery.attempts == 0:
                return Outcome(status.RETRYING, "timeout: no answer within 15 s", self.now - age), None
        return Outcome(status.DELIVERED), _answer(200, "OK", {"data": {"status": "accepted"}})

    def act(self, at: float) -> None:
        """What people did: some dead letters were replayed, and a webhook was held for a while."""
        with patch("time.time", return_value=at):
            reason = "The ticket system takes the field again"
            ids = [one.id for one in self.store.deliveries(Filter(webhook="Ticket system"))[:3]]
            self.store.replay(ids, at, audit=audit_entry("ada@laptop", "replay", f"{ids[0]} and 2 more", reason))
            plan = self.store.read_state().plans["SIEM"]
            held = audit_entry("sam@laptop", "hold", "SIEM", "maintenance")
            self.store.hold(plan, "by sam@laptop: maintenance", at, held)
            self.store.resume("SIEM", audit_entry("sam@laptop", "resume", "SIEM", "maintenance is over"))
        self._deliver(at)


def _answer(status: int, reason: str, body: Any) -> Response:
    return Response(status, reason, (("Content-Type", "application/json"),), json.dumps(body).encode())


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    return load_plugins()


@pytest.fixture(scope="session")
def staged(
    tmp_path_factory: pytest.TempPathFactory,
    serve: Callable[..., Any],
    plugins: Plugins,
    in_project: Callable[..., str],
) -> Iterator[Any]:
    """A server of the store. Its webhooks fail in several ways, and nothing is due within the next minutes."""
    root = tmp_path_factory.mktemp("staged")
    (root / "webhooks.d").mkdir()
    (root / ".hookctl").mkdir()
    now = time.time()
    store = SqliteStore(root / ".hookctl/hookctl.db")
    stage = Stage(store, plugins, root / "webhooks.d", now)
    first = {**FIRST, "siem": FIRST["siem"].replace("/ingest", "/v1/ingest")}
    stage.apply(first, now - 6 * DAY, "ada@laptop", COMMITS[0])
    stage.apply({"siem": FIRST["siem"], "chat": CHAT}, now - 26 * HOUR, "deploy@ci", COMMITS[1])
    for hour in range(24, 0, -1):
        stage.events(now - hour * HOUR, HOUR, 4 + hour * 5 % 9)
    stage.act(now - 2 * HOUR)
    reason = "5 attempts in a row failed: HTTP 503 Service Unavailable"
    store.set_circuits({"Incident responders": Circuit("open", reason, now - 900, now + 1500)})
    while store.count_attempts(now).counted < store.progress().last:
        pass
    store.close()
    with Receiver(hosts=("siem.example.com", "chat.example.com")) as receiver:
        receiver.answer("/hooks/oncall", Answer.json(UNKNOWN, 404))
        reader = in_project(root, "tokens", "create", "pages", "--scope", "read", "--scope", "intake")
        operator = in_project(root, "tokens", "create", "ada", "--scope", "operate")
        served = serve(root, receiver, SIEM_TOKEN="canary")
        served.token, served.operator = reader, operator
        yield served


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory, serve: Callable[..., Any], plugins: Plugins) -> Iterator[Any]:
    """A server that has got no event yet, and whose only webhook was removed: it does not start without any."""
    root = tmp_path_factory.mktemp("empty")
    (root / "webhooks.d").mkdir()
    (root / ".hookctl").mkdir()
    store = SqliteStore(root / ".hookctl/hookctl.db")
    stage = Stage(store, plugins, root / "webhooks.d", time.time())
    stage.apply({"archive": FIRST["archive"]}, stage.now, "ada@laptop", COMMITS[0])
    with Receiver() as receiver:
        served = serve(root, receiver)
        store.apply(make_plan(store.read_state(), {}, {}))
        store.close()
        yield served
