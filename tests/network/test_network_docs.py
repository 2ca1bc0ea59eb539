"""docs/network.md says what is so: its table is the table, and the tests that it names exist."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path

from hookctl.network.addresses import BLOCKED_IPV4, BLOCKED_IPV6
from hookctl.network.url import MAX_URL_LENGTH

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "network.md").read_text(encoding="utf-8")


def test_the_table_is_the_table() -> None:
    rows = re.findall(r"^\| `([0-9a-f:./]+)` \| (.+) \|$", TEXT, re.MULTILINE)
    assert [(ip_network(network), why) for network, why in rows] == [*BLOCKED_IPV4, *BLOCKED_IPV6]
    assert f"{MAX_URL_LENGTH:,}" in TEXT


def test_the_tests_exist() -> None:
    files = [ROOT / name for name in re.findall(r"tests/[\w/]+/test_\w+\.py", TEXT)]
    assert all(file.is_file() for file in files)
    areas = ("network", "plugins/transport", "hostile", "faults")
    paths = [path for area in areas for path in (ROOT / "tests" / area).glob("test_*.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in paths)
    named = set(re.findall(r"`(test_\w+)`", TEXT))
    assert len(named) > 20
    assert {name for name in named if f"def {name}(" not in code} == set()
