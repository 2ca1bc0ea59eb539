"""Requests through tinyproxy, a proxy that others wrote, where it is installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hookctl.errors import ProxyError
from hookctl.model import PROXY_CANNOT_REACH, PROXY_CREDENTIALS, PROXY_REFUSES
from hookctl.network import Network
from hookctl.network.proxy import Proxy
from hookctl.testing.receiver import Receiver

TINYPROXY = shutil.which("tinyproxy")
pytestmark = pytest.mark.skipif(TINYPROXY is None, reason="needs tinyproxy")
PASSWORD = "s3cret"
URL = "https://localhost/ingest"
"""A name that tinyproxy can resolve without a name server; the receiver has a certificate for it."""


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A tinyproxy that requires credentials, and denies hosts below blocked.example."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "deny").write_text("blocked\\.example\n")
    settings = [f"Port {port}", "Listen 127.0.0.1", "Timeout 10", "MaxClients 20", "Allow 127.0.0.1"]
    settings += [f"BasicAuth hookctl {PASSWORD}", f'Filter "{tmp_path}/deny"']
    (tmp_path / "tinyproxy.conf").write_text("\n".join([*settings, ""]))
    command = [str(TINYPROXY), "-d", "-c", str(tmp_path / "tinyproxy.conf")]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            until = time.monotonic() + 20
            while not _listens(port) and process.poll() is None and time.monotonic() < until:
                time.sleep(0.05)
            assert _listens(port), (tmp_path / "log").read_text()
            yield port
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def network(receiver: Receiver, port: int, password: str = PASSWORD, target: int | None = None) -> Network:
    proxy = Proxy("127.0.0.1", port, credentials=lambda: ("hookctl", password))
    return Network(ca_file=receiver.ca_file, ports={"localhost": target or receiver.port}, proxy=proxy)


def test_delivered(receiver: Receiver, port: int, sender: Callable[[Network], Any]) -> None:
    send = sender(network(receiver, port))
    assert [send(url=URL, body=b"x" * 100_000).status for _ in range(3)] == [200, 200, 200]
    assert receiver.requests[-1].body == b"x" * 100_000
    assert receiver.requests[-1].header("Host") == "localhost"


def test_refusals(receiver: Receiver, port: int, sender: Callable[[Network], Any]) -> None:
    with pytest.raises(ProxyError, match=r"answered 40[17]") as credentials:
        sender(network(receiver, port, password="wrong"))(url=URL)
    with pytest.raises(ProxyError, match=r"answered 403") as refused:
        sender(network(receiver, port))(url="https://blocked.example/")
    with pytest.raises(ProxyError, match=r"answered 50[0-9]") as unreached:
        sender(network(receiver, port, target=1))(url=URL)
    causes = [caught.value.cause for caught in (credentials, refused, unreached)]
    assert causes == [PROXY_CREDENTIALS, PROXY_REFUSES, PROXY_CANNOT_REACH]
    assert receiver.count == 0
