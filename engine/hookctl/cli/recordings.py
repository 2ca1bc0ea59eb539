"""``hookctl test --record`` and ``--replay``: exchanges kept as cassettes, and played without a network."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hookctl.cli.session import Session
    from hookctl.model import DeliveryPlan, Json
    from hookctl.run.cassette import Kept
    from hookctl.run.trial import Trial

DIRECTORY = "tests/cassettes"


def record(trials: Sequence[Trial], directory: Path) -> dict[str, Kept | None]:
    """Keep the exchange of each test that was successful: what was done, by webhook; None where it was not. Raises CassetteError."""
    from hookctl.run.cassette import exchange_of, keep

    kept: dict[str, Kept | None] = {}
    for trial in trials:
        exchange = exchange_of(trial.attempt) if trial.attempt and trial.succeeded else None
        kept[trial.plan.name] = keep(directory, trial.plan.name, exchange) if exchange else None
    return kept


def replay(
    session: Session,
    pairs: Sequence[tuple[DeliveryPlan, Mapping[str, Json]]],
    directory: Path,
    webhooks: Iterable[str],
    *,
    output_format: str,
    show_invocation: bool,
) -> int:
    """Replay the recording of each webhook, and print what came of it; gives the exit code. ``webhooks`` are the names of all there are."""
    from hookctl.cli.progress import Progress
    from hookctl.report.replays import render_json, render_strays, render_text
    from hookctl.run.cassette import strays
    from hookctl.run.replay import replay as replay_one

    progress = Progress()
    replays = []
    for plan, document in pairs:
        replays.append(replay_one(plan, document, session.plugins, directory, time.time()))
        progress.update(lambda: f"{len(replays)} of {len(pairs)} replayed")
    progress.clear()
    stale = strays(directory, webhooks)
    click.echo(render_strays(stale), nl=False, err=True)
    text = render_json(replays, stale) if output_format == "json" else render_text(replays, show_invocation=show_invocation, color=session.color)
    click.echo(text, nl=False, color=session.color)
    return exit_codes.OK if all(replay.succeeded for replay in replays) else exit_codes.FAILED
