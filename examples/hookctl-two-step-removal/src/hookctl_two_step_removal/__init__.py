"""A plugin for hookctl: the policy ``two_step_removal``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, cast

from hookctl.plugin import CheckPlan, Finding, Policy, hookimpl

if TYPE_CHECKING:
    from hookctl.model import Json, Plan

SETTINGS: Mapping[str, Json] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "except": {
            "type": "array",
            "items": {"type": "string"},
            "default": [],
            "description": "Patterns of the names of webhooks that may be removed at once, such as `test-*`.",
        },
    },
}


def build(settings: Mapping[str, Json]) -> CheckPlan:
    """The check of plans for these settings."""
    exempt = cast("Sequence[str]", settings.get("except", ()))

    def check(plan: Plan) -> Sequence[Finding]:
        return [
            Finding(
                webhook=change.name,
                message="it is active, so a plan may not remove it",
                hint="Set its status to inactive, apply that, and remove the file later.",
            )
            for change in plan.changes
            if change.before
            and not change.after
            and change.before.status == "active"
            and not any(fnmatchcase(change.name, pattern) for pattern in exempt)
        ]

    return check


@hookimpl
def hookctl_policies() -> Iterable[Policy]:
    """The policy. It is off until hookctl.toml has a table for it."""
    return [
        Policy(
            name="two_step_removal",
            summary="A webhook is deactivated before it is removed.",
            schema=SETTINGS,
            build=build,
        )
    ]
