"""How workers share the limits of webhooks: what every store does alike.

*In flight:* the workers that run are the members, and each may use its part of a webhook's limit: see
:mod:`hookctl.delivery.runner.shares`. The store only has the list of members, so a limit costs nothing per delivery.

*Rates:* the store has a bucket of tokens for each webhook with a rate limit. A claim takes a token for each delivery.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from hookctl.store.records import Batch, Claimed, Members, Part

SET_SECONDS = 1.0
"""A clock that is behind a stored time by more than this was set, or its machine has started again."""


class Member(NamedTuple):
    """A row of the table of members."""

    joined: int
    """The version with which it joined."""
    name: str
    adopted: int
    """The version that it follows."""
    over: tuple[str, ...]
    """See :attr:`hookctl.store.records.Part.over`."""
    ends: float
    """When its lease ends, by the clock of leases."""


class Change(NamedTuple):
    """What to write."""

    version: int
    mine: Member
    gone: Sequence[str]
    """The names of those whose lease has ended."""
    is_new: bool


def is_current(rows: Collection[Member], name: str, part: Part, now: float, lease_seconds: float) -> bool:
    """Whether nothing needs to be written: no lease has ended, and the caller's row is right and lasts for a while."""
    mine = next((row for row in rows if row.name == name), None)
    return (
        mine is not None
        and (mine.adopted, mine.over) == (part.version, part.over)
        and mine.ends - now > lease_seconds / 2
        and all(row.ends > now for row in rows)
    )


def change(
    rows: Collection[Member], version: int, name: str, part: Part, *, now: float, lease_seconds: float
) -> Change:
    """What to write when the caller takes part; ``version`` is the stored one."""
    gone = [row.name for row in rows if row.ends <= now]
    before = next((row for row in rows if row.name == name and row.ends > now), None)
    if gone or before is None:
        version += 1
    if before is None:
        # Who was a member before may have requests in flight, of which it does not know yet whether they are too many.
        adopted, joined = (0 if part.version else version), version
    else:
        adopted, joined = part.version, before.joined
    mine = Member(joined, name, adopted, part.over, now + lease_seconds)
    return Change(version, mine, gone, is_new=before is None)


def members(rows: Iterable[Member], version: int, name: str, *, is_new: bool = False) -> Members:
    """The members for the caller, who is one of them."""
    ordered = sorted(rows)
    index = next(place for place, row in enumerate(ordered) if row.name == name)
    is_settled = all(row.adopted == version for row in ordered)
    over = frozenset(webhook for row in ordered for webhook in row.over)
    return Members(version, index, len(ordered), is_settled, over, is_new)


def refilled(tokens: float, at: float, now: float, rate: float) -> tuple[float, float]:
    """What a bucket has now, and from when on it fills: one second's worth at most, and at least one token."""
    if at > now + SET_SECONDS:
        at = now
    return min(max(1.0, rate), tokens + max(0.0, now - at) * rate), max(at, now)


def rated(batch: Batch, ready: Mapping[str, float]) -> dict[str, float]:
    """The rates of the webhooks of which the batch may claim anything; ``ready`` says when the next of each is due."""
    added = {delivery.webhook for routed in batch.events for delivery in routed.deliveries}
    return {
        name: rate
        for name, rate in batch.rates.items()
        if batch.wanted.get(name, 0) > 0
        and (name in added or (batch.limit > 0 and ready.get(name, batch.now + 1) <= batch.now))
    }


def bounded(wanted: Mapping[str, int], rates: Collection[str], tokens: Mapping[str, float]) -> dict[str, int]:
    """``wanted`` with no more of each webhook in ``rates`` than there are ``tokens``; none if there is no bucket."""
    return {**wanted, **{name: min(wanted[name], int(tokens.get(name, 0.0))) for name in rates}}


def spend(tokens: Mapping[str, float], claims: Iterable[Claimed]) -> tuple[dict[str, float], set[str]]:
    """The tokens that are left after these claims, and the webhooks of which some were spent."""
    counts = Counter(claimed.delivery.webhook for claimed in claims)
    return {name: have - counts[name] for name, have in tokens.items()}, {name for name in tokens if counts[name]}
