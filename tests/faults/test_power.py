"""Power cuts: whatever the disk has made of the writes that it had not confirmed, nothing acknowledged is lost.

What the disk may hold is computed from the system calls of a process, as ``strace`` recorded them. What was written to
a file is certainly there once ``fdatasync`` has returned. Of what came later, each write may be there or not, or a part
of it, in any order. A new file may be missing until its directory was synced.
"""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hookctl.store.sqlite.queue import SqliteQueue

pytestmark = pytest.mark.one_store("sqlite", "it derives what the disk may hold from writes to the file")

EVENTS = 60
SHARE = 0.1
"""Of the moments at which the power is cut, beside those of the acknowledgements."""
OPTIONS = (
    "-f",
    "-qq",
    "-y",
    "-xx",
    "-s",
    "1000000",
    "-e",
    "trace=openat,pwrite64,write,ftruncate,fdatasync,fsync,unlink",
)
SECTOR = 512
_LINE = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(\(| resumed>)(.*)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_FILE = re.compile(r"\d+<((?:\\x[0-9a-f]{2})*)>")
_LAST_NUMBER = re.compile(r", (\d+)(?:\)| <unfinished)")


@dataclass
class File:
    """A file: what is certainly on disk, and what came later: (offset, data), or where it was cut, (length, None)."""

    synced: bytes
    is_named: bool = True
    """Its name is on the disk for certain, too."""
    later: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self, count: int) -> None:
        """The first ``count`` of what came later are on the disk."""
        for change in self.later[:count]:
            self.synced = _changed(self.synced, *change)
        del self.later[:count]

    def after_power_cut(self, chance: random.Random) -> bytes | None:
        """What may be found then; None: no file."""
        if not self.is_named and chance.random() < 0.5:
            return None
        found = self.synced
        for at, data in self.later:
            kept = chance.choice(("all", "part", "none"))
            if kept != "none":
                sectors = chance.randrange(len(data or b"") // SECTOR + 1)
                found = _changed(found, at, data[: sectors * SECTOR] if data and kept == "part" else data)
        return found


def _changed(content: bytes, at: int, data: bytes | None) -> bytes:
    before = content[:at].ljust(at, b"\0")
    return before if data is None else before + data + content[at + len(data) :]


class Disk:
    """The files of one folder, as they change from call to call."""

    def __init__(self, folder: Path) -> None:
        """Begins with what is there now, all of it on the disk for certain."""
        self._folder = folder
        self._files = {
            path.name: File(path.read_bytes())
            for path in folder.iterdir()
            if path.is_file() and not path.name.endswith("-shm")
        }
        self._syncing: dict[str, tuple[Path, int]] = {}

    def play(self, trace: Path, told: Path) -> Iterator[str]:
        """Go through the trace, and stop before each change of the directory and each text that is written to ``told``.

        Gives that text, or an empty one for a change of the directory.
        """
        for line in trace.read_text(encoding="ascii").splitlines():
            if not (parts := _LINE.match(line)):
                continue  # a signal, or an end
            process, call, begins, rest = parts.groups()
            named = _TEXT.search(rest) if call in {"openat", "unlink"} else _FILE.match(rest)
            if begins == "(" and named:
                path = Path(_bytes(named[1]).decode())
                if call == "write" and path == told:
                    yield _bytes(_found(_TEXT, rest)).decode()
                elif call in {"fdatasync", "fsync"}:
                    self._syncing[process] = path, len(self._files[path.name].later) if path.name in self._files else 0
                elif path.parent == self._folder and not path.name.endswith("-shm") and "-worker-" not in path.name:
                    # what is shared memory, or tells that a process lives, is never found again
                    yield ""
                    self._change(call, path.name, rest)
            if call in {"fdatasync", "fsync"} and "<unfinished" not in rest:
                self._synced(*self._syncing.pop(process))

    def _change(self, call: str, name: str, rest: str) -> None:
        if call == "openat" and "O_CREAT" in rest:
            self._files.setdefault(name, File(b"", is_named=False))
        elif call == "unlink":
            del self._files[name]
        elif call == "pwrite64":
            self._files[name].later.append((int(_found(_LAST_NUMBER, rest)), _bytes(_found(_TEXT, rest))))
        elif call == "ftruncate":
            self._files[name].later.append((int(_found(_LAST_NUMBER, rest)), None))

    def _synced(self, path: Path, count: int) -> None:
        if path == self._folder:
            for file in self._files.values():
                file.is_named = True
        elif path.name in self._files:
            self._files[path.name].sync(count)

    def cut_power(self, into: Path, chance: random.Random) -> None:
        """Write into a new folder what may be found after a power cut at this moment."""
        into.mkdir()
        for name, file in self._files.items():
            content = file.after_power_cut(chance)
            if content is not None:
                (into / name).write_bytes(content)

    @property
    def unsure(self) -> int:
        """How many writes may be on the disk or not."""
        return sum(len(file.later) for file in self._files.values())


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _found(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    assert found is not None, text[:200]
    return found[1]


def test_a_power_cut_loses_nothing_acknowledged(site: Any, strace: Callable[..., list[str]], tmp_path: Path) -> None:
    """Events are accepted and delivered; power is cut at each acknowledgement, and within commits and checkpoints."""
    trace, found = tmp_path / "trace", tmp_path / "found"
    disk, chance = Disk(site.store.parent), random.Random(7)  # noqa: S311  # reproducible, not secret
    ended = site.run([strace()[0], *OPTIONS, "-o", str(trace)], site.intake_command(0, EVENTS))
    assert ended.returncode == 0, ended.stderr
    acknowledged: set[str] = set()
    unsure = 0
    for text in disk.play(trace, site.root / "acknowledged"):
        if not text and chance.random() > SHARE:
            continue
        acknowledged.update(text.split())
        unsure += disk.unsure
        disk.cut_power(found, chance)
        with closing(SqliteQueue(found / site.store.name)) as queue:
            assert acknowledged <= {one.event_id for one in queue.deliveries()}
        with closing(sqlite3.connect(found / site.store.name)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        shutil.rmtree(found)
    assert acknowledged == {f"e{number}" for number in range(EVENTS)}
    assert unsure > EVENTS, "there was hardly anything that a power cut could take"
