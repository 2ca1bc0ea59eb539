"""Fixtures for tests of the command line."""

from __future__ import annotations

import pytest

from hookctl.testing.receiver import Receiver


@pytest.fixture
def reach_siem(receiver: Receiver) -> dict[str, str]:
    """The variables with which a command reaches the receiver as siem.example.com."""
    return {
        "HOOKCTL_CONNECT_TO": f"siem.example.com:443:{receiver.address}:{receiver.port}",
        "HOOKCTL_CACERT": receiver.ca_file,
    }


@pytest.fixture
def reaching(receiver: Receiver) -> list[str]:
    """The options with which a command reaches the receiver under each of its names."""
    hosts = [f"{host}:443:{address}:{port}" for host, (address, port) in receiver.connect_to.items()]
    return [word for host in hosts for word in ("--connect-to", host)] + ["--cacert", receiver.ca_file]
