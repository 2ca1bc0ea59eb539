"""Which dead, retrying and held deliveries a change repairs: each is tried again with the proposed delivery plan.

Nothing is sent. What a target would answer to another request is not known, so a delivery that differs in something
that matters for its last result *may* be repaired. Everything else that is decided here is certain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from hookctl.config.effects.requests import Document
from hookctl.delivery.outcomes import MISMATCH, TOKEN_REFUSED, Decision, decision_for, is_delivered, result_of
from hookctl.model import Attempt, DeliveryPlan, DeliveryStatus, FailureKind, Repair, Request, Response
from hookctl.model.secret import REFERENCE
from hookctl.store.healing import Repairable

MAX_TRIED = 1000
"""The number of deliveries, the newest, that one plan tries again."""
STATUSES = (DeliveryStatus.DEAD, DeliveryStatus.RETRYING, DeliveryStatus.HELD)
"""The statuses of deliveries that are tried again."""
REPLAYED = frozenset({DeliveryStatus.DEAD, DeliveryStatus.RETRYING})
"""Those that ``apply --heal`` replays. An apply releases held deliveries itself."""
MAX_WHY = 200
"""The most characters of a reason."""

Find = Callable[[str, DeliveryStatus, int], Sequence[Repairable]]
"""Finds deliveries: see :meth:`hookctl.store.healing.Healing.repairable`."""
Repeat = Callable[[Document, Response | None], Attempt]
"""Makes an attempt for an event, which gets this response."""
Repeating = Callable[[DeliveryPlan], AbstractContextManager[Repeat]]
Lets = Callable[[DeliveryPlan, Document], bool | None]
"""Whether a webhook accepts an event; None if its ``when`` cannot be evaluated."""


class Chance(StrEnum):
    """Whether a delivery is repaired."""

    REPAIRED = "repaired"
    """What made it fail is gone."""
    POSSIBLE = "possible"
    """Something that matters for its last result changes, and only the target can tell."""
    FAILS = "fails"
    """It fails for the same reason, or for another."""


@dataclass(frozen=True, slots=True)
class Group:
    """Deliveries with the same chance for the same reason."""

    chance: Chance
    why: str
    count: int


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of the deliveries with one status when they were tried again."""

    status: DeliveryStatus
    total: int
    """How many have this status."""
    groups: tuple[Group, ...]
    """What was found about the newest of them, the greatest group first."""

    @property
    def tried(self) -> int:
        """How many were tried."""
        return sum(group.count for group in self.groups)

    def count(self, chance: Chance) -> int:
        """How many have this chance."""
        return sum(group.count for group in self.groups if group.chance is chance)


@dataclass(frozen=True, slots=True)
class Healing:
    """What a change does to the deliveries of its webhook that failed, by status, and those that can be replayed."""

    tried: tuple[Tried, ...] = ()
    repairs: tuple[Repair, ...] = ()


NOTHING = Healing()
_CREDENTIALS = frozenset({"URL", "method", "headers", "auth"})
_REQUEST = _CREDENTIALS | {"body"}
_REACHED = frozenset({"host", "transport"})
MATTERS: Mapping[str, frozenset[str]] = {
    MISMATCH: _REQUEST,
    **dict.fromkeys(("408", "425", "429"), frozenset({"host"})),
    **dict.fromkeys(("401", "403", "404", "405", "407", "410", "1xx", "3xx"), _CREDENTIALS),
    **dict.fromkeys(("2xx", "4xx", "500", "501"), _REQUEST),
    "5xx": frozenset({"URL"}),
    **dict.fromkeys(("address_blocked", "name_not_found", "connect", "tls", "proxy"), _REACHED),
    FailureKind.TIMEOUT.value: frozenset({"URL", "transport", "timeout"}),
    **dict.fromkeys(("cut_response", "transport"), frozenset({"URL", "transport"})),
    **dict.fromkeys(("token", TOKEN_REFUSED), frozenset({"auth"})),
    FailureKind.SECRET.value: frozenset({"secret"}),
    FailureKind.PLUGIN.value: frozenset({"auth", "transport", "response validator"}),
}
"""For each result, or class of statuses, what must change for it to be able to change. ``render`` is not here: whether
a request can be rendered is certain."""


