"""The table of the page on scale is what the simulation prints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_outage_is_the_simulated_one() -> None:
    printed = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "scale" / "outage.py"], capture_output=True, text=True, check=True
    ).stdout
    table = [line for line in printed.splitlines() if line.startswith("|")]
    assert len(table) > 10
    assert "\n".join(table) in (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
