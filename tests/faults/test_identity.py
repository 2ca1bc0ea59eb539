"""One store is one file: under every name that leads to it the same, and gone when it is no longer at its path."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import warm
from hookctl.testing.answers import Answer

pytestmark = pytest.mark.one_store("sqlite", "a server has no file that could be moved, linked or replaced")

Start = Callable[..., "subprocess.Popen[str]"]


def delete(site: Any) -> None:
    site.store.unlink()


def rename(site: Any) -> None:
    site.store.rename(site.root / "elsewhere.db")


def rename_directory(site: Any) -> None:
    site.store.parent.rename(site.root / "elsewhere")


def restore_backup(site: Any) -> None:
    """As an administrator does it who has forgotten what runs."""
    with closing(sqlite3.connect(site.store)) as store, closing(sqlite3.connect(site.root / "backup.db")) as backup:
        store.backup(backup)
    (site.root / "backup.db").replace(site.store)


def delete_log(site: Any) -> None:
    site.store.with_name("hookctl.db-wal").unlink()


def delete_index(site: Any) -> None:
    site.store.with_name("hookctl.db-shm").unlink()


ENDINGS: dict[Callable[[Any], None], str] = {
    delete: "no longer exists",
    rename: "no longer exists",
    rename_directory: "no longer exists",
    restore_backup: "was replaced by another file",
    delete_log: "hookctl.db-wal of the store",
    delete_index: "hookctl.db-shm of the store",
}
each_ending = pytest.mark.parametrize("end", ENDINGS, ids=lambda end: end.__name__)


@pytest.fixture
def start(site: Any) -> Iterator[Start]:
    """Starts ``hookctl`` with these arguments and an open standard input; kills what is left at the end."""
    started: list[subprocess.Popen[str]] = []

    def start_one(*argv: str, **env: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "hookctl", *argv]
        pipe = subprocess.PIPE
        started.append(
            warm.Popen(
                command, cwd=site.root, env=os.environ | site.env | env, stdin=pipe, stdout=pipe, stderr=pipe, text=True
            )
        )
        return started[-1]

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def write(site: Any, process: subprocess.Popen[str], *names: str) -> None:
    assert process.stdin is not None
    process.stdin.write("".join(f"{json.dumps({**site.mock, 'id': name})}\n" for name in names))
    process.stdin.flush()


# -- one file, several names


@pytest.fixture
def linked(site: Any) -> dict[str, str]:
    """Names of the store by link: of the file, of its directory, and a relative one through another directory."""
    (site.root / "link.db").symlink_to(site.store)
    (site.root / "directory").symlink_to(site.store.parent)
    paths = {"file": site.root / "link.db", "directory": "directory/hookctl.db", "dots": ".hookctl/../link.db"}
    return {name: f"sqlite:///{path}" for name, path in paths.items()}


@pytest.mark.parametrize("name", ["file", "directory", "dots"])
def test_runners_that_know_a_store_by_different_names_send_nothing_twice(
    site: Any, start: Start, linked: dict[str, str], name: str
) -> None:
    site.receiver.default = Answer(delay=0.02)
    site.take_in(200)
    runs = [start("run"), start("run", HOOKCTL_STORE=linked[name])]
    site.wait_for(lambda: site.receiver.count >= 200)
    site.wait_for(lambda: {status.value for status in site.stored().values()} == {"delivered"})
    for process in runs:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    site.check_all_delivered()
    assert set(site.received().values()) == {1}
    assert sorted(path.name for path in site.root.glob("*.db*")) == ["link.db"]  # nothing is kept beside a link


def test_applies_under_different_names_hold_one_lock(site: Any, start: Start, linked: dict[str, str]) -> None:
    with closing(sqlite3.connect(site.store, isolation_level=None)) as store:
        store.execute("INSERT INTO lock VALUES (1, 'abcd', 'apply', 'someone@elsewhere', 1, '1', 1.0)")
    for name in linked.values():
        _, errors = start("apply", "--auto-approve", HOOKCTL_STORE=name).communicate()
        assert "the state is locked by someone@elsewhere" in errors


@pytest.mark.parametrize(
    "command",
    [["send", os.devnull], ["run"], ["apply", "--auto-approve"], ["plan"], ["deliveries", "list"], ["list"]],
    ids=" ".join,
)
def test_a_store_with_a_hard_link_is_refused_under_both_names(site: Any, start: Start, command: list[str]) -> None:
    os.link(site.store, site.root / "second.db")
    before = site.store.read_bytes()
    for path in (site.store, site.root / "second.db"):
        process = start(*command, HOOKCTL_STORE=f"sqlite:///{path}")
        output, errors = process.communicate()
        assert (process.returncode, output) == (1, "")
        assert f"the store {path} has 2 names (hard links)" in errors
        assert "-samefile" in errors
    assert site.store.read_bytes() == before
    assert not list(site.root.glob("second.db-*"))
    (site.root / "second.db").unlink()
    site.check()


def test_a_hard_link_made_under_a_run_that_has_nothing_to_do_ends_it(site: Any, start: Start) -> None:
    process = start("run", "--log", "json")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["event"] == "applied"
    os.link(site.store, site.root / "second.db")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "has 2 names (hard links)" in errors
    assert "Traceback" not in errors
    (site.root / "second.db").unlink()
    site.check()


def test_a_store_that_is_mounted_by_itself_is_refused(site: Any) -> None:
    """As with ``docker run --volume hookctl.db:/data/hookctl.db``. A mount of its directory is fine."""
    (site.root / "data").mkdir()
    (site.root / "data/hookctl.db").touch()
    script = (
        f"mount --bind {site.store} data/hookctl.db && "
        f"{sys.executable} -m hookctl --store sqlite:///data/hookctl.db list; "
        "mount --bind .hookctl data && "
        f"{sys.executable} -m hookctl --store sqlite:///data/hookctl.db list"
    )
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("nothing may be mounted here")
    ended = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        cwd=site.root,
        env=os.environ | site.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "is itself a mount point" in ended.stderr
    assert ended.returncode == 0
    assert "Siem" in ended.stdout


# -- a file that is gone


@each_ending
def test_nothing_is_acknowledged_once_the_store_is_gone(site: Any, end: Callable[[Any], None]) -> None:
    """The oracle: what was acknowledged before, and then at most the one event whose commit was checked just before."""
    pid = site.start_intake(0, 1_000_000)
    site.wait_for(lambda: len(site.acknowledged) > 20)
    end(site)
    known = len(site.acknowledged)
    assert site.wait(pid) != 0
    assert "StoreGoneError" in site.output
    assert ENDINGS[end] in site.output
    assert len(site.acknowledged) <= known + 1
    if end in {rename_directory, delete_log, delete_index}:  # it can be read again
        moved = site.root / "elsewhere/hookctl.db"
        with closing(sqlite3.connect(moved if end is rename_directory else site.store)) as store:
            assert site.acknowledged <= {name for (name,) in store.execute("SELECT id FROM events")}


@each_ending
def test_a_send_says_nothing_is_accepted_once_the_store_is_gone(
    site: Any, start: Start, end: Callable[[Any], None]
) -> None:
    process = start("send", "-")
    write(site, process, "e0", "e1")
    site.wait_for(lambda: site.receiver.count == 2)
    end(site)
    write(site, process, "e2", "e3")
    output, errors = process.communicate()
    assert process.returncode == 1
    assert output == ""
    assert ENDINGS[end] in errors
    assert "Traceback" not in errors
    assert site.receiver.count == 2
    assert end is rename_directory or not (site.root / "elsewhere").exists()


@each_ending
def test_a_run_ends_once_the_store_is_gone(site: Any, start: Start, end: Callable[[Any], None]) -> None:
    """Whether it has something to do or not: what it has not begun is not sent."""
    site.receiver.default = Answer(delay=0.3)
    site.apply(
        Siem=(
            "name: Siem\nevent: anomaly\nurl: https://siem.example.com/Siem\n"
            'body_template: \'{"event": "{{ id }}"}\'\nmax_in_flight: 1\n'
        )
    )
    idle = start("run", "--log", "json")
    busy = start("run", "--log", "json", HOOKCTL_CONNECT_TO=site.env["HOOKCTL_CONNECT_TO"])
    for process in (idle, busy):  # one that opened the store only later might open what replaces it
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["event"] == "applied"
    site.take_in(1000)
    site.wait_for(lambda: site.receiver.count > 2)
    end(site)
    begun = site.receiver.count
    for process in (idle, busy):
        _, errors = process.communicate()
        assert process.returncode == 1
        assert ENDINGS[end] in errors
        assert "Traceback" not in errors
    assert site.receiver.count <= begun + 8
    if end is rename_directory:  # it was moved whole: all goes on there
        shutil.move(site.root / "elsewhere", site.store.parent)
        site.check()


def test_a_run_that_has_nothing_to_do_ends_once_the_store_is_gone(site: Any, start: Start) -> None:
    process = start("run", "--log", "json")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["event"] == "applied"
    rename_directory(site)
    _, errors = process.communicate()
    assert process.returncode == 1
    assert "no longer exists" in errors
    assert not site.store.parent.exists()


def test_a_replay_says_nothing_once_the_store_is_gone(site: Any, start: Start) -> None:
    assert site.send(site.write(3)) == 0

    def move_away(_: Any) -> Answer:
        if site.store.parent.exists():
            rename_directory(site)
        return Answer()

    site.receiver.default = move_away
    process = start("deliveries", "replay", "--status", "delivered", "--yes")
    output, errors = process.communicate()
    assert (process.returncode, output) == (1, "")
    assert "no longer exists" in errors


def test_an_apply_says_nothing_is_applied_once_the_store_is_gone(
    site: Any, start: Start, webhook: Callable[..., str]
) -> None:
    """It is gone while the plan's test event is sent, between what was read and what is written."""

    def move_away(_: Any) -> Answer:
        rename_directory(site)
        return Answer()

    site.receiver.default = move_away
    (site.root / "webhooks.d/Siem.yaml").write_text(webhook("Siem", "timeout_seconds: 7"), encoding="utf-8")
    process = start("apply", "--auto-approve", "--test")
    output, errors = process.communicate()
    assert process.returncode == 1
    assert "Applied" not in output + errors
    assert "Traceback" not in errors


