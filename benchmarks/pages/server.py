"""Times each page of a real ``hookctl serve`` over HTTP, with the CPU time that the server used for it."""

from __future__ import annotations

import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode

HOOKCTL = str(Path(sys.executable).parent / "hookctl")
TARGET_MS = 50.0
STATUSES = ("waiting", "retrying", "held", "dead", "delivered", "cancelled")


class Server(NamedTuple):
    """A process that serves the large store."""

    pid: int
    connection: HTTPConnection
    token: str

    def get(self, path: str) -> str:
        """The body of a page. Exits on any status but 200."""
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}", "Accept": "text/html"})
        answer = self.connection.getresponse()
        body = answer.read().decode()
        if answer.status != 200:
            sys.exit(f"{path}: {answer.status}\n{body}")
        return body

    def cpu_seconds(self) -> float:
        """What all threads of the process have used: user and system."""
        files = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(file.read_text().split()[0]) for file in files) / 1e9


@contextmanager
def serving(store: Path, root: Path) -> Iterator[Server]:
    """`hookctl serve` on a store, in an empty directory."""
    (root / "webhooks.d").mkdir(exist_ok=True)
    common = [HOOKCTL, "--store", f"sqlite:///{store.absolute()}"]
    create = [*common, "tokens", "create", f"pages-{time.time_ns()}", "--scope", "operate", "--scope", "read"]
    token = subprocess.run(create, cwd=root, check=True, capture_output=True, text=True).stdout.strip()
    command = [*common, "serve", "--listen", "127.0.0.1:0"]
    run = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert run.stderr
    try:
        line = run.stderr.readline()
        if not line.startswith("Serving "):
            sys.exit(line + run.stderr.read())
        with closing(HTTPConnection("127.0.0.1", int(line.rpartition(":")[2]), timeout=60)) as connection:
            yield Server(run.pid, connection, token)
    finally:
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=60)


def paths(store: Path) -> Iterator[tuple[str, str]]:
    """Every kind of page, with each of its filters and orders."""
    with closing(sqlite3.connect(store)) as connection:

        def one(query: str) -> str:
            return str(connection.execute(query).fetchone()[0])

        busy = one("SELECT webhook FROM recent ORDER BY succeeded + failed DESC LIMIT 1")
        rare = one("SELECT webhook FROM recent ORDER BY succeeded + failed LIMIT 1")
        event = one("SELECT id FROM events ORDER BY seq DESC LIMIT 1 OFFSET 5000")
        delivered = one("SELECT id FROM deliveries WHERE status = 'delivered' ORDER BY seq DESC LIMIT 1 OFFSET 5000")
        dead = one("SELECT id FROM deliveries WHERE status = 'dead' ORDER BY created_at DESC LIMIT 1 OFFSET 5000")
        middle = one("SELECT received_at FROM events ORDER BY seq LIMIT 1 OFFSET 100000")
        cause = one("SELECT cause FROM deliveries WHERE status = 'dead' AND cause IS NOT NULL LIMIT 1")
        serial = one("SELECT max(serial) / 2 FROM applies")
    yield "all", "/"
    yield "page 150", "/?page=150"
    for sort in ("event", "host", "waiting", "retrying", "dead", "held", "success", "p50", "p95"):
        yield f"by {sort}", f"/?sort={sort}"
        yield f"by {sort}, turned, page 100", f"/?sort=-{sort}&page=100"
    for state in ("active", "inactive", "held", "circuit", "waiting", "dead", "failing"):
        yield f"state {state}", f"/?state={state}"
    yield "label, event and words, by p95", "/?label=team=team-07&event=alert&q=host&sort=p95"
    yield "words that none has", "/?q=zzzz"
    for name, webhook in (("busy", busy), ("rare", rare)):
        yield f"of a {name} webhook", f"/webhooks/{webhook}"
    now = time.time()
    filters: dict[str, dict[str, str]] = {
        "all": {},
        "busy webhook": {"webhook": busy},
        "rare webhook": {"webhook": rare},
        "no webhook": {"webhook": "none"},
        "busy webhook, one old day": {"webhook": busy, "since": iso(now - 9 * 86400), "until": iso(now - 8 * 86400)},
        "rare webhook, delivered": {"webhook": rare, "status": "delivered"},
        **{f"status {one}": {"status": one} for one in STATUSES},
        **{f"busy webhook, {one}": {"webhook": busy, "status": one} for one in ("retrying", "dead", "cancelled")},
        "one old day": {"since": iso(now - 9 * 86400), "until": iso(now - 8 * 86400)},
        "since 30d": {"since": "30d"},
        "cause 404": {"cause": "404"},
        "cause 5xx": {"cause": "5xx"},
        "cause timeout": {"cause": "timeout"},
        "cause that none has": {"cause": "418"},
        "event type": {"event-type": "audit"},
        "event type that none has": {"event-type": "none"},
        "event id": {"event-id": event},
        "plan that none has": {"plan": "0123456789ab"},
        "JMESPath that all pass": {"where": "data.severity == 'high'"},
        "JMESPath that none passes": {"where": "data.severity == 'low' && contains(keys(data), 'n')"},
        "JMESPath that one in 100 passes": {"where": "ends_with(id, '42')"},
        "JMESPath, 5xx, dead": {"where": "data.severity == 'low'", "cause": "5xx", "status": "dead"},
        "group": {"group": f"dead-{cause}", "status": "dead"},
        "group of a rare webhook": {"group": f"dead-{cause}", "webhook": rare},
    }
    for name, which in filters.items():
        yield f"deliveries: {name}", f"/deliveries?{urlencode(which)}"
    position = f"{float(middle)!r}_100000"
    yield "deliveries: all, deep", f"/deliveries?before={position}"
    yield "deliveries: rare webhook, deep", f"/deliveries?webhook={quote(rare)}&before={position}"
    yield "deliveries: JMESPath that none passes, deep", f"/deliveries?where=data.x&before={position}"
    yield "delivery: delivered", f"/deliveries/{delivered}"
    yield "delivery: dead", f"/deliveries/{dead}"
    yield "event", f"/events/{event}"
    yield "event: a page further", f"/events/{event}?after=team-20-00020"
    yield "undelivered", "/undelivered"
    yield "undelivered: dead", "/undelivered?status=dead"
    yield "undelivered: of a webhook", f"/undelivered?webhook={quote(busy)}"
    yield "confirm: a group", f"/actions/replay?group=dead-{cause}&status=dead"
    yield "confirm: a webhook's dead letters", f"/actions/replay?webhook={quote(busy)}&status=dead"
    yield "confirm: hold", f"/actions/hold?webhook={quote(busy)}"
    yield "history", "/history"
    yield "history: deep", f"/history?before={float(middle)!r}~1~1"
    yield "history: of one action", "/history?action=apply"
    yield "history: what none has", "/history?q=zzzz"
    yield "apply: of 10,000 changes", "/history/1"
    yield "apply: of 10,000 changes, further", "/history/1?after=team-20-00020"
    yield "apply: of one change", f"/history/{serial}"
    yield "GET /v1/events/{id}", f"/v1/events/{event}"
    yield "GET /v1/openapi.json", "/v1/openapi.json"
    yield "GET /metrics", "/metrics"
    yield "GET /readyz", "/readyz"


