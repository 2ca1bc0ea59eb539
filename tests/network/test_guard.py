from __future__ import annotations

import socket
from ipaddress import ip_network
from typing import Any

import pytest

from hookctl.errors import AddressBlockedError, NameNotFoundError
from hookctl.network import Network

BLOCKED = {
    "this network": "0.0.0.0",  # noqa: S104  # an address to refuse, not to listen on
    "private 10": "10.1.2.3",
    "carrier": "100.64.0.1",
    "alibaba metadata": "100.100.100.200",
    "loopback": "127.0.0.1",
    "loopback high": "127.255.255.254",
    "azure": "168.63.129.16",
    "metadata": "169.254.169.254",
    "private 172": "172.31.255.255",
    "oracle metadata": "192.0.0.192",
    "192.0.0.255": "192.0.0.255",
    "documentation": "192.0.2.1",
    "6to4 relay": "192.88.99.1",
    "private 192": "192.168.1.1",
    "benchmark": "198.19.0.1",
    "documentation 2": "198.51.100.1",
    "documentation 3": "203.0.113.1",
    "multicast": "224.0.0.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "v6 unspecified": "::",
    "v6 loopback": "::1",
    "mapped loopback": "::ffff:127.0.0.1",
    "mapped public": "::ffff:8.8.8.8",
    "compatible": "::127.0.0.1",
    "translated": "::ffff:0:127.0.0.1",
    "nat64": "64:ff9b::7f00:1",
    "nat64 of a public address": "64:ff9b::808:808",
    "local nat64": "64:ff9b:1::a00:1",
    "discard": "100::1",
    "segment routing": "5f00::1",
    "unique local": "fd00:ec2::254",
    "v6 link-local": "fe80::1",
    "v6 link-local with a zone": "fe80::1%1",
    "site-local": "fec0::1",
    "v6 multicast": "ff02::1",
    "teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "orchid": "2001:20::1",
    "v6 documentation": "2001:db8::1",
    "6to4": "2002:7f00:1::1",
    "6bone": "3ffe::1",
    "v6 documentation 2": "3fff::1",
    "isatap": "2a00:1450::5efe:7f00:1",
    "unassigned": "4000::1",
}
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.0",
    "172.32.0.1",
    "168.63.129.17",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::200e",
    "2001:4860::8888",
]


def answering(*addresses: str) -> Any:
    def getaddrinfo(_: str, port: int, **__: Any) -> list[Any]:
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    return getaddrinfo


@pytest.mark.parametrize("address", BLOCKED.values(), ids=BLOCKED.keys())
def test_blocked(address: str) -> None:
    with pytest.raises(AddressBlockedError, match=r"^a\.example resolves to .*, which is "):
        Network(getaddrinfo=answering(address)).resolve("a.example")


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    target = Network(getaddrinfo=answering(address)).resolve("a.example")
    assert (target.host, target.addresses, target.port) == ("a.example", (address,), 443)


def test_one_bad_answer_refuses_all() -> None:
    with pytest.raises(AddressBlockedError, match=r"10\.0\.0\.1"):
        Network(getaddrinfo=answering("8.8.8.8", "10.0.0.1")).resolve("a.example")


def test_order_is_kept_and_duplicates_go() -> None:
    assert Network(getaddrinfo=answering("2606:4700::1111", "8.8.8.8", "8.8.8.8")).resolve("a.example").addresses == (
        "2606:4700::1111",
        "8.8.8.8",
    )


def test_allow_is_per_host_and_per_network() -> None:
    network = Network(allow={"in.example": (ip_network("10.1.0.0/16"),)}, getaddrinfo=answering("10.1.2.3"))
    assert network.resolve("in.example").addresses == ("10.1.2.3",)
    with pytest.raises(AddressBlockedError):
        network.resolve("other.example")
    with pytest.raises(AddressBlockedError):
        Network(allow=network.allow, getaddrinfo=answering("10.2.0.1")).resolve("in.example")
    with pytest.raises(AddressBlockedError):
        Network(allow=network.allow, getaddrinfo=answering("::ffff:10.1.2.3")).resolve("in.example")


def test_connect_to_comes_first_and_asks_no_resolver() -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("the resolver was asked")

    target = Network(connect_to={"a.example": ("127.0.0.1", 8443)}, getaddrinfo=never).resolve("a.example")
    assert (target.host, target.addresses, target.port) == ("a.example", ("127.0.0.1",), 8443)


def test_an_unknown_name() -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(NameNotFoundError, match=r"a\.example does not resolve: Name or service not known"):
        Network(getaddrinfo=unknown).resolve("a.example")
    with pytest.raises(NameNotFoundError, match="has no address"):
        Network(getaddrinfo=answering()).resolve("a.example")


def test_a_name_that_cannot_be_asked_for() -> None:
    with pytest.raises(NameNotFoundError):
        Network().resolve("a" * 64 + ".invalid")  # the IDNA codec refuses it before any resolver is asked
