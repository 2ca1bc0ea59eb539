"""``jsonl``: what its lines contain, rotation, several writers, and a full disk."""

from __future__ import annotations

import errno
import json
import logging
import os
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hookctl.delivery.runner.observing import Observers
from hookctl.errors import HookctlError, SettingsError
from hookctl.model import (
    Attempt,
    AttemptTrace,
    Delivery,
    DeliveryStatus,
    Failure,
    FailureKind,
    Mismatch,
    Request,
    Response,
    Timing,
    TraceContext,
    Verdict,
)
from hookctl.plugin import Observer
from hookctl_plugins.observer.jsonl import build
from hookctl_plugins.observer.rotating_file import RotatingFile

DELIVERY = Delivery("d1", "e\n1", "Siem", DeliveryStatus.DELIVERED, 2, 60.0, "", 1.5)
ATTEMPT = Attempt(
    plan_digest="abc",
    number=2,
    started_at=1_700_000_000.25,
    request=Request("POST", "https://siem.example.com/?key=***", (("Authorization", "Bearer ***"),), b'{"body": 1}'),
    response=Response(200, "OK", (("X-A", "b"),), b'{"answer": 1}'),
    failure=None,
    timing=Timing(total=0.1234567),
    trace=AttemptTrace(TraceContext("4b" * 16, "0f" * 8, is_sampled=True), "aa" * 8, 1.5),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
def make(path: Path) -> Iterator[Callable[..., Observer]]:
    made: list[Observer] = []

    def build_one(**settings: Any) -> Observer:
        made.append(build({"path": str(path), **settings}))
        return made[-1]

    yield build_one
    for one in made:
        assert one.close is not None
        one.close()


def note(observer: Observer, delivery: Delivery = DELIVERY, attempt: Attempt = ATTEMPT) -> None:
    assert observer.attempted is not None
    observer.attempted(delivery, attempt)


def end(observer: Observer, delivery: Delivery = DELIVERY) -> None:
    assert observer.ended is not None
    observer.ended(delivery)


def lines(*paths: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in paths for line in path.read_text(encoding="ascii").splitlines()]


def test_an_attempt_and_the_end_are_a_line_each_without_bodies_and_headers(
    make: Callable[..., Observer], path: Path
) -> None:
    observer = make()
    note(observer)
    end(observer)
    attempt, ended = lines(path)
    assert attempt == {
        "at": "2023-11-14T22:13:20.250Z",
        "type": "attempt",
        "webhook": "Siem",
        "delivery": "d1",
        "event_id": "e\n1",
        "attempt": 2,
        "plan_digest": "abc",
        "method": "POST",
        "url": "https://siem.example.com/?key=***",
        "http_status": 200,
        "failure": None,
        "message": None,
        "mismatches": [],
        "seconds": 0.123457,
        "status": "delivered",
        "reason": "",
        "due_at": None,
        "trace_id": "4b" * 16,
    }
    assert ended.pop("at") > "2025"
    assert ended == {
        "type": "end",
        "webhook": "Siem",
        "delivery": "d1",
        "event_id": "e\n1",
        "status": "delivered",
        "attempts": 2,
        "reason": "",
        "created_at": "1970-01-01T00:00:01.500Z",
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_failure_a_mismatch_and_a_retry_are_named(make: Callable[..., Observer], path: Path) -> None:
    from msgspec.structs import replace

    observer = make()
    retrying = replace(DELIVERY, status=DeliveryStatus.RETRYING, reason="timeout")
    failed = replace(ATTEMPT, request=None, response=None, failure=Failure(FailureKind.TIMEOUT, "too slow"), trace=None)
    note(observer, retrying, failed)
    verdicts = (Verdict("status"), Verdict("json_path $.ok", (Mismatch("json_path $.ok", "no"),)))
    note(observer, retrying, replace(ATTEMPT, verdicts=verdicts))
    first, second = lines(path)
    assert (first["failure"], first["message"], first["url"], first["trace_id"]) == ("timeout", "too slow", None, None)
    assert (first["status"], first["reason"], first["due_at"]) == ("retrying", "timeout", "1970-01-01T00:01:00.000Z")
    assert second["mismatches"] == ["json_path $.ok"]


def test_a_held_delivery_has_not_ended(make: Callable[..., Observer], path: Path) -> None:
    from msgspec.structs import replace

    observer = make()
    end(observer, replace(DELIVERY, status=DeliveryStatus.HELD))
    end(observer, replace(DELIVERY, status=DeliveryStatus.DEAD, reason="HTTP 404"))
    assert [(line["status"], line["reason"]) for line in lines(path)] == [("dead", "HTTP 404")]


def test_files_are_rotated_by_size_and_only_so_many_are_kept(path: Path) -> None:
    with closing(RotatingFile(path, 10, 2)) as file:
        for number in range(9):
            file.write(f"{number}234\n".encode())
    assert sorted(one.name for one in path.parent.iterdir()) == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    contents = [path.with_name(f"audit.jsonl{end}").read_text(encoding="ascii") for end in (".2", ".1", "")]
    assert contents == ["4234\n5234\n", "6234\n7234\n", "8234\n"]
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}


def test_a_line_longer_than_the_size_is_written_whole(path: Path) -> None:
    with closing(RotatingFile(path, 10, 1)) as file:
        file.write(b"x" * 50 + b"\n")
        file.write(b"y\n")
    assert path.read_bytes() == b"y\n"
    assert path.with_name("audit.jsonl.1").read_bytes() == b"x" * 50 + b"\n"


@pytest.mark.parametrize("remove", [True, False])
def test_after_a_rename_by_logrotate_a_new_file_is_begun(path: Path, remove: bool) -> None:
    with closing(RotatingFile(path, 1e9, 1)) as file:
        file.write(b"one\n")
        moved = path.rename(path.with_name("moved"))
        if remove:
            moved.unlink()
        file.write(b"two\n")
        assert path.read_bytes() == b"two\n"
        assert remove or moved.read_bytes() == b"one\n"


WRITER = """
import sys
from pathlib import Path
from hookctl_plugins.observer.rotating_file import RotatingFile
file = RotatingFile(Path(sys.argv[1]), 20_000, 50)
for number in range(1000):
    file.write((sys.argv[2] * 90 + str(number) + "\\n").encode())
"""


def test_processes_that_write_and_rotate_at_the_same_time_lose_and_tear_no_line(path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*command, letter]) for letter in "abc"]  # our own code
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    files = [*path.parent.iterdir()]
    found = [line for file in files for line in file.read_text(encoding="ascii").splitlines()]
    assert Counter(found) == Counter(letter * 90 + str(number) for letter in "abc" for number in range(1000))
    assert len(files) > 10
    assert max(file.stat().st_size for file in files) <= 20_000