def shares(
    counts: Mapping[tuple[str, DeliveryStatus], int], most: int = MAX_TRIED
) -> dict[tuple[str, DeliveryStatus], int]:
    """How many deliveries to try of each webhook and status, at most ``most`` in total: the same number, or all."""
    found, left = {}, most
    for done, (key, count) in enumerate(sorted(counts.items(), key=lambda item: item[1])):
        found[key] = min(count, left // (len(counts) - done))
        left -= found[key]
    return found


def healing_of(
    after: DeliveryPlan,
    found: Mapping[DeliveryStatus, Sequence[Repairable]],
    totals: Mapping[DeliveryStatus, int],
    *,
    repeating: Repeating,
    lets: Lets,
) -> Healing:
    """Try the deliveries of one webhook again with the delivery plan ``after``, which is active."""
    tried, repairs = [], []
    with repeating(after) as repeat:
        for status, deliveries in found.items():
            counts: Counter[tuple[Chance, str]] = Counter()
            for one in deliveries:
                chance, why = _judge(one, after, repeat, lets)
                counts[chance, why if len(why) <= MAX_WHY else f"{why[: MAX_WHY - 3]}..."] += 1
                if chance is not Chance.FAILS and status in REPLAYED:
                    repairs.append(Repair(after.name, one.id, status, one.version))
            groups = tuple(Group(*key, count) for key, count in counts.most_common())
            tried.append(Tried(status, max(totals[status], len(deliveries)), groups))
    return Healing(tuple(tried), tuple(repairs))


def together(tried: Sequence[Tried]) -> Iterator[Tried]:
    """What became of the deliveries with each status, of several webhooks, without reasons."""
    for status in STATUSES:
        found = [one for one in tried if one.status is status]
        counts = {chance: sum(one.count(chance) for one in found) for chance in Chance}
        if found:
            groups = tuple(Group(chance, "", count) for chance, count in counts.items() if count)
            yield Tried(status, sum(one.total for one in found), groups)


def _judge(one: Repairable, after: DeliveryPlan, repeat: Repeat, lets: Lets) -> tuple[Chance, str]:
    if refused := _refused(after, one.document, lets):
        return Chance.FAILS, refused
    last = one.attempt
    again = repeat(one.document, last.response if last else None)
    if again.failure:
        return Chance.FAILS, f"{again.failure.kind.value}: {again.failure.message}"
    if last is None or again.request is None:
        return _judge_untried(one)
    if last.failure and last.failure.kind is FailureKind.RENDER:
        return Chance.REPAIRED, "the request could not be rendered before, and can be now"
    result = result_of(last)
    if last.response and is_delivered(again, after):
        return Chance.REPAIRED, _accepted(result, after)
    return _judge_changed(
        result, [part for part in _changed(one, last, after, again.request) if part in matters(result)]
    )


def _refused(after: DeliveryPlan, document: Document, lets: Lets) -> str:
    """Why the webhook no longer wants the event; empty if it does. A replay would send it anyway."""
    if document.get("event_type") not in after.events:
        return "the webhook has another event type"
    accepts = lets(after, document)
    if accepts is None:
        return "`when` cannot be evaluated for the event"
    return "" if accepts else "`when` does not accept the event"


def _judge_changed(result: str, changed: Sequence[str]) -> tuple[Chance, str]:
    what = "the validators reject the recorded response" if result == MISMATCH else _words(result)
    if changed:
        return Chance.POSSIBLE, f"{what}, and the {' and the '.join(changed)} will be different"
    return Chance.FAILS, f"{what}, and nothing changes that matters for it"


def matters(result: str) -> frozenset[str]:
    """What must change for a result to be able to change."""
    if result.isdecimal():
        return MATTERS.get(result) or MATTERS[f"{min(max(int(result) // 100, 1), 5)}xx"]
    return MATTERS.get(result, frozenset())


def _judge_untried(one: Repairable) -> tuple[Chance, str]:
    """A delivery without an attempt that can be read, whose request can be made now."""
    if one.attempts:
        return Chance.FAILS, "its last attempt cannot be read"
    if one.status is DeliveryStatus.DEAD:  # since routing, which alone makes a dead letter without any attempt
        return Chance.REPAIRED, "`when` could not be evaluated before, and accepts the event now"
    return Chance.POSSIBLE, "it was not tried yet"


def _accepted(result: str, after: DeliveryPlan) -> str:
    by_outcome = result in after.outcomes and decision_for(result, after.outcomes) is Decision.DELIVERED
    if result.isdecimal() or by_outcome:
        return f"{_words(result)}, which counts as delivered now"
    return "the validators accept the recorded response now"


def _words(result: str) -> str:
    if result == MISMATCH:
        return "a mismatch before"
    return f"HTTP {result} before" if result.isdecimal() else f"{result} before"


def _changed(one: Repairable, last: Attempt, after: DeliveryPlan, request: Request) -> list[str]:
    """The parts of the request, and of what handles it, that differ from the last attempt."""
    before, sent = one.plan, last.request
    different = {}
    if sent:
        different = {
            "URL": sent.url != request.url,
            "host": urlsplit(sent.url).netloc != urlsplit(request.url).netloc,
            "method": sent.method != request.method,
            "body": sent.body != request.body,
        }
    if before:
        is_other_url = _references(before.url) != _references(after.url) if sent else before.url != after.url
        different["URL"] = different.get("URL", False) or is_other_url
        different["host"] = different.get("host", False) or urlsplit(before.url).netloc != urlsplit(after.url).netloc
        different |= {
            "headers": before.headers != after.headers,
            "auth": before.auth != after.auth,
            "transport": before.transport != after.transport,
            "timeout": before.timeout_seconds < after.timeout_seconds,
            "response validator": before.response_validators != after.response_validators,
            "secret": _references(before.canonical().decode()) != _references(after.canonical().decode()),
        }
    return [part for part, is_different in different.items() if is_different]


def _references(text: str) -> set[tuple[str, str]]:
    return set(REFERENCE.findall(text))
