"""``send`` without attempts of its own: it stores the events, and leaves their deliveries to a runner."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from hookctl.cli.running import GRACE, applied_store, running
from hookctl.cli.safety import limits_of_store
from hookctl.delivery.following import count, follow, store_events
from hookctl.delivery.producer import Producer
from hookctl.delivery.runner.sending import deliver
from hookctl.delivery.runner.tally import Tally
from hookctl.errors import HookctlError, PluginError
from hookctl.model import DeliveryStatus, Status
from hookctl.report.text.printable import printable
from hookctl.report.text.progress import Summary, Work

if TYPE_CHECKING:
    from hookctl.cli.sending import Sending
    from hookctl.cli.session import Session
    from hookctl.delivery.runner.retention import StoreLimits
    from hookctl.delivery.runner.sending import Intake
    from hookctl.model import AppliedState, PluginBlock
    from hookctl.network import Network
    from hookctl.plugin.calls import Plugins
    from hookctl.store.interface import Store
    from hookctl.store.records import Followed

LOOK_SECONDS = 0.5
"""Seconds between two looks at the deliveries while events are read."""
ROOM_SECONDS = 0.1
"""Seconds between two looks for room in a store that is full."""
ROOM = 0.9
"""The share of the limit of waiting deliveries at which a store that was full has room again."""
DUE = (DeliveryStatus.WAITING, DeliveryStatus.RETRYING)


def enqueue(session: Session, sending: Sending) -> Summary:
    """Store the events. Raises StateError if nothing was ever applied."""
    store, _ = applied_store(session, sending.is_stopping)
    producer, tally = Producer(store, limits_of_store(session), applied=sending.types.take), Tally(time.time())
    sending.look_again(store)
    intake = store_events(
        sending.source,
        sending.reader,
        producer,
        stopping=sending.is_stopping,
        progress=lambda intake: sending.show(intake, tally, 0),
        stalled=sending.report_busy,
        rejected=sending.rejects.add,
    )
    sending.close(intake)
    return _summary(store, intake, tally, sending, Work.ENQUEUE)


def hand_over(session: Session, sending: Sending, *, wait: float, network: Callable[[], Network]) -> Summary:
    """Store the events, and follow their deliveries while a runner makes them.

    If the runner ends before they have ended, this process continues, unless it lacks a secret. ``network`` is called
    only then. Raises StateError if nothing was ever applied.
    """
    limits = limits_of_store(session)
    store, _ = applied_store(session, sending.is_stopping)
    producer, tally = Producer(store, limits, applied=sending.types.take), Tally(time.time())
    sending.look_again(store)
    intake = store_events(
        sending.source,
        sending.reader,
        producer,
        stopping=sending.is_stopping,
        progress=_Looks(store, sending, tally).show,
        stalled=sending.report_busy,
        rejected=sending.rejects.add,
        make_room=lambda _: _wait_for_room(store, limits, wait, sending),
    )

    def show(followed: Followed) -> None:
        sending.show(intake, tally, followed.claimed)

    until = time.monotonic() + wait
    if sending.is_interrupted or intake.refused:
        has_ended = True
    else:
        has_ended = follow(store, producer, tally, wait=wait, stopping=sending.is_stopping, progress=show)
    if not has_ended and _may_continue(session, producer, sending, network):
        left = max(0.0, until - time.monotonic())
        return _continue(session, sending, intake, tally, wait=left, network=network())
    sending.close(intake)
    return _summary(store, intake, tally, sending, Work.FOLLOW)


class _Looks:
    """Shows the progress while events are read, with a look at their deliveries from time to time."""

    def __init__(self, store: Store, sending: Sending, tally: Tally) -> None:
        self._store, self._sending, self._tally = store, sending, tally
        self._next_at, self._claimed = 0.0, 0

    def show(self, intake: Intake) -> None:
        """Show the progress."""
        began = time.monotonic()
        if began >= self._next_at:
            followed = self._store.followed()
            count(followed, self._tally)
            self._claimed = followed.claimed
            self._next_at = began + max(LOOK_SECONDS, 10 * (time.monotonic() - began))
        self._sending.show(intake, self._tally, self._claimed)


def _wait_for_room(store: Store, limits: StoreLimits, wait: float, sending: Sending) -> bool:
    """Wait up to ``wait`` seconds until a runner has delivered some of what waits in a full store."""
    until = time.monotonic() + wait
    while not sending.is_interrupted and store.has_runner() and time.monotonic() < until:
        if store.fullness().waiting <= ROOM * limits.max_waiting:
            return True
        time.sleep(ROOM_SECONDS)
    return False


def _may_continue(session: Session, producer: Producer, sending: Sending, network: Callable[[], Network]) -> bool:
    """Whether this process can make the deliveries of a runner that has ended. Standard error reports it."""
    from hookctl.cli.secrets import missing_secret

    try:
        if proxy := network().proxy:
            proxy.read_credentials()
        problem = missing_secret(session, producer.state) or missing_plugin(session.plugins, producer.state)
    except HookctlError as error:
        problem = error
    if problem is None:
        sending.say("The `hookctl run` on this store has ended. This process continues with the deliveries.")
        return True
    sending.say(
        f"The `hookctl run` on this store has ended, and this process cannot continue: {printable(problem.message)}.\n"
        "The events are stored. Start `hookctl run` again: it continues with the deliveries."
    )
    return False


def missing_plugin(plugins: Plugins, applied: AppliedState) -> HookctlError | None:
    """The error about a plugin that an active webhook needs and this process does not have; None if there is none."""
    for plan in applied.plans.values():
        if plan.status is not Status.ACTIVE:
            continue
        needed: list[tuple[str, PluginBlock, Collection[str]]] = [
            *(("auth", block, plugins.auth) for block in plan.auth),
            *(("validator", block, plugins.validators) for block in plan.response_validators),
            *([("transport", plan.transport, plugins.transports)] if plan.transport else []),
        ]
        for what, block, known in needed:
            if block.type not in known:
                return PluginError(f"no plugin provides the {what} {block.type!r} of {plan.name}")
    return None


def _continue(
    session: Session, sending: Sending, intake: Intake, followed: Tally, *, wait: float, network: Network
) -> Summary:
    """Make the attempts here, as ``send`` does without a runner."""
    with running(session, network, stopping=sending.is_stopping) as (runner, store):
        tally = runner.tally
        tally.started_at = followed.started_at
        tally.attempts += followed.attempts
        tally.delivered += followed.delivered
        tally.dead += followed.dead
        deliver(
            runner,
            store,
            wait=wait,
            stopping=sending.is_stopping,
            progress=lambda: sending.show(intake, tally, runner.in_flight),
            stalled=sending.report_busy,
        )
        runner.stop(GRACE)
        sending.close(intake)
        return _summary(store, intake, tally, sending, Work.FOLLOW)


def _summary(store: Store, intake: Intake, tally: Tally, sending: Sending, work: Work) -> Summary:
    followed = store.followed()
    store.check()  # the summary must not report events as accepted that the store has lost
    return Summary(
        intake,
        tally,
        followed.counts,
        sum(by_status.get(status, 0) for by_status in followed.counts.values() for status in DUE),
        min(followed.due.values(), default=None),
        sending.seconds,
        interrupted=sending.is_interrupted,
        work=work,
        has_runner=store.has_runner(),
    )