def test_a_full_disk_is_logged_once_stops_nothing_and_leaves_no_torn_line(
    make: Callable[..., Observer], path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    observer = make()
    note(observer)
    write = os.write

    def half(descriptor: int, data: bytes) -> int:
        if len(data) < 100:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data[: len(data) // 2])

    monkeypatch.setattr("hookctl_plugins.observer.rotating_file.os.write", half)
    observers = Observers([observer])
    with caplog.at_level(logging.WARNING):
        observers.notify([(DELIVERY, ATTEMPT)] * 3)
        observers.close(20.0)
    (message,) = caplog.messages
    assert message.startswith(
        f"observer jsonl: {path} cannot be written: No space left on device. Deliveries continue."
    )
    assert len(lines(path)) == 1
    monkeypatch.undo()
    end(observer)
    assert [(line["type"], line.get("lines")) for line in lines(path)] == [
        ("attempt", None),
        ("missed", 6),
        ("end", None),
    ]


@pytest.mark.parametrize("kind", ["directory", "link", "pipe"])
def test_only_a_regular_file_is_written(make: Callable[..., Observer], path: Path, kind: str) -> None:
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(path.with_name("elsewhere"))
    observer = make()
    with pytest.raises(HookctlError, match=f"^observer jsonl: {path} cannot be written: "):
        end(observer)
    assert not path.with_name("elsewhere").exists()


def test_the_directory_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"the directory .*missing does not exist"):
        build({"path": str(tmp_path / "missing" / "audit.jsonl")})


def test_settings_are_sizes_and_counts(make: Callable[..., Observer], path: Path) -> None:
    observer = make(size="1kB", files=1)
    for _ in range(9):
        note(observer)
    assert sorted(one.name for one in path.parent.iterdir()) == ["audit.jsonl", "audit.jsonl.1"]
    assert path.with_name("audit.jsonl.1").stat().st_size <= 1000
