"""``hookctl apply`` keeps the commit that it applied."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hookctl.store.sqlite.store import SqliteStore

SIEM = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/ingest\n"


def git(root: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    done = subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_each_apply_keeps_the_commit_that_is_checked_out(
    project: Callable[..., Path], run_cli: Callable[..., Any]
) -> None:
    root = project({"webhooks.d/siem.yaml": SIEM, ".gitignore": ".hookctl\n"})
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
    git(root, "init", "--quiet")
    (root / "webhooks.d/siem.yaml").write_text(f"{SIEM}timeout_seconds: 3\n", encoding="utf-8")
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0  # no commit yet
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "Add a webhook")
    (root / "notes.txt").write_text("not a webhook\n", encoding="utf-8")
    (root / "webhooks.d/siem.yaml").write_text(f"{SIEM}timeout_seconds: 4\n", encoding="utf-8")
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
    git(root, "commit", "--quiet", "--all", "--message", "Wait longer")
    head, first = git(root, "rev-parse", "HEAD"), git(root, "rev-parse", "HEAD~1")
    assert run_cli("destroy", "--yes", cwd=root).exit_code == 0
    store = SqliteStore(root / ".hookctl/hookctl.db")
    assert [entry.commit for entry in store.history(10).entries] == [head, f"{first}-dirty", "", ""]
    store.close()
