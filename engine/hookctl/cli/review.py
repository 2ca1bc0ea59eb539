"""Reviews for commands: their options from the command line and the settings, and the store that they read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hookctl.cli.repository import cache_folder
from hookctl.cli.safety import removal_limit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hookctl.cli.session import Session
    from hookctl.config.effects import Recent
    from hookctl.config.review import Options, StoreReader
    from hookctl.model import AppliedState, DeliveryStatus, Json
    from hookctl.store.interface import Stopped
    from hookctl.store.sqlite.queue import SqliteQueue


def review_options(
    session: Session,
    *,
    only: tuple[str, ...] = (),
    against: str | None = None,
    samples: tuple[Mapping[str, Json], ...] = (),
    recent: Recent | None = None,
) -> Options:
    """What a review is about: the options of the command, and the settings of this machine."""
    from hookctl.config.review import Options

    return Options(
        only=only,
        against=against,
        samples=samples,
        recent=recent,
        policies=session.settings.get("policies", {}),
        removal_limit=removal_limit(session),
        cache=cache_folder(),
        progress=lambda words: session.progress.update(lambda: words),
    )


@contextmanager
def read_store(session: Session) -> Iterator[StoreReader | None]:
    """The store, to be read; None where there is none yet: a review never creates it."""
    if not session.store_path.exists():
        yield None
        return
    from hookctl.cli.running import opened_queue

    with opened_queue(session.store_path) as queue:
        yield _Reader(session, queue)


class _Reader:
    def __init__(self, session: Session, queue: SqliteQueue) -> None:
        self._session, self._queue = session, queue

    def read(self) -> AppliedState:
        from hookctl.store.sqlite.applied import AppliedStore

        return AppliedStore(self._session.store_path).read()

    def stopped(self, applied: AppliedState) -> Sequence[Stopped]:
        return self._queue.stopped(applied)

    def recent_events(self, limit: int) -> Sequence[Mapping[str, Json]]:
        return self._queue.recent_events(limit)

    def counts(self) -> Mapping[str, Mapping[DeliveryStatus, int]]:
        return self._queue.counts()
