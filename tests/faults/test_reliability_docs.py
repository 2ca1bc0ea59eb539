"""docs/reliability.md names a test for each fault: each of them exists, and no test of this suite is left out."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def defined(folder: Path) -> set[str]:
    return {
        name
        for file in folder.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE)
    }


def test_each_fault_has_a_test_that_exists() -> None:
    rows = [
        line.split("|")[1:-1]
        for line in TEXT.splitlines()
        if line.startswith("|") and not line.startswith(("| fault", "| ---"))
    ]
    assert len(rows) > 20
    assert [fault for fault, _, tests in rows if not re.search(r"`test_\w+`", tests)] == []
    assert set(re.findall(r"`(test_\w+)`", TEXT)) - defined(ROOT / "tests") == set()
    assert [name for name in re.findall(r"`(tests/[\w/.]+)`", TEXT) if not (ROOT / name).exists()] == []


def test_each_test_of_the_suite_is_named() -> None:
    assert defined(Path(__file__).parent) - set(re.findall(r"`(test_\w+)`", TEXT)) == {
        "test_each_fault_has_a_test_that_exists",
        "test_each_test_of_the_suite_is_named",
    }
