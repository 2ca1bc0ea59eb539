"""A command opens the store once, and closes it however the command ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookctl.cli.session import Session
from hookctl.store.sqlite.store import SqliteStore

Run = Callable[..., Any]
SIEM = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\n"


@pytest.fixture
def root(project: Callable[..., Path]) -> Path:
    return project({"webhooks.d/siem.yaml": SIEM})


@pytest.fixture
def uses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each time that a store is opened or closed."""
    found: list[str] = []
    opens, closes = SqliteStore.__init__, SqliteStore.close

    def opening(self: SqliteStore, *args: Any) -> None:
        found.append("opened")
        opens(self, *args)

    def closing(self: SqliteStore) -> None:
        closes(self)
        found.append("closed")

    monkeypatch.setattr(SqliteStore, "__init__", opening)
    monkeypatch.setattr(SqliteStore, "close", closing)
    return found


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("plan",), 0),
        (("apply", "--auto-approve"), 0),
        (("list",), 0),
        (("show", "Siem"), 0),
        (("doctor",), 0),
        (("deliveries", "list"), 0),
        (("deliveries", "show", "abcd"), 1),
        (("deliveries", "cancel", "--webhook", "Siem"), 0),
        (("deliveries", "resume", "Siem"), 1),
        (("deliveries", "replay", "--webhook", "Siem"), 0),
        (("send", "/dev/null"), 0),
        (("unlock", "abc"), 1),
    ],
)
def test_a_command_opens_the_store_once_and_closes_it(
    root: Path, run_cli: Run, uses: list[str], command: tuple[str, ...], code: int
) -> None:
    run_cli("apply", "--auto-approve", cwd=root)
    (root / "webhooks.d/new.yaml").write_text(SIEM.replace("Siem", "New"))
    uses.clear()
    assert run_cli(*command, cwd=root).exit_code == code
    assert uses == ["opened", "closed"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_it_is_closed_after_an_interrupt_and_after_a_fault(
    root: Path, run_cli: Run, uses: list[str], monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    run_cli("apply", "--auto-approve", cwd=root)
    uses.clear()

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(SqliteStore, "last_results", fail)
    assert run_cli("list", cwd=root).exit_code != 0
    assert uses == ["opened", "closed"]


@pytest.mark.parametrize(
    "command", [("plan",), ("list",), ("doctor",), ("unlock", "abc"), ("deliveries", "list"), ("run",)]
)
def test_a_command_that_only_reads_never_creates_the_store(
    root: Path, run_cli: Run, uses: list[str], command: tuple[str, ...]
) -> None:
    run_cli(*command, cwd=root)
    assert uses == []
    assert not (root / ".hookctl").exists()


def test_the_store_of_another_scheme_is_an_error(root: Path, run_cli: Run) -> None:
    for scheme in ("mysql", "postgres"):
        result = run_cli("--store", f"{scheme}://ada:secret@db/hookctl", "list", cwd=root)
        assert result.exit_code == 1
        assert f"'{scheme}://...' is not a store URL" in result.stderr
        assert "postgresql://USER@HOST/DATABASE" in result.stderr
        assert "secret" not in result.stdout + result.stderr


def test_a_session_that_is_closed_opens_its_store_again(tmp_path: Path, uses: list[str]) -> None:
    session = Session(given_store=f"sqlite:///{tmp_path}/hookctl.db")
    assert session.existing_store() is None
    assert session.store is session.store is session.existing_store()
    session.close()
    session.close()
    assert session.store.read_state().serial == 0
    session.close()
    assert uses == ["opened", "closed", "opened", "closed"]
