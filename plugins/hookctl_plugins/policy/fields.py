"""Policies that check one field of each webhook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from hookctl.model.quantities import canonical_number, seconds
from hookctl.plugin import Finding

if TYPE_CHECKING:
    from hookctl.model import Json, Plan, Pointer
    from hookctl.plugin import CheckPlan

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def authenticated(plan: Plan) -> Sequence[Finding]:
    """What is sent without ``auth``."""
    hint = "Add `auth`. `hookctl plugins` lists the auth types."
    return [
        Finding(webhook=after.name, message="its requests are not authenticated", hint=hint, pointer=("auth",))
        for after in plan.after
        if not after.auth
    ]


def timeout_at_most(settings: Mapping[str, Json]) -> CheckPlan:
    """A check that no ``timeout_seconds`` is above ``seconds``."""
    most = canonical_number(cast("float", settings["seconds"]))

    def check(plan: Plan) -> Sequence[Finding]:
        return [
            Finding(
                webhook=after.name,
                message=f"timeout_seconds is {after.timeout_seconds} s; the maximum is {most} s",
                hint=f"Set `timeout_seconds` to {most} or less. hookctl tries a slow target again.",
                pointer=("timeout_seconds",),
            )
            for after in plan.after
            if after.timeout_seconds > most
        ]

    return check


def retry_horizon_at_least(settings: Mapping[str, Json]) -> CheckPlan:
    """A check that the delays of every ``retry.schedule`` add up to ``duration`` or more."""
    asked = cast("str", settings["duration"])
    least = seconds(asked)
    place: Pointer = ("retry", "schedule")

    def check(plan: Plan) -> Sequence[Finding]:
        found = []
        for after in plan.after:
            horizon = round(sum(after.retry_schedule), 6)  # microseconds: the finest unit that a file can express
            if horizon < least:
                message = (
                    f"the last attempt comes {_in_words(horizon)} after the first"
                    if after.retry_schedule
                    else "it has no retries"
                )
                hint = "Write more delays in `retry.schedule`, or longer ones."
                found.append(
                    Finding(webhook=after.name, message=f"{message}; the minimum is {asked}", hint=hint, pointer=place)
                )
        return found

    return check


def owner_label(settings: Mapping[str, Json]) -> CheckPlan:
    """A check that every webhook has the label, with a value."""
    label = cast("str", settings.get("label", "owner"))
    hint = f"Add `{label}` to `labels`, with the name of who is responsible for the webhook."

    def check(plan: Plan) -> Sequence[Finding]:
        return [
            Finding(webhook=after.name, message=f"the label `{label}` is missing", hint=hint, pointer=("labels", label))
            for after in plan.after
            if not after.labels.get(label, "").strip()
        ]

    return check


def _in_words(duration: float) -> str:
    """Seconds as text, such as ``1d 3h 35m 5s``."""
    words, rest = [], duration
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        words += [f"{count:.0f}{unit}"] if count else []
    return " ".join([*words, f"{rest:.6g}s"] if rest or not words else words)
