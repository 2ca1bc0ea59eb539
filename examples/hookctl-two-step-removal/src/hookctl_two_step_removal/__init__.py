"""A plugin for hookctl: the policy ``two_step_removal``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from hookctl.plugin import CheckPlan, Finding, Policy, hookimpl

if TYPE_CHECKING:
    from hookctl.model import Json, Plan

SETTINGS: Mapping[str, Json] = {
    "type": "object",
    "required": ["teams"],
    "additionalProperties": False,
    "properties": {
        "teams": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The teams that may own a webhook.",
        },
    },
}


def build(settings: Mapping[str, Json]) -> CheckPlan:
    """The check of plans for these settings."""
    teams = cast("Sequence[str]", settings["teams"])

    def check(plan: Plan) -> Sequence[Finding]:
        return [
            Finding(
                webhook=after.name,
                message="its owner is not a team",
                hint=f"Set the label owner to one of: {', '.join(teams)}.",
                pointer=("labels", "owner"),
            )
            for after in plan.after
            if after.labels.get("owner") not in teams
        ]

    return check


@hookimpl
def hookctl_policies() -> Iterable[Policy]:
    """The policy. It is off until hookctl.toml has a table for it."""
    return [
        Policy(
            name="two_step_removal",
            summary="Every webhook is a team's.",
            schema=SETTINGS,
            build=build,
        )
    ]
