"""The store's writer: a thread that makes one commit after another while the caller goes on with something else."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from hookctl.errors import StoreError
from hookctl.network.shortage import HINT, shortage_of

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")


class Writer:
    """Runs operations on one thread, in the order in which they are submitted. Belongs to the thread that submits.

    The thread starts with the first operation, so a command that only reads has none.
    """

    def __init__(self) -> None:
        self._operations: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._last: Future[object] | None = None

    def submit(self, operation: Callable[[], T]) -> Future[T]:
        """Run ``operation`` on the thread; the future gets its result, or what it raises.

        Raises StoreError when the machine has no thread for it; ``operation`` does not run then.
        """
        from concurrent.futures import Future  # imports logging, which a command that only reads does not need

        if self._thread is None:
            self._start()
        future: Future[T] = Future()
        self._operations.put(lambda: _run(operation, future))
        self._last = future  # type: ignore[assignment]  # only its end matters
        return future

    def wait(self) -> None:
        """Wait until no operation is in progress."""
        if self._last is not None:
            self._last.exception()  # whoever submitted the operation learns of its error
            self._last = None

    def close(self) -> None:
        """Wait for what was submitted, and end the thread."""
        if self._thread is not None:
            self._operations.put(None)
            self._thread.join()
            self._thread = None

    def _start(self) -> None:
        thread = Thread(target=self._work, name="hookctl-commit", daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError) as error:
            lack = shortage_of(error) or "this machine has no thread left for the store's commits"
            raise StoreError(f"the store cannot be written: {lack}", hint=HINT) from error
        self._thread = thread

    def _work(self) -> None:
        while (operation := self._operations.get()) is not None:
            operation()


def _run(operation: Callable[[], T], future: Future[T]) -> None:
    try:
        result = operation()
    except BaseException as error:  # noqa: BLE001  # the future carries it to the thread that submitted the operation
        future.set_exception(error)
    else:
        future.set_result(result)
