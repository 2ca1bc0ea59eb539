"""What a plan means, for people and for programs. docs/plan.md describes each line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote

from hookctl.config.effects import (
    Break,
    ChangeEffects,
    Effects,
    Matching,
    Payload,
    RequestChange,
    Requests,
    Retries,
    Waiting,
)
from hookctl.model import Contribution, Json, Repair
from hookctl.model.quantities import counted, span
from hookctl.report.style import Line
from hookctl.report.text.differences import difference_document, difference_lines, json_paths
from hookctl.report.text.healing import healing_document, healing_lines, healing_summary_lines
from hookctl.report.text.leaving import leaving_document, leaving_text
from hookctl.report.text.moments import iso
from hookctl.report.text.outcomes import outcome_lines, outcomes_document
from hookctl.report.text.printable import printable

NAMED = 12
"""The most names or fields in one line; more are counted."""


def effect_lines(effects: ChangeEffects) -> Iterator[Line]:
    """What one change means, in lines."""
    yield from _default_lines(effects.defaults)
    if effects.requests:
        yield from _request_lines(effects.requests)
    elif effects.retries:
        name = printable(effects.name)
        yield Line(f"request not shown, because many webhooks are new: see `hookctl render {name}`")
    yield from _payload_lines(effects)
    for leaving in effects.leaving:
        of = f" ({printable(leaving.event)})" if len(effects.leaving) > 1 else ""
        yield Line(f"newly sent to {printable(leaving.host)}{of}: {leaving_text(leaving)}", is_important=True)
    if effects.new_hosts:
        yield Line(f"new host: {_listed(effects.new_hosts)}", is_important=True)
    if effects.matching:
        yield from map(Line, event_lines(effects.matching))
        yield from map(Line, missed_lines(effects.name, effects.matching))
    if effects.retries and effects.retries != effects.retries_before:
        yield Line(f"retries: {_retries(effects.retries)}")
    if effects.outcomes and effects.outcomes != effects.outcomes_before:
        yield from outcome_lines(effects.outcomes)
    yield from map(Line, _waiting(effects.waiting))
    yield from healing_lines(effects.name, effects.healing)


def _default_lines(found: Sequence[Contribution]) -> Iterator[Line]:
    """The fields from each file of defaults, with their lines."""
    by_path: dict[str, list[str]] = {}
    for one in found:
        by_path.setdefault(one.path, []).append(f"{one.field} (line {one.line})")
    for path, fields in by_path.items():
        yield Line(f"from {printable(path)}: {_listed(fields)}")


def summary_lines(effects: Effects, heal: Sequence[Repair] = ()) -> Iterator[Line]:
    """What all changes mean together; ``heal`` is what the plan heals. Lines that would count nothing are left out."""
    hosts: dict[tuple[str, str], list[str]] = {}
    for leaving in effects.leaving:
        hosts.setdefault((leaving.event, leaving_text(leaving)), []).append(leaving.host)
    for (event, fields), names in hosts.items():
        yield Line(f"newly sent to {_listed(names)} ({printable(event)}): {fields}", is_important=True)
    if effects.new_hosts:
        yield Line(f"new hosts: {_listed(effects.new_hosts)}", is_important=True)
    breaking, compatible = effects.names(Payload.BREAKING), effects.names(Payload.COMPATIBLE)
    if breaking:
        yield Line(f"payload: breaking for {_listed(breaking)}", is_important=True)
    if compatible:
        yield Line(f"payload: compatible for {_listed(compatible)}")
    if effects.without_request:
        yield Line(f"requests unchanged: {_listed(effects.without_request)}")
    if effects.looked_at:
        counts = [
            f"{effects.events(which)} {words}"
            for which, words in (
                ("newly", "newly match"),
                ("no_longer", "no longer match"),
                ("twice", "match twice"),
            )
        ]
        yield Line(f"of the {_recent(effects)}: {', '.join(counts)}")
    if effects.longest and effects.longest.retries:
        name, retries = printable(effects.longest.name), effects.longest.retries
        last = f"the last {span(retries.last_after)} after the first"
        yield Line(f"longest retries: {name}, {retries.attempts} attempts, {last}")
    yield from map(Line, _waiting(effects.waiting))
    yield from healing_summary_lines(effects.healing, heal)


def effect_document(effects: ChangeEffects) -> Json:
    """What one change means, as ``schemas/plan.schema.json`` has it."""
    return {
        "changes_no_request": effects.changes_no_request,
        "requests": _requests_document(effects.requests) if effects.requests else None,
        "payload": {"class": effects.payload.value, "breaks": [_break_document(found) for found in effects.breaks]},
        "defaults": [{"field": one.field, "file": one.path, "line": one.line} for one in effects.defaults],
        "leaving": [leaving_document(leaving) for leaving in effects.leaving],
        "new_hosts": list(effects.new_hosts),
        "events": _matching_document(effects.matching) if effects.matching else None,
        "retries": _retries_document(effects.retries) if effects.retries else None,
        "outcomes": outcomes_document(effects.outcomes) if effects.outcomes else None,
        "waiting": _waiting_document(effects.waiting),
        "healing": healing_document(effects.healing),
    }


def summary_document(effects: Effects) -> Json:
    """What all changes mean together, as ``schemas/plan.schema.json`` has it."""
    longest = effects.longest
    return {
        "leaving": [leaving_document(leaving) for leaving in effects.leaving],
        "new_hosts": list(effects.new_hosts),
        "payload": {payload.value: list(effects.names(payload)) for payload in Payload},
        "changes_no_request": list(effects.without_request),
        "events": {
            "origin": effects.origin,
            "looked_at": effects.looked_at,
            "newly": effects.events("newly"),
            "no_longer": effects.events("no_longer"),
            "twice": effects.events("twice"),
        }
        if effects.looked_at
        else None,
        "longest_retries": {"webhook": longest.name, **_retries_document(longest.retries)}
        if longest and longest.retries
        else None,
        "waiting": _waiting_document(effects.waiting),
        "healing": healing_document(effects.healing),
    }


def _request_lines(requests: Requests) -> Iterator[Line]:
    if not requests.changed:
        yield Line("request unchanged")
        yield from map(Line, _sending_lines(requests))
        return
    for change in requests.shown:
        event = "the mock event" if change.is_mock else f"event {printable(change.event_id)}"
        if change.is_mock and change.event_type:
            event = f"{event} of {printable(change.event_type)}"
        yield Line(f"request for {event}{_sent(change)}:")
        for side, name in ((change.before, "before"), (change.after, "after")):
            if side.problem:
                yield Line(f"    {name}, it cannot be made, so the delivery is dead: {printable(side.problem)}")
        if change.is_rewritten:
            what = "content" if isinstance(change.after.value, dict) and "body_format" in change.after.value else "JSON"
            yield Line(f"    body: the same {what}, written differently")
        if not all(step.same for step in change.steps):
            yield from (Line(f"   {line}", sign) for sign, line in difference_lines(change.steps))
    more = requests.changed - len(requests.shown)
    if more:
        yield Line(f"... and {more} more of the sample's requests change")
    if requests.unchanged:
        yield Line(f"{requests.unchanged} of the sample's requests do not change")


def _sending_lines(requests: Requests) -> Iterator[str]:
    for count, words in ((requests.newly_sent, "newly sent"), (requests.no_longer_sent, "no longer sent")):
        if count:
            yield f"{words}: {'the mock event' if requests.is_mock else f'{count} of the sample'}"


def _sent(change: RequestChange) -> str:
    """What a heading adds when an event like this one is not simply delivered."""
    if change.after.is_sent is None:
        return ", for which `when` fails"
    if not change.after.is_sent:
        return ", no longer sent" if change.before.is_sent else ", not sent"
    return ", newly sent" if change.starts else ""


def _payload_lines(effects: ChangeEffects) -> Iterator[Line]:
    if effects.payload is Payload.COMPATIBLE:
        yield Line("payload: compatible")
    for found in effects.breaks:
        what = f"is {found.after}, was {found.before}" if found.after else f"({found.before}) is gone"
        yield Line(f"payload: breaking: {_body_path(found)} {what}", is_important=True)


def event_lines(matching: Matching) -> Iterator[str]:
    """Which of the recent events a webhook would get, and did."""
    counts = [
        f"{len(matching.newly)} newly match",
        f"{len(matching.no_longer)} no longer match",
        f"{len(matching.still)} match as before",
    ]
    yield f"recent events: {', '.join(counts)}"
    if matching.twice:
        others = _listed(matching.twice_with)
        yield f"recent events: {len(matching.twice)} would also be sent to the same target by {others}"


def missed_lines(name: str, matching: Matching) -> Iterator[str]:
    """What the webhook with this name missed, and the command that sends it, on a line of its own to be copied."""
    if matching.missed:
        count = counted(matching.missed.count, "recent event")
        yield f"{count} would have matched, and an apply sends none of them; to send them:"
        yield f"    hookctl backfill {quote(printable(name))} --since {iso(matching.missed.since)}"


def _retries(retries: Retries) -> str:
    if retries.attempts == 1:
        return f"none: 1 attempt{_per_hour(retries)}"
    last = f"the last {span(retries.last_after)} after the first (at most {span(retries.last_after_at_most)})"
    text = f"{retries.attempts} attempts, {last}"
    return f"{text}; at most {retries.per_event_in_an_hour} requests per hour per event{_per_hour(retries)}"


def _per_hour(retries: Retries) -> str:
    return "" if retries.per_hour is None else f", {retries.per_hour:,.0f} in total at the rate limit"


def _waiting(waiting: Waiting) -> Iterator[str]:
    ends = (
        (waiting.sent, "will be sent by the new plan"),
        (waiting.released, "that {was} held will be sent by the new plan"),
        (waiting.held, "will be held"),
        (waiting.cancelled, "will be cancelled"),
    )
    for count, end in ends:
        if count:
            deliveries = counted(count, "waiting delivery", "waiting deliveries")
            yield f"{deliveries} {end.format(was='was' if count == 1 else 'were')}"


def _recent(effects: Effects) -> str:
    return f"{counted(effects.looked_at, 'recent event')} in {printable(effects.origin)}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(printable(name) for name in names[:NAMED]) + more


def _body_path(found: Break) -> str:
    return printable(" (JSON text) ".join(json_paths(found.path)))


def _requests_document(requests: Requests) -> Json:
    return {
        "shown": [_request_document(change) for change in requests.shown],
        "changed": requests.changed,
        "unchanged": requests.unchanged,
        "newly_sent": requests.newly_sent,
        "no_longer_sent": requests.no_longer_sent,
    }


def _request_document(change: RequestChange) -> Json:
    return {
        "event_id": change.event_id,
        "is_mock": change.is_mock,
        "sent_before": change.before.is_sent,
        "sent_after": change.after.is_sent,
        "problem_before": change.before.problem or None,
        "problem_after": change.after.problem or None,
        "rewritten": change.is_rewritten,
        "differences": [difference_document(step) for step in change.steps if not step.same],
    }


def _break_document(found: Break) -> Json:
    return {"path": [*json_paths(found.path)], "before": found.before, "after": found.after or None}


def _matching_document(matching: Matching) -> Json:
    return {
        "newly": len(matching.newly),
        "no_longer": len(matching.no_longer),
        "still": len(matching.still),
        "twice": len(matching.twice),
        "twice_with": list(matching.twice_with),
        "missed": {"count": matching.missed.count, "since": iso(matching.missed.since)} if matching.missed else None,
    }


def _retries_document(retries: Retries) -> dict[str, Json]:
    return {
        "attempts": retries.attempts,
        "last_after_seconds": retries.last_after,
        "last_after_at_most_seconds": retries.last_after_at_most,
        "requests_per_event_in_an_hour": retries.per_event_in_an_hour,
        "requests_per_hour": retries.per_hour,
    }


def _waiting_document(waiting: Waiting) -> Json:
    return {"sent": waiting.sent, "released": waiting.released, "held": waiting.held, "cancelled": waiting.cancelled}
