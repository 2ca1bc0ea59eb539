"""A libcurl that was built with a directory of authorities, as distributions build it, trusts the file alone."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import certifi
import pycurl
import pytest

from hookctl.errors import TlsError
from hookctl.network import Network
from hookctl.testing.receiver import Receiver

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl names the file as libcurl does")


@pytest.fixture
def kind() -> str:
    return "curl"


@pytest.fixture
def built_with_directory(receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every handle begins with a directory that holds the receiver's authority."""
    authority = Path(receiver.ca_file)
    command = ["openssl", "x509", "-hash", "-noout", "-in", str(authority)]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    shutil.copy(authority, tmp_path / f"{name}.0")
    original = pycurl.Curl

    def curl() -> pycurl.Curl:
        handle = original()
        handle.setopt(pycurl.CAPATH, str(tmp_path))
        return handle

    monkeypatch.setattr(pycurl, "Curl", curl)


@pytest.mark.usefixtures("built_with_directory")
def test_the_directory_is_not_trusted(receiver: Receiver, sender: Callable[[Network], Any]) -> None:
    send = sender(Network(connect_to=receiver.connect_to, ca_file=certifi.where()))
    with pytest.raises(TlsError):
        send()
    assert receiver.count == 0


@pytest.mark.usefixtures("built_with_directory")
def test_without_the_precaution_it_would_be(receiver: Receiver) -> None:
    """The directory is one that libcurl finds the authority in."""
    address, port = receiver.connect_to["siem.example.com"]
    handle = pycurl.Curl()
    handle.setopt(pycurl.CONNECT_TO, [f"siem.example.com:443:{address}:{port}"])
    handle.setopt(pycurl.CAINFO, certifi.where())
    handle.setopt(pycurl.URL, "https://siem.example.com/")
    handle.setopt(pycurl.WRITEFUNCTION, lambda _: None)
    handle.perform()
    handle.close()
    assert receiver.count == 1
