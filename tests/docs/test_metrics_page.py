"""docs/metrics.md describes every metric, and the dashboard and the alerts use only metrics that exist.

promtool, which Debian's package prometheus contains, checks the alerts and a scrape.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hookctl.delivery.metrics.counters import Metrics
from hookctl.model import (
    Action,
    Attempt,
    Change,
    Delivery,
    DeliveryStatus,
    Failure,
    FailureKind,
    Plan,
    Timing,
)
from hookctl.report.metrics.exposition import Exposition
from hookctl.store.records import Claimed, Outcome, Result
from hookctl.store.sqlite.store import SqliteStore

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "metrics.md").read_text(encoding="utf-8")
ALERTS = (DOCS / "monitoring/alerts.yaml").read_text(encoding="utf-8")
DASHBOARD = json.loads((DOCS / "monitoring/dashboard.json").read_text(encoding="utf-8"))
ROW = re.compile(r"^\| `((?:hookctl|process)_\w+)` \|([^|]*)\|", re.MULTILINE)
USED = re.compile(r"\b((?:hookctl|process)_\w+)(?:\{([^}]*)\})?")
SUFFIX = re.compile(r"_(bucket|sum|count)$")
NEEDS_PROMTOOL = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory, delivery_plan: Callable[..., Any]) -> str:
    """A scrape in which every metric has a sample."""
    path = tmp_path_factory.mktemp("scrape") / "hookctl.db"
    with closing(SqliteStore(path)) as store:
        store.apply(Plan(0, (Change("Siem", Action.CREATE, None, delivery_plan("Siem")),), {}, {}, {}))
    metrics = Metrics()
    failure = Failure(FailureKind.TIMEOUT, "the deadline passed")
    attempt = Attempt(
        plan_digest="d", number=1, started_at=2.0, request=None, response=None, failure=failure, timing=Timing()
    )
    delivery = Delivery("d1", "e1", "Siem", DeliveryStatus.WAITING, 0, 0.0, "", 1.0)
    metrics.add_results([Result(Claimed(delivery, {}, 1), attempt, Outcome(DeliveryStatus.DEAD, "timeout"), 1)])
    metrics.add_request("GET", "/metrics", 200, 0.1)
    metrics.add_undecided(["Siem"])
    metrics.rejected["event-schema"] += 1
    with closing(Exposition(metrics, ["anomaly"], lambda: SqliteStore(path))) as exposition:
        return exposition.text("")[0].decode()


@pytest.fixture(scope="module")
def labels_of(scraped: str) -> dict[str, set[str]]:
    """The names of the labels of each metric; a histogram has those of its samples but ``le``."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(scraped):
        for sample in family.samples:
            name = SUFFIX.sub("", sample.name) if family.type == "histogram" else sample.name
            found.setdefault(name, set()).update(sample.labels.keys() - {"le"})
    return found


def expressions() -> Iterator[str]:
    """Every expression of the dashboard and of the alerts."""
    yield from re.findall(r"expr: (.*)", ALERTS)
    pending: list[Any] = [DASHBOARD]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            yield from [text for key, text in value.items() if key in {"expr", "query"} and isinstance(text, str)]
            pending += value.values()
        elif isinstance(value, list):
            pending += value


def test_every_metric_is_documented_with_its_labels_and_no_other_is(labels_of: dict[str, set[str]]) -> None:
    documented = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in ROW.findall(PAGE)}
    assert documented == labels_of


def test_the_dashboard_and_the_alerts_use_only_metrics_and_labels_that_exist(labels_of: dict[str, set[str]]) -> None:
    used = [(SUFFIX.sub("", name), labels) for text in expressions() for name, labels in USED.findall(text)]
    assert len(used) > 30
    assert {name for name, _ in used} <= labels_of.keys()
    for name, labels in used:
        matched = set(re.findall(r"(\w+)(?:=|!=|=~|!~)\"", labels)) - {"job"}
        assert matched <= labels_of[name], name


def test_the_dashboard_shows_every_metric_of_hookctl(labels_of: dict[str, set[str]]) -> None:
    text = json.dumps(DASHBOARD)
    assert [name for name in labels_of if name.startswith("hookctl_") and name not in text] == []


def test_every_panel_of_the_dashboard_has_its_place() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for grid in (panel["gridPos"] for panel in panels)
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23


def test_every_alert_is_documented() -> None:
    alerts = re.findall(r"alert: (\w+)", ALERTS)
    assert len(alerts) == 5
    assert re.findall(r"^\| `(Hookctl\w+)` \|", PAGE, re.MULTILINE) == alerts


def promtool(*args: str, cwd: Path, stdin: str = "") -> str:
    done = subprocess.run(["promtool", *args], cwd=cwd, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@NEEDS_PROMTOOL
def test_promtool_finds_nothing_wrong_with_a_scrape(scraped: str, tmp_path: Path) -> None:
    assert promtool("check", "metrics", cwd=tmp_path, stdin=scraped) == ""


@NEEDS_PROMTOOL
def test_each_alert_fires_for_its_cause_and_not_before(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text(ALERTS, encoding="utf-8")
    (tmp_path / "test.yaml").write_bytes((Path(__file__).parent / "data/alerts_test.yaml").read_bytes())
    assert "SUCCESS: 5 rules found" in promtool("check", "rules", "alerts.yaml", cwd=tmp_path)
    assert "SUCCESS" in promtool("test", "rules", "test.yaml", cwd=tmp_path)


@NEEDS_PROMTOOL
def test_every_expression_of_the_dashboard_is_one_that_prometheus_understands(tmp_path: Path) -> None:
    texts = [text for text in expressions() if "hookctl_" in text or "process_" in text]
    rules = [
        {"record": f"r{number}", "expr": text.replace("$__rate_interval", "5m").replace("$", "")}
        for number, text in enumerate(texts)
        if not text.startswith("label_values(")
    ]
    (tmp_path / "rules.json").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", "rules.json", cwd=tmp_path)
