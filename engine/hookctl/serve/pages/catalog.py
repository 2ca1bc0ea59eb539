"""What is applied, kept in memory from one request to the next, because reading ten thousand webhooks takes a while."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from hookctl.model import DeliveryPlan, Rename, Status
from hookctl.model.change import by_name
from hookctl.on_demand import known_plans
from hookctl.report.text.printable import printable
from hookctl.report.text.webhooks import host_of_plan

if TYPE_CHECKING:
    from hookctl.store.history import Routes
    from hookctl.store.interface import Store
    from hookctl.store.overviews import Ranking

RANKING_SECONDS = 1.0
KEPT_ROUTES = 4
"""Serials of which it is kept how events were routed then. Most events that people look at are of the newest ones."""


@dataclass(frozen=True, slots=True)
class Row:
    """A webhook in the list."""

    name: str
    digest: str
    event: str
    method: str
    host: str
    auth: tuple[str, ...]
    """The types of its auth blocks."""
    labels: Mapping[str, str]
    is_active: bool
    text: str
    """What a search looks at, in lower case."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What one apply left."""

    serial: int
    rows: Mapping[str, Row]
    """In order of name."""
    plans: Mapping[str, DeliveryPlan]
    events: Sequence[str]
    """The event types of the webhooks, in order."""
    labels: Sequence[str]
    """Their labels, ``key=value``, in order; without those whose characters would hide or reorder others."""
    active: int
    """How many webhooks are active."""
    unreadable: Mapping[str, str]
    """The webhooks that are applied but damaged in the store, with the reason."""
    renames: tuple[Rename, ...]


class Catalog:
    """Reads the applied state again only after an apply, and then only the webhooks that it changed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._applied: Applied | None = None
        self._routes: dict[int, Routes] = {}
        """By serial, the last used at the end."""

    def read(self, store: Store) -> Applied:
        """What is applied now. May be called on any thread. Raises StoreError."""
        with self._lock:  # one thread reads, and the others wait for it instead of doing the same
            known = self._applied
            if known is None or known.serial != store.serial():
                known = self._applied = _read(store, known.rows if known else {})
            return known

    def routes_at(self, store: Store, at: float) -> Routes:
        """See :meth:`hookctl.store.events_interface.Log.routes_at`. May be called on any thread. Raises StoreError."""
        with self._lock:
            serial = store.serial_at(at)
            routes = self._routes.pop(serial, None) or store.routes_at(at)
            self._routes[routes.serial] = routes
            while len(self._routes) > KEPT_ROUTES:
                del self._routes[next(iter(self._routes))]
            return routes


class Rankings:
    """What webhooks are sorted and counted by, at most a second old, so that a busy server does not count all over."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[Ranking, tuple[float, Mapping[str, float]]] = {}
        """Each with the time at which it was read, on the clock that nobody sets."""

    def read(self, store: Store, by: Ranking) -> Mapping[str, float]:
        """See :meth:`hookctl.store.pages_interface.Overviews.ranking`. May be called on any thread."""
        with self._lock:
            read_at, ranking = self._known.get(by, (float("-inf"), {}))
            if time.monotonic() - read_at >= RANKING_SECONDS:
                ranking = store.ranking(by)
                self._known[by] = time.monotonic(), ranking
            return ranking


def _read(store: Store, rows: Mapping[str, Row]) -> Applied:
    state = store.read_state()
    plans = known_plans(state.plans)
    found = {}
    for name in sorted(plans, key=by_name):
        row = rows.get(name)
        found[name] = row if row and row.digest == plans.digests[name] else _row(plans[name])
    labels = {f"{key}={value}" for row in found.values() for key, value in row.labels.items()}
    return Applied(
        state.serial,
        found,
        plans,
        sorted({row.event for row in found.values()}),
        [label for label in sorted(labels) if printable(label) == label],
        sum(row.is_active for row in found.values()),
        state.unreadable,
        state.renames,
    )


def _row(plan: DeliveryPlan) -> Row:
    host = host_of_plan(plan)
    auth = tuple(block.type for block in plan.auth)
    labels = [f"{key}={value}" for key, value in plan.labels.items()]
    words = (plan.name, plan.event, plan.method, host, plan.description or "", *auth, *labels)
    return Row(
        plan.name,
        plan.digest,
        plan.event,
        plan.method,
        host,
        auth,
        plan.labels,
        plan.status is Status.ACTIVE,
        "\n".join(words).lower(),
    )
