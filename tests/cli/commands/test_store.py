"""``hookctl store``, and every step of a project whose store is on a server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.postgres_server import drop, server

from hookctl.plugin.host import load_plugins
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
WEBHOOK = """
name: Siem
event: anomaly
url: https://siem.example.com/
body_template: |
  {"event": "{{ id }}"}
"""


@pytest.fixture
def url() -> Iterator[str]:
    url = server().url()
    yield url
    drop(url)


def env(receiver: Receiver, url: str) -> dict[str, str]:
    return {
        "HOOKCTL_STORE": url,
        "HOOKCTL_CACERT": receiver.ca_file,
        "HOOKCTL_CONNECT_TO": f"siem.example.com:443:{receiver.address}:{receiver.port}",
    }


def test_a_project_on_a_server_and_its_way_to_a_file_and_back(
    project: Callable[[Mapping[str, str]], Path],
    run_cli: Run,
    receiver: Receiver,
    url: str,
    tmp_path: Path,
) -> None:
    anomaly = load_plugins().event_types["anomaly"].mock
    root = project({"webhooks.d/siem.yaml": WEBHOOK})
    given = env(receiver, url)

    def run(*args: str, stdin: str = "", code: int = 0) -> str:
        ran = run_cli(*args, cwd=root, env=given, stdin=stdin)
        assert ran.exit_code == code, ran.stderr
        return str(ran.stdout)

    schema = url.partition("schema=")[2]
    assert run("store", "init") == f"Created the store in schema {schema}, version 1.\n"
    assert run("store", "init") == "The store is already there, in version 1.\n"
    assert run("store", "upgrade") == "The store has version 1 already.\n"
    run("apply", "--auto-approve")
    run("send", "-", stdin="".join(json.dumps({**anomaly, "id": f"e{number}"}) + "\n" for number in range(3)))
    assert len(receiver.requests) == 3
    assert [one["status"] for one in json.loads(run("deliveries", "list", "--format", "json"))] == ["delivered"] * 3
    found = json.loads(run("doctor", "--format", "json"))
    assert any(check["name"] == "server" and "PostgreSQL 18" in check["message"] for check in found)
    assert "hookctl:" not in json.dumps(found)
    file = f"sqlite:///{tmp_path}/copy.db"
    assert run("store", "copy", url, file) == "Copied 3 events, 3 deliveries and 3 attempts.\n"
    given["HOOKCTL_STORE"] = file
    assert run("send", "-", stdin=json.dumps({**anomaly, "id": "e1"})) is not None
    assert len(receiver.requests) == 3  # its id has come along
    assert "does not exist" in run_cli("store", "copy", "sqlite:///none.db", url, cwd=root, env=given).stderr
    assert "is not empty" in run_cli("store", "copy", file, url, cwd=root, env=given).stderr
