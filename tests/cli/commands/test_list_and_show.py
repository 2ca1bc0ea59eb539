"""``hookctl list`` and ``hookctl show``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from hookctl.store.sqlite.queue import SqliteQueue

Run = Callable[..., Any]
SIEM = """
name: Siem
event: anomaly
description: First line
url: https://siem.example.com/ingest
auth:
  - {type: bearer, token: "${env:TOKEN}"}
  - {type: headers, headers: {X-Key: "${env:KEY}"}}
body_template: |
  {
    "severity": "{{ data.severity }}"
  }
"""
QUIET = "name: Quiet one\nevent: anomaly\nstatus: inactive\nmethod: PUT\nurl: https://quiet.example.com/\n"
LATER = "name: Later\nevent: anomaly\nurl: https://later.example.com/\n"
GONE = "name: Gone\nevent: anomaly\nurl: https://gone.example.com/\n"


@pytest.fixture
def root(project: Callable[..., Path], run_cli: Run) -> Path:
    """Four webhooks: applied, changed since, not applied yet, and one whose file is gone."""
    root = project({"webhooks.d/siem.yaml": SIEM, "webhooks.d/quiet.yaml": QUIET, "webhooks.d/gone.yaml": GONE})
    run_cli("apply", "--auto-approve", cwd=root)
    (root / "webhooks.d/gone.yaml").unlink()
    project(
        {
            "webhooks.d/later.yaml": LATER,
            "webhooks.d/siem.yaml": SIEM.replace("First line", "Another line") + "timeout_seconds: 3\n",
        }
    )
    return root


def with_results(root: Path) -> None:
    """What the queue would have noted after two attempts."""
    store = root / ".hookctl/hookctl.db"
    SqliteQueue(store).close()
    connection = sqlite3.connect(store)
    connection.executemany(
        "INSERT INTO last_results VALUES (?, ?, ?)",
        [("Siem", "delivered", 1_790_000_000.5), ("Gone", "dead", 1_790_000_060.0)],
    )
    connection.commit()
    connection.close()


def test_table(run_cli: Run, root: Path, snapshot: SnapshotAssertion) -> None:
    with_results(root)
    result = run_cli("list", cwd=root)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == snapshot


def test_dots_have_color_and_shape(run_cli: Run, root: Path) -> None:
    table = run_cli("--color", "always", "list", cwd=root).stdout
    assert "\x1b[32m●\x1b[0m Siem" in table
    assert "\x1b[37m○\x1b[0m Quiet one" in table


def test_list_as_json(run_cli: Run, root: Path) -> None:
    with_results(root)
    rows = {row["name"]: row for row in json.loads(run_cli("list", "--format", "json", cwd=root).stdout)}
    assert {name: (row["status"], row["state"]) for name, row in rows.items()} == {
        "Gone": ("active", "file removed"),
        "Later": ("active", "not applied"),
        "Quiet one": ("inactive", "applied"),
        "Siem": ("active", "changed"),
    }
    assert rows["Siem"] == {
        "name": "Siem",
        "event": "anomaly",
        "method": "POST",
        "url": "https://siem.example.com/ingest",
        "host": "siem.example.com",
        "auth": ["bearer", "headers"],
        "status": "active",
        "state": "changed",
        "deliveries": {"waiting": 0, "retrying": 0, "held": 0, "dead": 0, "oldest_at": None, "due_at": None},
        "last_result": {"status": "delivered", "at": 1_790_000_000.5},
        "circuit": None,
        "held": None,
    }
    assert rows["Later"]["last_result"] is None


def test_nothing_yet(run_cli: Run, tmp_path: Path) -> None:
    result = run_cli("list", cwd=tmp_path)
    assert (result.exit_code, result.stdout) == (
        0,
        "No webhooks are applied.\n",
    )
    message = "There is no directory webhooks.d, and no webhooks are applied. Create it with `hookctl init`.\n"
    assert result.stderr == message
    assert json.loads(run_cli("list", "--format", "json", cwd=tmp_path).stdout) == []
    assert list(tmp_path.iterdir()) == []


def test_a_missing_directory_does_not_hide_what_runs(run_cli: Run, root: Path) -> None:
    result = run_cli("--dir", "absent", "list", cwd=root)
    assert result.stderr == (
        "There is no directory absent, so only what is applied is shown. Create it with `hookctl init`.\n"
    )
    assert "Siem" in result.stdout


def test_files_with_errors_and_nothing_applied(run_cli: Run, tmp_path: Path) -> None:
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d/a.yaml").write_text("name: [")
    result = run_cli("list", cwd=tmp_path)
    assert result.stdout == "No webhooks are applied.\n"
    assert "webhooks.d has errors" in result.stderr


def test_files_with_errors_do_not_hide_what_runs(run_cli: Run, root: Path) -> None:
    (root / "webhooks.d/siem.yaml").write_text("name: [")
    result = run_cli("list", cwd=root)
    assert result.exit_code == 0
    assert [line.split()[1] for line in result.stdout.splitlines()[1:]] == ["Gone", "Quiet", "Siem"]
    assert result.stderr == "webhooks.d has errors, so only what is applied is shown. See `hookctl validate`.\n"


def test_one_whole(run_cli: Run, root: Path, snapshot: SnapshotAssertion) -> None:
    with_results(root)
    result = run_cli("show", "Siem", cwd=root, env={"TOKEN": "canary-02bb", "KEY": "canary-02bb"})
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == snapshot
    assert "canary" not in result.stdout


def test_one_as_json(run_cli: Run, root: Path) -> None:
    shown = json.loads(run_cli("show", "Siem", "--format", "json", cwd=root).stdout)
    assert shown.keys() == {"name", "state", "deliveries", "last_result", "circuit", "held", "applied", "file"}
    assert (shown["state"], shown["applied"]["timeout_seconds"], shown["file"]["timeout_seconds"]) == ("changed", 15, 3)
    assert json.loads(run_cli("show", "Later", "--format", "json", cwd=root).stdout)["applied"] is None
    assert json.loads(run_cli("show", "Gone", "--format", "json", cwd=root).stdout)["file"] is None


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("siem", "Did you mean Siem?"),
        ("Seim", "Did you mean Siem?"),
        ("Quiet", "Did you mean Quiet one?"),
        ("Xyzzy", "See `hookctl list`."),
    ],
)
def test_an_unknown_name(run_cli: Run, root: Path, name: str, hint: str) -> None:
    result = run_cli("show", name, cwd=root)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: there is no webhook named {name!r}\n  {hint}\n"