def iso(at: float) -> str:
    """A time as addresses have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def measure(server: Server, path: str, rounds: int, idle: float) -> tuple[float, float, float, float, int]:
    """Milliseconds of the first request, at the median, at the 95th percentile and of CPU; and KiB of the page.

    ``idle`` is the share of a CPU that the server uses without requests. It does not count.
    """
    started = time.perf_counter()
    size = len(server.get(path))
    first = (time.perf_counter() - started) * 1e3
    wall, before, begun = [], server.cpu_seconds(), time.perf_counter()
    for _ in range(rounds):
        started = time.perf_counter()
        server.get(path)
        wall.append((time.perf_counter() - started) * 1e3)
    used = server.cpu_seconds() - before - idle * (time.perf_counter() - begun)
    return first, statistics.median(wall), sorted(wall)[int(rounds * 0.95)], max(used, 0.0) / rounds * 1e3, size // 1024


def settled(server: Server) -> float:
    """The share of a CPU that the server uses without requests, once it has started up."""
    until = time.monotonic() + 15
    while True:
        started, before = time.perf_counter(), server.cpu_seconds()
        time.sleep(3)
        idle = (server.cpu_seconds() - before) / (time.perf_counter() - started)
        if idle < 0.2 or time.monotonic() > until:
            return idle


def report(store: Path, root: Path, rounds: int, only: str = "") -> None:
    """Print a table of every page."""
    with serving(store, root) as server:
        idle = settled(server)
        print(f"\nWithout requests, the server uses {idle * 1e3:.0f} ms of CPU in a second. It is not in the table.")
        print("\n| page | first, ms | median, ms | p95, ms | CPU, ms | KiB | |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for name, path in paths(store):
            if only in name:
                first, median, p95, cpu, size = measure(server, path, rounds, idle)
                over = "over" if cpu > TARGET_MS else "slow" if median > TARGET_MS else ""
                print(f"| {name} | {first:.0f} | {median:.1f} | {p95:.1f} | {cpu:.1f} | {size} | {over} |", flush=True)
