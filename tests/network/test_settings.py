from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from hookctl.cli.options import network_options
from hookctl.errors import SettingsError
from hookctl.network.settings import network_from_settings


def test_everything_given(tmp_path: Path) -> None:
    pem = tmp_path / "ca.pem"
    pem.write_text("-----BEGIN CERTIFICATE-----\n")
    network = network_from_settings(
        allow={"in.example": ["10.0.0.0/8", "fd00::/8"]},
        connect_to=("a.example:443:127.0.0.1:8443", "b.example:443:[::1]:8444"),
        cacert=str(pem),
    )
    assert network.allow == {"in.example": (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))}
    assert network.connect_to == {"a.example": ("127.0.0.1", 8443), "b.example": ("::1", 8444)}
    assert network.ca_file == str(pem)


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "a.example",
        "a.example:443:127.0.0.1",
        "a.example:80:127.0.0.1:1",
        "A.example:443:127.0.0.1:1",
        "a.example:443:localhost:1",
        "a.example:443:127.0.0.1:0",
        "a.example:443:127.0.0.1:65536",
        "a.example:443:::1:1",
        "127.0.0.1:443:127.0.0.1:1",
        "*:443:127.0.0.1:1",
    ],
)
def test_connect_to_not_understood(entry: str) -> None:
    with pytest.raises(SettingsError, match="--connect-to"):
        network_from_settings(allow={}, connect_to=(entry,), cacert=None)


@pytest.mark.parametrize(
    "allow",
    [
        {"A.example": ["10.0.0.0/8"]},
        {"a.example": "10.0.0.0/8"},
        {"a.example": []},
        {"a.example": [8]},
        {"a.example": ["10.0.0.1/8"]},
    ],
)
def test_allow_not_understood(allow: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"\[allow\]"):
        network_from_settings(allow=allow, connect_to=(), cacert=None)


def test_cacert_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        network_from_settings(allow={}, connect_to=(), cacert=str(tmp_path / "absent.pem"))
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")
    with pytest.raises(SettingsError, match="does not contain a PEM certificate"):
        network_from_settings(allow={}, connect_to=(), cacert=str(empty))


def test_options_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    @network_options
    def command(connect_to: tuple[str, ...], cacert: str | None) -> None:
        click.echo(f"{connect_to} {cacert}")

    runner = CliRunner()
    assert (
        runner.invoke(command, ["--connect-to", "a", "--connect-to", "b", "--cacert", "f"]).output == "('a', 'b') f\n"
    )
    monkeypatch.setenv("HOOKCTL_CONNECT_TO", "c d")
    monkeypatch.setenv("HOOKCTL_CACERT", "g")
    assert runner.invoke(command, []).output == "('c', 'd') g\n"
