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


@pytest.mark.parametrize(
    ("text", "url", "has_credentials"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128", False),
        ("https://proxy.example:443/", "https://proxy.example:443", False),
        ("http://10.0.0.5:8080", "http://10.0.0.5:8080", False),
        ("http://[fd00::5]:8080", "http://[fd00::5]:8080", False),
        ("http://me:${env:P}@proxy:1", "http://proxy:1", True),
        ("http://${file:/run/a@b}:${env:P}@proxy:1", "http://proxy:1", True),
    ],
)
def test_proxies(text: str, url: str, has_credentials: bool) -> None:
    proxy = network_from_settings(allow={}, connect_to=(), cacert=None, proxy=text).proxy
    assert proxy is not None
    assert (proxy.url, proxy.has_credentials) == (url, has_credentials)


@pytest.mark.parametrize(
    "text",
    [
        "proxy.example:3128",
        "http://proxy.example",
        "http://proxy.example:0",
        "http://proxy.example:65536",
        "http://Proxy.example:1",
        "http://0x7f.1:1",
        "socks5://proxy.example:1",
        "http://me:canary@proxy.example:1",
        "http://${canary}:${env:P}@proxy.example:1",
        "http://me:${env:P}x$canary@proxy.example:1",
        "http://canary@proxy.example:1",
        "http://proxy.example:1/canary",
        "http://proxy.example:1@canary:2",
    ],
)
def test_proxy_not_understood(text: str) -> None:
    with pytest.raises(SettingsError, match="--proxy") as caught:
        network_from_settings(allow={}, connect_to=(), cacert=None, proxy=text)
    assert "canary" not in f"{caught.value.message} {caught.value.hint}"


def test_credentials_are_read_when_they_are_needed() -> None:
    asked: list[str] = []

    def read(text: str) -> str:
        asked.append(text)
        return text.replace("${env:P}", "a:b")

    text = "http://me:${env:P}@proxy:1"
    proxy = network_from_settings(allow={}, connect_to=(), cacert=None, proxy=text, read_secrets=read).proxy
    assert (proxy is not None, asked) == (True, [])
    assert proxy is not None
    assert proxy.read_credentials() == ("me", "a:b")
    assert "a:b" not in repr(proxy.reach(lambda *_, **__: [(0, 0, 0, "", ("10.0.0.1", 1))]))


def test_ports_and_authorities_of_hosts(tmp_path: Path) -> None:
    pem = tmp_path / "ca.pem"
    pem.write_text("-----BEGIN CERTIFICATE-----\n")
    network = network_from_settings(
        allow={"a.example:8088": ["10.0.0.0/8"], "b.example:8088": [], "c.example:443": ["10.0.0.0/8"]},
        connect_to=(),
        cacert=None,
        cacert_for={"a.example": str(pem), "10.0.0.5": str(pem)},
    )
    assert network.ports == {"a.example": 8088, "b.example": 8088}
    assert network.allow["b.example"] == ()
    assert (network.authorities("a.example"), network.authorities("b.example")) == (str(pem), None)


@pytest.mark.parametrize(
    "settings",
    [
        {"allow": {"a.example:0": []}},
        {"allow": {"a.example:65536": []}},
        {"allow": {"a.example:": ["10.0.0.0/8"]}},
        {"allow": {"a.example:x": ["10.0.0.0/8"]}},
        {"allow": {"a.example": []}},
        {"allow": {"a.example:443": []}},
        {"allow": {"a.example": ["10.0.0.0/8"], "a.example:8088": []}},
        {"cacert_for": {"A.example": "ca.pem"}},
        {"cacert_for": {"a.example": "absent.pem"}},
    ],
)
def test_hosts_not_understood(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"\[(allow|cacert_for)\]"):
        network_from_settings(**{"allow": {}, "connect_to": (), "cacert": None, **settings})
