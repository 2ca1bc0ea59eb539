"""What an action is about: deliveries by id or by filters, or the webhooks that they are for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookctl.delivery.past.bulk import MOST, named_deliveries
from hookctl.model import DeliveryStatus
from hookctl.report.text.selection import options_text
from hookctl.serve.deliveries.done import OF_WEBHOOKS
from hookctl.serve.deliveries.query import Query, read
from hookctl.store.records import UNENDED, Filter

if TYPE_CHECKING:
    from starlette.datastructures import ImmutableMultiDict

    from hookctl.model import Delivery
    from hookctl.store.interface import Store
    from hookctl.store.records import Hold

MOST_IDS = 500
"""The most deliveries that are selected by id."""
LONGEST_REASON = 500
DEFAULT: Mapping[str, Collection[DeliveryStatus] | None] = {"replay": {DeliveryStatus.DEAD}, "cancel": UNENDED}
"""The statuses that filters select if they name none, by action; without a row: every one."""
AMONG: Mapping[str, Collection[DeliveryStatus]] = {"cancel": UNENDED}
"""The statuses that an action can do anything about; without a row: every one."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What someone asks for, in an address or in the form that confirms it."""

    action: str
    ids: Sequence[str]
    """The ids that were chosen. Empty: what the filters select."""
    query: Query
    seen: Collection[DeliveryStatus]
    """The statuses of the chosen ids when they were shown for confirmation. Empty before that."""
    as_planned: bool
    """Replay by the delivery plan of the last attempt."""
    reason: str
    count: int
    """How many were shown for confirmation; -1 before that."""

    @property
    def names_a_webhook(self) -> bool:
        """Whether it is about one webhook, and not about deliveries."""
        return self.action in OF_WEBHOOKS and not self.ids and set(self.query.texts) - {"until"} == {"webhook"}

    @property
    def is_clear(self) -> bool:
        """Whether it selects anything: an action never means every delivery there is."""
        return bool(self.ids) or (self.query.is_given and not self.query.errors)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is selected now."""

    deliveries: Sequence[Delivery]
    """Newest first; only some of them where it is shown for confirmation."""
    total: int
    """How many there are."""
    has_more: bool
    """There are more, which are older."""
    statuses: Collection[DeliveryStatus] | None
    """Only deliveries that still have one of these are changed; None: whatever their status."""
    webhooks: Sequence[str]
    """The names of their webhooks, each once."""
    holds: Mapping[str, Hold]
    """Those of the webhooks that are held."""
    what: str
    """For the audit log."""

    def count(self, action: str) -> int:
        """How many things the action is about."""
        return len(self.webhooks) if action in OF_WEBHOOKS else self.total


def wanted(action: str, given: ImmutableMultiDict[str, str], now: float) -> Wanted:
    """What the parameters of an address or the fields of a form ask for. Never raises."""
    known = {status.value: status for status in DeliveryStatus}
    count = given.get("count", "")
    return Wanted(
        action=action,
        ids=list(dict.fromkeys(given.getlist("id")))[:MOST_IDS],
        query=read(given, now),
        seen={known[text] for text in given.getlist("seen") if text in known},
        as_planned=given.get("plan-of", "") == "then",
        reason=" ".join(given.get("reason", "").split())[:LONGEST_REASON],
        count=int(count) if count.isascii() and count.isdecimal() and len(count) <= len(str(MOST)) else -1,
    )


def choose(store: Store, asked: Wanted, sample: int | None = None) -> Chosen:
    """What is selected now. Raises HookctlError for a condition that is not valid.

    ``sample`` is for showing it: of what filters select, only so many deliveries are read, and the others are counted.
    """
    among = AMONG.get(asked.action)
    if asked.ids:
        found = store.deliveries(Filter(ids=asked.ids))
        statuses = asked.seen or {one.status for one in found}
        statuses = statuses if among is None else set(statuses).intersection(among)
        found = [one for one in found if one.status in statuses]
        return _chosen(store, found, statuses, named_deliveries(asked.ids))
    what = options_text(asked.query.selection)
    if asked.names_a_webhook:
        name = asked.query.selection.webhook or ""
        hold = store.holds().get(name)
        return Chosen((), 0, False, None, [name], {name: hold} if hold else {}, name)
    selected = asked.query.filter(DEFAULT.get(asked.action), among)
    if asked.query.group:
        group = store.group(asked.query.group, selected.webhook)
        what = f"{what} ({group.cause} {group.line}".rstrip() + ")" if group else what
    if sample is None or selected.where:  # then the newest ones may be far apart
        return _chosen(store, store.deliveries(selected, MOST + 1), selected.statuses, what)
    counts = store.tally(selected, MOST + 1)
    newest = [row.delivery for row in store.delivery_page(selected, sample).rows]
    total, holds = sum(counts.values()), store.holds()
    return Chosen(
        newest,
        min(total, MOST),
        total > MOST,
        selected.statuses,
        [*counts],
        {name: hold for name, hold in holds.items() if name in counts},
        what,
    )


def _chosen(store: Store, found: Sequence[Delivery], statuses: Collection[DeliveryStatus] | None, what: str) -> Chosen:
    webhooks = list(dict.fromkeys(one.webhook for one in found[:MOST]))
    holds = {name: hold for name, hold in store.holds().items() if name in webhooks}
    return Chosen(found[:MOST], min(len(found), MOST), len(found) > MOST, statuses, webhooks, holds, what)
