from collections.abc import Callable
from pathlib import Path

import pytest
from hookctl.kit.contracts import TransportContract
from hookctl.kit.project import Project

import hookctl_unix_socket as mine

WEBHOOK = """
name: Spooled
event: anomaly
url: spool:anomalies
transport:
  type: unix_socket
  directory: spool
body_template: |
  {"id": "{{ id }}"}
"""


class TestContract(TransportContract):
    plugin = mine
    name = "unix_socket"
    settings = {"directory": "spool"}
    refused = ({"directory": ""},)
    url = "spool:anomalies"
    refused_urls = ("spool:../elsewhere", "spool:")
    is_https = False

    @pytest.fixture(autouse=True)
    def _spool(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "spool").mkdir()


def test_a_body_is_a_line(hookctl_project: Callable[..., Project]) -> None:
    project = hookctl_project({"webhooks.d/spooled.yaml": WEBHOOK, "spool/.keep": ""}, mine)
    result = project.run("test", "Spooled")
    assert result.exit_code == 0, result.stdout + result.stderr
    assert (project.root / "spool/anomalies.jsonl").read_text().startswith('{"id": ')


def test_a_directory_that_is_missing_is_named(hookctl_project: Callable[..., Project]) -> None:
    project = hookctl_project({"webhooks.d/spooled.yaml": WEBHOOK}, mine)
    result = project.run("test", "Spooled")
    assert result.exit_code == 1
    assert "cannot be written: No such file or directory" in " ".join(result.stdout.split())
