"""What a plan does to deliveries that failed, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote

from hookctl.config.effects import Chance, Healing, Tried
from hookctl.model import DeliveryStatus, Json, Repair
from hookctl.model.quantities import counted
from hookctl.report.style import Line
from hookctl.report.text.printable import printable

MAX_GROUPS = 5
"""The most reasons that are listed for each chance; the others are counted."""
NOUNS = {
    DeliveryStatus.DEAD: ("dead letter", "dead letters"),
    DeliveryStatus.RETRYING: ("retrying delivery", "retrying deliveries"),
    DeliveryStatus.HELD: ("held delivery", "held deliveries"),
}


def healing_lines(name: str, healing: Healing) -> Iterator[Line]:
    """What one change does to the deliveries of the webhook with this name that failed, and why."""
    for tried in healing.tried:
        yield Line(_counts(tried, "this change"))
        yield from _groups(tried)
        if tried.tried < tried.total and tried.status is not DeliveryStatus.HELD:
            yield Line("    the others were not tried; to replay all that are left after the apply:")
            yield Line(f"    hookctl deliveries replay --webhook {quote(printable(name))} --status {tried.status}")


def healing_summary_lines(healing: Healing, heal: Sequence[Repair]) -> Iterator[Line]:
    """What all changes do together, and the command that replays ``heal``, which the plan lists."""
    for tried in healing.tried:
        yield Line(_counts(tried, "this plan"), is_important=tried.status is DeliveryStatus.DEAD)
    if heal:
        dead = sum(one.status is DeliveryStatus.DEAD for one in heal)
        parts = [(dead, DeliveryStatus.DEAD), (len(heal) - dead, DeliveryStatus.RETRYING)]
        what = " and ".join(counted(count, *NOUNS[status]) for count, status in parts if count)
        yield Line(f"`hookctl apply --heal` replays {what}; without --heal, an apply replays none")


def healing_document(healing: Healing) -> Json:
    """The same as ``schemas/plan.schema.json`` has it; without reasons for all changes together."""
    return [
        {
            "status": tried.status.value,
            "total": tried.total,
            "tried": tried.tried,
            **{chance.value: tried.count(chance) for chance in Chance},
            "reasons": [
                {"result": group.chance.value, "why": group.why, "count": group.count}
                for group in tried.groups
                if group.why
            ],
        }
        for tried in healing.tried
    ]


def _counts(tried: Tried, what: str) -> str:
    """Such as: 340 dead letters: this change repairs 312 and may repair 5; 23 still fail."""
    repaired, possible, failing = (tried.count(chance) for chance in Chance)
    one, many = NOUNS[tried.status]
    subject = counted(tried.total, one, many)
    if tried.tried < tried.total:
        subject = f"the newest {tried.tried:,} of {subject}"
    parts = [f"repairs {repaired:,}"] if repaired else []
    parts += [f"may repair {possible:,}"] if possible else []
    text = f"{subject}: {what} {' and '.join(parts) or 'repairs none'}"
    return f"{text}; {failing:,} still fail{'s' * (failing == 1)}" if parts and failing else text


def _groups(tried: Tried) -> Iterator[Line]:
    for chance, words in (
        (Chance.REPAIRED, "repaired"),
        (Chance.POSSIBLE, "may be repaired"),
        (Chance.FAILS, "still failing"),
    ):
        groups = [group for group in tried.groups if group.chance is chance]
        yield from (Line(f"    {group.count:,} {words}: {printable(group.why)}") for group in groups[:MAX_GROUPS])
        if rest := sum(group.count for group in groups[MAX_GROUPS:]):
            yield Line(f"    {rest:,} {words}, for other reasons")
