"""``make demo``: it works, and it would say if it did not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(script: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )


def test_the_demo_delivers_everything() -> None:
    result = run(ROOT / "examples" / "demo" / "run.py")
    assert result.returncode == 0, result.stdout + result.stderr
    for line in (
        "Plan: 5 to add, 0 to change, 0 to remove.",
        "5 tests: 5 successful, 0 failed.",
        "1,000 events read: 1,000 accepted, 0 bad",
        "No changes.",
    ):
        assert line in result.stdout
    page = (ROOT / "docs/start.md").read_text(encoding="utf-8")
    shown_blocks = re.findall(r"^```\n(\$ hookctl .*?)^```", page, re.DOTALL | re.MULTILINE)
    assert len(shown_blocks) == 2
    for line in "".join(shown_blocks).splitlines():
        assert re.search(re.escape(line).replace(r"\.\.\.", ".*"), result.stdout), (
            f"docs/start.md shows {line!r}, and the demo does not print it"
        )
    assert "Authorization: Bearer ***" in result.stdout
    for secret in ("demo-siem-token", "demo-client-secret", "demo-password"):
        shown = [line for line in result.stdout.splitlines() if secret in line]
        assert all(line.startswith(("$ export", "$ hookctl listen")) for line in shown)


def test_the_demo_fails_when_the_receiver_gets_something_else(tmp_path: Path) -> None:
    script = tmp_path / "examples" / "demo" / "run.py"
    script.parent.mkdir(parents=True)
    shutil.copy(ROOT / "examples" / "demo" / "run.py", script)
    shutil.copytree(ROOT / "webhooks.d", tmp_path / "webhooks.d")
    siem = tmp_path / "webhooks.d" / "siem.yaml"
    siem.write_text(siem.read_text(encoding="utf-8").replace("status: active", "status: inactive"), encoding="utf-8")
    result = run(script)
    assert result.returncode == 1
    assert "The demo failed: the receiver got" in result.stderr
