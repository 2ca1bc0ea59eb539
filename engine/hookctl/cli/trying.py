"""Sends test events, for `test` and `apply --test`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hookctl.cli.session import Session
    from hookctl.delivery.rehearsal.trial import Trial
    from hookctl.model import DeliveryPlan, Json
    from hookctl.network import Network


def try_now(
    session: Session, pairs: Sequence[tuple[DeliveryPlan, Mapping[str, Json]]], network: Network
) -> tuple[list[Trial], bool]:
    """Send each webhook its event, with progress on standard error.

    Returns the trials, and whether they were interrupted.
    """
    from hookctl import __version__
    from hookctl.cli.interrupts import catching_interrupts
    from hookctl.cli.progress import Progress
    from hookctl.delivery.attempt.engine import AttemptEngine
    from hookctl.delivery.rehearsal.trial import run_trials

    progress = Progress()
    engine = AttemptEngine(session.plugins, network, f"hookctl/{__version__}")

    def tell(done: int) -> None:
        progress.update(lambda: f"{done} of {len(pairs)} tested")

    with catching_interrupts() as interrupts:
        try:
            trials = run_trials(engine, pairs, stopping=lambda: interrupts.requested, tell=tell)
        finally:
            engine.close()
            progress.clear()
        return trials, interrupts.requested
