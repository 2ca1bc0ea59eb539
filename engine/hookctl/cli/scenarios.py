"""``hookctl test --scenario``: simulates a target that misbehaves, on a simulated clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.model.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hookctl.cli.formats import Outputs
    from hookctl.cli.session import Session
    from hookctl.delivery.rehearsal.scenarios import Played, Scenario
    from hookctl.model import DeliveryPlan, Json


def chosen(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[Scenario, ...]:
    """A click callback: the named scenarios, each once, in the order given.

    Raises click.BadParameter for an unknown one.
    """
    if value is None:
        return ()
    from hookctl.delivery.rehearsal.scenarios import find_scenario

    found = []
    for name in dict.fromkeys(part.strip().lower() for part in value.split(",")):
        scenario = find_scenario(name)
        if scenario is None:
            raise click.BadParameter(_unknown(name))
        found.append(scenario)
    return tuple(found)


def play(
    session: Session,
    pairs: Sequence[tuple[DeliveryPlan, Mapping[str, Json]]],
    scenarios: Sequence[Scenario],
    outputs: Outputs,
) -> int:
    """Simulate each scenario for each webhook and print the results. Returns the exit code."""
    from hookctl.cli.progress import Progress
    from hookctl.delivery.rehearsal.scenarios import play as play_one
    from hookctl.report.text.scenarios import render_json, render_text

    start, progress = time.time(), Progress()
    played: list[Played] = []
    for plan, document in pairs:
        played.extend(play_one(plan, document, session.plugins, scenario, start) for scenario in scenarios)
        progress.update(lambda: f"{len(played)} of {len(pairs) * len(scenarios)} simulated")
    progress.clear()
    outputs.write(
        color=session.color, text=lambda color: render_text(played, color=color), json=lambda: render_json(played)
    )
    return exit_codes.OK if all(one.was_sent for one in played) else exit_codes.FAILED


def _unknown(name: str) -> str:
    from hookctl.delivery.rehearsal.scenarios import NAMED

    near = nearest(name, [*NAMED, "429", "500", "503", "410"])
    hint = f"Did you mean {near[0]}?" if near else f"Known scenarios: {', '.join(NAMED)}, and the statuses 300 to 599."
    return f"there is no scenario {name!r}. {hint}"
