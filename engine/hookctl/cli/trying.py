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
    """Send each webhook its event, with warnings and progress on standard error.

    True with the trials when someone asked to stop.
    """
    from hookctl.cli.interrupts import catching_interrupts
    from hookctl.cli.progress import Progress
    from hookctl.cli.weak_secrets import warn_of_weak_secrets
    from hookctl.delivery.rehearsal.trial import send_tests

    warn_of_weak_secrets(session, [plan for plan, _ in pairs])
    progress = Progress()

    def show(done: int) -> None:
        progress.update(lambda: f"{done} of {len(pairs)} tested")

    with catching_interrupts() as interrupts:
        try:
            trials = send_tests(pairs, session.plugins, network, stopping=lambda: interrupts.requested, progress=show)
        finally:
            progress.clear()
        return trials, interrupts.requested
