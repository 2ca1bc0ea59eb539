"""docs/comparison.md: what it says of others names a source that cannot change."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs/comparison.md").read_text(encoding="utf-8")
SOURCES = dict(re.findall(r"^\[([\w-]+)\]: (\S+)$", PAGE, re.MULTILINE))
OTHERS = slice(1, 6)
"""The columns of features that are about projects; a queue worker is whatever one writes."""
CLAIMS = ("●", "◐", "C", "$")
"""What a cell begins with when it says that a feature exists, without a link."""


def features() -> list[list[str]]:
    table = PAGE[PAGE.index("| feature |") :].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def test_every_row_has_a_cell_for_each_project() -> None:
    (header,) = re.findall(r"^\| feature .*$", PAGE, re.MULTILINE)
    columns = header.count("|") - 1
    assert [row for row in features() if len(row) != columns] == []


def test_whatever_another_project_has_names_its_source() -> None:
    assert [cell for row in features() for cell in row[OTHERS] if cell.startswith(CLAIMS) and "][" not in cell] == []


def test_each_source_is_used_and_each_use_has_a_source() -> None:
    assert set(SOURCES) == set(re.findall(r"\]\[([\w-]+)\]", PAGE))


def test_code_and_documentation_on_github_are_cited_at_a_commit() -> None:
    files = [url for url in SOURCES.values() if re.match(r"https://github\.com/[^/]+/[^/]+/(blob|tree)/", url)]
    assert files
    assert [url for url in files if not re.search(r"/(blob|tree)/[0-9a-f]{40}/", url)] == []
