from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TEST = """
import requests
from hookctl.plugin.host import load_plugins

pytest_plugins = ["hookctl.testing.pytest_plugin"]

def test_it(receiver):
    adapter = load_plugins().transports["requests"].build({}, receiver.network())
    response = adapter.send(requests.Request("POST", receiver.url("/x"), json={"a": 1}).prepare(), timeout=10)
    adapter.close()
    assert response.json() == {"status": "accepted"}
    assert receiver.requests[0].json() == {"a": 1}
"""


def test_an_author_of_plugins_can_use_the_fixture(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(TEST)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout
