"""Policies that look at one field of each webhook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from hookctl.model.quantities import canonical_number, seconds
from hookctl.plugin import PolicyFinding

if TYPE_CHECKING:
    from hookctl.model import DeliveryPlan, Json, Plan
    from hookctl.plugin import CheckPlan

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def authenticated(plan: Plan) -> Sequence[PolicyFinding]:
    """What is sent without ``auth``."""
    hint = "Add `auth`: `hookctl plugins` shows which kinds there are."
    return [
        PolicyFinding(after.name, "its requests carry no authentication", hint, pointer=("auth",))
        for after in _desired(plan)
        if not after.auth
    ]


def timeout_at_most(settings: Mapping[str, Json]) -> CheckPlan:
    """A check that no ``timeout_seconds`` is above ``seconds``."""
    most = canonical_number(cast("float", settings["seconds"]))

    def check(plan: Plan) -> Sequence[PolicyFinding]:
        return [
            PolicyFinding(
                after.name,
                f"an attempt may take {after.timeout_seconds} s, and {most} s is the most",
                f"Write `timeout_seconds: {most}` or less; a slow target is tried again.",
                pointer=("timeout_seconds",),
            )
            for after in _desired(plan)
            if after.timeout_seconds > most
        ]

    return check


def retry_horizon_at_least(settings: Mapping[str, Json]) -> CheckPlan:
    """A check that the delays of every ``retry.schedule`` add up to ``duration`` or more."""
    asked = cast("str", settings["duration"])
    least = seconds(asked)

    def check(plan: Plan) -> Sequence[PolicyFinding]:
        found = []
        for after in _desired(plan):
            horizon = round(sum(after.retry_schedule), 6)  # microseconds: the finest that a file can say
            if horizon < least:
                said = (
                    f"the last attempt comes {_in_words(horizon)} after the first"
                    if after.retry_schedule
                    else "nothing is tried again"
                )
                hint = "Write more delays in `retry.schedule`, or longer ones."
                found.append(
                    PolicyFinding(after.name, f"{said}, and {asked} is the least", hint, pointer=("retry", "schedule"))
                )
        return found

    return check


def owner_label(settings: Mapping[str, Json]) -> CheckPlan:
    """A check that every webhook has the label, with a value."""
    label = cast("str", settings.get("label", "owner"))
    hint = f"Write `{label}` into `labels`, and who answers for the webhook."

    def check(plan: Plan) -> Sequence[PolicyFinding]:
        return [
            PolicyFinding(after.name, f"there is no label `{label}`", hint, pointer=("labels", label))
            for after in _desired(plan)
            if not after.labels.get(label, "").strip()
        ]

    return check


def _desired(plan: Plan) -> Iterator[DeliveryPlan]:
    """What there is after the plan is applied."""
    return (change.after for change in plan.changes if change.after is not None)


def _in_words(duration: float) -> str:
    """Seconds as ``1d 3h 35m 5s``."""
    words, rest = [], duration
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        words += [f"{count:.0f}{unit}"] if count else []
    return " ".join([*words, f"{rest:.6g}s"] if rest or not words else words)
