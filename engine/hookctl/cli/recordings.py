"""``hookctl test --record`` and ``--replay``: saves exchanges as cassettes, and compares with them."""

from __future__ import annotations

import time
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.cli.echo import echo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hookctl.cli.reports import Reports
    from hookctl.cli.session import Session
    from hookctl.delivery.rehearsal.cassette import Kept
    from hookctl.delivery.rehearsal.trial import Trial
    from hookctl.model import DeliveryPlan, Json, Webhook

DIRECTORY = "tests/cassettes"


def record(trials: Sequence[Trial], directory: Path) -> dict[str, Kept | None]:
    """Save the exchange of each successful test.

    Returns what was done, by the name of the cassette; None for a failed test. Raises CassetteError.
    """
    from hookctl.delivery.rehearsal.cassette import cassette_name, exchange_of, keep

    kept: dict[str, Kept | None] = {}
    for trial in trials:
        exchange = exchange_of(trial.attempt) if trial.attempt and trial.succeeded else None
        name = cassette_name(trial.plan.name, trial.plan.events, trial.event_type)
        kept[name] = keep(directory, name, exchange) if exchange else None
    return kept


def replay(
    ctx: click.Context,
    session: Session,
    pairs: Sequence[tuple[DeliveryPlan, Mapping[str, Json]]],
    directory: Path,
    webhooks: Mapping[str, Webhook],
    *,
    reports: Reports,
) -> int:
    """Replay the recording of each webhook and report the results.

    Returns the exit code. ``webhooks`` are all webhooks, by name.
    """
    from hookctl.cli.progress import Progress
    from hookctl.cli.terminal import text_width
    from hookctl.delivery.rehearsal.cassette import strays
    from hookctl.delivery.rehearsal.replay import replay as replay_one
    from hookctl.report.formats.results import of_replays
    from hookctl.report.text.replays import render_json, render_strays, render_text, replays_summary

    progress = Progress()
    replays = []
    for plan, document in pairs:
        replays.append(replay_one(plan, document, session.plugins, directory, time.time()))
        progress.update(lambda: f"{len(replays)} of {len(pairs)} replayed")
    progress.clear()
    stale = strays(directory, chain.from_iterable(map(_cassette_names, webhooks.values())))
    echo(render_strays(stale), nl=False, err=True)
    reports.write(
        ctx,
        session,
        of_replays(replays, show_invocation=reports.show_invocation),
        webhooks,
        summary=replays_summary(replays),
        text=lambda color: render_text(
            replays, show_invocation=reports.show_invocation, width=text_width(), color=color
        ),
        json=lambda: render_json(replays, stale),
    )
    return exit_codes.OK if all(replay.succeeded for replay in replays) else exit_codes.FAILED


def _cassette_names(webhook: Webhook) -> Iterator[str]:
    """The names that the cassettes of a webhook may have; the webhook may have errors."""
    from hookctl.delivery.rehearsal.cassette import cassette_name

    events = webhook.fields.get("event")
    names = sorted({name for name in events if isinstance(name, str)}) if isinstance(events, list) else [""]
    yield from (cassette_name(webhook.name, names, name) for name in names)