def test_a_link_that_leads_to_another_store_ends_the_run(site: Any, start: Start) -> None:
    """The name that a run was given must go on leading to what it has open."""
    link = site.root / "current"
    shutil.copytree(site.store.parent, site.root / "other")
    link.symlink_to(site.store.parent)
    process = start("run", HOOKCTL_STORE=f"sqlite:///{link}/hookctl.db")
    site.take_in(1)
    site.wait_for(lambda: site.receiver.count == 1)
    link.unlink()
    link.symlink_to(site.root / "other")
    _, errors = process.communicate()
    assert process.returncode == 1
    assert "was replaced by another file" in errors


def test_a_commit_into_a_store_that_is_gone_is_an_error(tmp_path: Path) -> None:
    from hookctl.errors import StoreGoneError
    from hookctl.model import Event
    from hookctl.store.records import NewDelivery, Routed
    from hookctl.store.sqlite.queue import SqliteQueue

    queue = SqliteQueue(tmp_path / "store/queue.db")
    queue.check()
    (tmp_path / "store").rename(tmp_path / "moved")
    with pytest.raises(StoreGoneError):
        queue.enqueue([Routed(Event("e1", "anomaly", 1.0, {"id": "e1"}), (NewDelivery("d1", "A"),))], 1.0)
    with pytest.raises(StoreGoneError):
        queue.check()
    (tmp_path / "moved").rename(tmp_path / "store")
    queue.check()
    queue.close()
