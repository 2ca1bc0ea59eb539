"""Disks that fail and damaged files: an error names the store, nothing acknowledged is lost, damaged files stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookctl.model import DeliveryStatus

pytestmark = pytest.mark.one_store("sqlite", "it makes writes to the file fail; see test_server.py for a server")

FAULTS = {
    "fdatasync:error=EIO": (1, 2, 3, 4, 6, 8),
    "pwrite64:error=EIO": (1, 20, 60, 120),
    "pwrite64:error=ENOSPC": (1, 20, 60, 120),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_disk_that_fails_ends_the_run_with_an_error(site: Any, strace: Callable[..., list[str]], fault: str) -> None:
    """From one call on (of the intake, a claim or a mark), every one fails; once the disk works again, all goes on."""
    failed = 0
    for first, number in enumerate(FAULTS[fault]):
        ended = site.run(strace(f"{fault}:when={number}+"), site.intake_command(10 * first, 10))
        assert ended.returncode in {0, 1}, ended.stderr
        failed += ended.returncode
        assert ended.returncode == 0 or "StoreError: the store " in ended.stderr
        site.check()
    assert failed > 1
    site.go_on()
    site.check_all_delivered()


@pytest.mark.parametrize("fault", FAULTS)
def test_the_error_names_the_store(site: Any, strace: Callable[..., list[str]], fault: str) -> None:
    events = site.write(20)
    ended = site.run(strace(f"{fault}:when=1+"), ["-m", "hookctl", "send", events])
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: the store")
    assert "Traceback" not in ended.stderr
    assert site.receiver.count == 0
    site.check()
    assert site.send(events) == 0
    site.check_all_delivered(acknowledged={f"e{number}" for number in range(20)})


@pytest.fixture
def damaged(site: Any) -> Callable[[int, bytes], Path]:
    """``damaged(offset, data)``: the store after a run that is over, with these bytes written into it."""

    def damage(offset: int, data: bytes) -> Path:
        assert site.send(site.write(200)) == 0
        assert set(site.stored().values()) == {DeliveryStatus.DELIVERED}
        path: Path = site.store
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(data)
        return path

    return damage


def files(store: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in store.parent.iterdir()}


@pytest.mark.parametrize(
    "command",
    [["send", "events-1000.jsonl"], ["deliveries", "list"], ["plan"], ["apply", "--auto-approve"], ["list"]],
    ids=" ".join,
)
def test_a_bad_header_is_refused_and_the_file_kept(
    site: Any, damaged: Callable[[int, bytes], Path], command: list[str]
) -> None:
    before = files(damaged(0, b"no database file"))
    site.write(1, 1000)
    assert site.wait(site.start(*command)) == 1
    assert "is damaged or is not a database" in site.output
    assert files(site.store) == before


def test_a_corrupt_page_is_refused_and_the_file_kept(site: Any, damaged: Callable[[int, bytes], Path]) -> None:
    before = files(damaged(4096, b"\xff" * 40_000))
    assert site.send(site.write(1, 1000)) == 1
    assert "is damaged or is not a database" in site.output
    assert files(site.store) == before
    assert site.receiver.count == 200


def test_wherever_a_page_is_corrupt_it_is_never_written_over(site: Any, damaged: Callable[[int, bytes], Path]) -> None:
    """A run that does not read the damaged page is not affected; one that does ends with an error, at any point."""
    path = damaged(0, b"")
    whole, refused = path.read_bytes(), 0
    for page in range(1, len(whole) // 4096, 5):
        for left in site.store.parent.glob("hookctl.db-*"):
            left.unlink()
        path.write_bytes(whole[: page * 4096] + b"\xff" * 4096 + whole[(page + 1) * 4096 :])
        if site.send(site.write(1, 1000)):
            assert path.read_bytes()[page * 4096 : (page + 1) * 4096] == b"\xff" * 4096
            refused += 1
    assert refused > 3
    assert site.output.count("is damaged or is not a database") == refused
    assert "Traceback" not in site.output
