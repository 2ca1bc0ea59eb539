"""Which runners work on a store, and how to wake them: each reads a named pipe of its own.

The kernel closes the pipe when a runner's process ends, however it ends. So whoever opens the pipe to write also learns
whether the runner is alive. The pipes are in a directory of their own beside the store, which only its user can enter.

A lost wake-up costs only time: a runner also looks for due deliveries ten times a second.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

NAME = re.compile("[0-9a-f]{16}")
"""The form of a pipe's name."""
QUIET_SECONDS = 0.005
"""Seconds after a wake-up for which the next ones wait, so that many producers wake a runner only once."""
PIPE_BYTES = 65536
ENTER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
WRITE = os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC


@contextmanager
def announce(path: Path, wake: Callable[[], None]) -> Iterator[None]:
    """Inside the block, others find this process as a runner on the store at ``path``; ``wake`` runs on a thread.

    Where the file system has no named pipes, or the machine lacks a thread or a file, this logs a warning. Others then
    find no runner.
    """
    try:
        directory = _enter(path)
        name, pipe = _make_pipe(directory)
    except OSError as error:
        _warn(path, error.strerror or str(error))
        yield
        return
    ending = Event()
    listener = Thread(target=_listen, args=(pipe, wake, ending), name="hookctl-wake", daemon=True)
    try:
        with _without_thread(path):
            listener.start()
        yield
    finally:
        ending.set()
        with suppress(OSError):  # the directory may be gone
            os.unlink(name, dir_fd=directory)
        if listener.ident is not None:
            os.write(pipe, b"\0")
            listener.join()
        os.close(pipe)
        os.close(directory)
        with suppress(OSError):  # another runner uses it
            _directory(path).rmdir()


def wake(path: Path) -> bool:
    """Have the runners on the store at ``path`` look for due deliveries now. Whether any is alive. Never raises."""
    return _reach(path, b"\0")


def is_any_alive(path: Path) -> bool:
    """Whether a runner works on the store at ``path``. Never raises."""
    return _reach(path, b"")


def _directory(path: Path) -> Path:
    return path.with_name(f"{path.name}-runners")


def _enter(path: Path) -> int:
    """A descriptor of the directory, which is created if necessary."""
    while True:
        with suppress(FileExistsError):
            _directory(path).mkdir(mode=0o700)
        with suppress(FileNotFoundError):  # a runner that has just ended deleted it
            return os.open(_directory(path), ENTER)


def _make_pipe(directory: int) -> tuple[str, int]:
    """The name and the descriptor of a new pipe. The directory is closed on an error."""
    name = secrets.token_hex(8)
    try:
        os.mkfifo(f".{name}", 0o600, dir_fd=directory)
        # Open for writing, too: otherwise each writer that closes the pipe would end the input.
        pipe = os.open(f".{name}", os.O_RDWR | os.O_CLOEXEC, dir_fd=directory)
        # Renamed once it has a reader, so that nobody takes the runner for a dead one.
        os.rename(f".{name}", name, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError:
        os.close(directory)
        raise
    return name, pipe


def _listen(pipe: int, wake: Callable[[], None], ending: Event) -> None:
    while True:
        os.read(pipe, PIPE_BYTES)
        if ending.is_set():
            return
        wake()
        time.sleep(QUIET_SECONDS)


@contextmanager
def _without_thread(path: Path) -> Iterator[None]:
    """Log a warning if the block cannot start a thread. Writers fill the pipe then, and do not wait for that."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        _warn(path, str(error))


def _reach(path: Path, message: bytes) -> bool:
    """Write ``message`` to each pipe, and delete those of dead runners. Whether there is another."""
    try:
        directory = os.open(_directory(path), ENTER)
    except OSError:
        return False
    try:
        names = [name for name in os.listdir(directory) if NAME.fullmatch(name)]  # noqa: PTH208 - a descriptor is not a Path
        return sum(_write(directory, name, message) for name in names) > 0  # each is woken
    except OSError:
        return False
    finally:
        os.close(directory)


def _write(directory: int, name: str, message: bytes) -> bool:
    try:
        pipe = os.open(name, WRITE, dir_fd=directory)
    except OSError as error:
        if error.errno == errno.ENXIO:  # nobody reads it: its runner is dead
            with suppress(OSError):
                os.unlink(name, dir_fd=directory)
        return False
    try:
        if not stat.S_ISFIFO(os.fstat(pipe).st_mode):
            return False
        with suppress(BlockingIOError):  # it is full, so its runner is about to be woken
            os.write(pipe, message)
    except OSError:  # the runner has ended at this moment
        return False
    finally:
        os.close(pipe)
    return True


def _warn(path: Path, why: str) -> None:
    import logging  # slow to import, and hardly ever needed

    logging.getLogger(__name__).warning("other processes cannot wake this runner on the store %s: %s", path, why)
