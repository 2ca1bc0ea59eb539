"""Processes whose time and memory are measured, and what one turn of a way came to."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, NoReturn, Self

TICKS = os.sysconf("SC_CLK_TCK")
SETTLE = 0.5
"""Seconds at a steady pace before latencies count: connections are opened in that time."""
SAMPLE = 0.2
"""Seconds between two looks at the memory."""


class TurnError(Exception):
    """A way did not do what it was asked, and why."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a way is to deliver: events whose ids are ``prefix`` and a number from 0."""

    prefix: str
    count: int
    rate: float | None = None
    """Events a second, at a steady pace; None: as fast as it goes."""

    @property
    def ids(self) -> list[str]:
        return [f"{self.prefix}{number}" for number in range(self.count)]

    @property
    def warm_up(self) -> str:
        """The id of an event that is delivered before anything is measured."""
        return f"{self.prefix}warm"


@dataclass(frozen=True, slots=True)
class Done:
    """What a way says of its turn."""

    start: float
    """When the first event was given to it, in epoch seconds.

    The others followed at the pace that was asked for, whether or not it could take them.
    """
    expected: list[str]
    """The ids by which the receipts name the events, in their order."""
    receipts: list[tuple[str, float]]
    cpu: float
    """Seconds of user and system time of all its processes, without their start."""
    seconds: float | None = None
    """How long the whole process took, where it is one that ends."""


@contextmanager
def hard_limit(seconds: float) -> Iterator[None]:
    """Raises TurnError in the block, whatever it waits for, once so much time has passed."""

    def over(number: int, frame: object) -> NoReturn:  # noqa: ARG001 - as signal calls it
        raise TurnError(f"not done within {seconds:.0f} s")

    signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@dataclass(slots=True)
class Group:
    """Processes of one turn. All that still run are killed at the end of the block."""

    log: Path
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _peak: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _sampler: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for process in reversed(self._started):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # nothing that is kept depends on how it ends
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(BrokenPipeError):
                        stream.close()
        if self._sampler is not None:
            self._sampler.join()

    def start(
        self,
        *command: str,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:
        """Run a command; its standard error goes to the log, and its standard output can be read unless it is given."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=log, start_new_session=True
            )
        self._started.append(process)
        return process

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until it has ended, without taking its times away. Raises TurnError when it fails."""
        ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        if ended is None or ended.si_code != os.CLD_EXITED or ended.si_status:
            said = process.stdout.read().decode(errors="replace") if process.stdout else ""
            raise TurnError(f"ended with {ended.si_status if ended else 'nothing'}: {said}{self.last_words()}")

    def last_words(self) -> str:
        """The end of what was written to standard error."""
        return self.log.read_text(encoding="utf-8", errors="replace").strip()[-600:]

    def cpu(self, *only: subprocess.Popen[bytes]) -> float:
        """Seconds of user and system time so far, of these processes and theirs; without any, of all started here."""
        return sum(_cpu(pid) for pid in self._pids(only))

    def peak(self) -> int:
        """The most memory so far, in bytes."""
        return self._peak

    def memory(self, *only: subprocess.Popen[bytes]) -> int:
        """The memory of these processes and theirs now, in bytes; shared memory is counted once."""
        return sum(_memory(pid) for pid in self._pids(only))

    def _pids(self, only: Sequence[subprocess.Popen[bytes]] = ()) -> list[int]:
        return with_children([process.pid for process in only or self._started])

    def _sample(self) -> None:
        while not self._over.wait(SAMPLE):
            self._peak = max(self._peak, sum(_memory(pid) for pid in self._pids()))


def cpu_of(process: subprocess.Popen[bytes]) -> float:
    """Seconds of user and system time so far, of a process and those that it has started."""
    return sum(_cpu(pid) for pid in with_children([process.pid]))


def with_children(found: list[int]) -> list[int]:
    """Process ids, and after them those of all processes that they have started."""
    for pid in found:  # grows as it goes
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # it has just ended
                found += map(int, children.read_text(encoding="ascii").split())
    return found


def _cpu(pid: int) -> float:
    """Of the process, and of what it has started and waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:  # it has just ended, and its parent has its times
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


def _memory(pid: int) -> int:
    with contextlib.suppress(OSError):  # it has just ended
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a way, judged by nginx's log."""

    is_paced: bool
    rate: float
    """Receipts a second, from the first to the last."""
    whole_rate: float | None
    """Deliveries a second of a whole process, from its start to its end."""
    cpu: float
    """Microseconds a delivery."""
    peak: int
    latencies: tuple[float, ...]
    """Seconds from intake to receipt, sorted; only of a turn at a steady pace."""
    lost: int
    duplicates: int


def judge(job: Job, done: Done, peak: int) -> Turn:
    """Compare what was given with what was received."""
    wanted = {name: number for number, name in enumerate(done.expected)}
    first: dict[str, float] = {}
    duplicates = 0
    for name, at in done.receipts:
        if name in first:
            duplicates += 1
        elif name in wanted:  # and not what only warms up
            first[name] = at
    times = sorted(first.values())
    span = times[-1] - times[0] if len(times) > 1 else 0.0
    rate = job.rate
    return Turn(
        is_paced=rate is not None,
        rate=(len(times) - 1) / span if span else 0.0,
        whole_rate=len(times) / done.seconds if done.seconds else None,
        cpu=1e6 * done.cpu / max(1, len(times)),
        peak=peak,
        latencies=tuple(
            sorted(at - done.start - wanted[name] / rate for name, at in first.items() if wanted[name] >= SETTLE * rate)
        )
        if rate
        else (),
        lost=job.count - len(first),
        duplicates=duplicates,
    )
