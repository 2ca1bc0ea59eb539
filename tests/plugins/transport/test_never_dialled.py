"""A name whose address is not public is never dialled: no socket is opened, and a listener there gets nothing."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pycurl
import pytest
import requests

from hookctl.errors import AddressBlockedError
from hookctl.network import Network, guard
from hookctl_plugins.transport import curl_handle
from hookctl_plugins.transport.curl_head import Heads
from hookctl_plugins.transport.requests_transport import RequestsTransport

opened: list[tuple[Any, ...]] = []
listening = False


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if listening and event in {"socket.__new__", "socket.connect"}:
        opened.append((event, *arguments[1:]))


sys.addaudithook(_audit)  # an audit hook cannot be taken away again, hence the switch


@pytest.fixture
def sockets() -> Iterator[list[tuple[Any, ...]]]:
    """Every internet socket that is made or connected during the test."""
    global listening  # noqa: PLW0603  # the switch of the hook
    opened.clear()
    listening = True
    yield opened
    listening = False


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("127.9.9.9",),
        ("0.0.0.0",),  # noqa: S104  # refused, not listened on
        ("169.254.169.254",),
        ("168.63.129.16",),
        ("10.0.0.1",),
        ("172.16.0.1",),
        ("192.168.0.1",),
        ("100.64.0.1",),
        ("224.0.0.1",),
        ("255.255.255.255",),
        ("::1",),
        ("::ffff:127.0.0.1",),
        ("::127.0.0.1",),
        ("64:ff9b::7f00:1",),
        ("2002:7f00:1::",),
        ("2001:0:4136:e378:8000:63bf:80ff:fffe",),
        ("fe80::1",),
        ("fd00::1",),
        ("ff02::1",),
        ("8.8.8.8", "127.0.0.1"),
        ("2606:4700::1111", "::1"),
    ],
    ids=" ".join,
)
def test_no_socket_is_opened(
    sender: Any, resolver: Callable[..., Any], sockets: list[tuple[Any, ...]], addresses: tuple[str, ...]
) -> None:
    send = sender(Network(getaddrinfo=resolver(*addresses)))
    sockets.clear()  # what the transport opened for itself
    with pytest.raises(AddressBlockedError):
        send(timeout=5)
    assert sockets == []


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::ffff:127.0.0.1"])  # noqa: S104  # each of them reaches loopback when dialled
def test_a_listener_hears_nothing_unless_the_machine_allows_it(
    sender: Any, resolver: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        port = listener.getsockname()[1]
        monkeypatch.setattr(guard, "HTTPS_PORT", port)  # port 443 is not a test's to listen on
        with pytest.raises(AddressBlockedError):
            sender(Network(getaddrinfo=resolver(address)))(timeout=5)
        allowed = Network(
            allow={"siem.example.com": (ip_network("0.0.0.0/0"), ip_network("::/0"))}, getaddrinfo=resolver(address)
        )
        with pytest.raises(Exception, match=r"\w"):  # it is no TLS server: the point is that it was dialled
            sender(allowed)(timeout=0.2)
        listener.accept()[0].close()  # the allowed one
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_libcurl_itself_is_stopped_from_dialling_anything_else(sockets: list[tuple[Any, ...]]) -> None:
    handle = curl_handle.Handle(Network(), Heads(), lambda: None)
    handle.prepare(
        guard.Target("siem.example.com", ("127.0.0.1",), 9),
        time.monotonic() + 5,
        method="GET",
        url="https://siem.example.com/",
        headers=[],
        body=None,
    )
    handle._target = guard.Target(
        "siem.example.com", ("8.8.8.8",), 443
    )  # as if libcurl had found another address on its own
    sockets.clear()
    with pytest.raises(pycurl.error):
        handle.curl.perform()
    failure = handle.result(7, "")
    assert (failure.kind, sockets) == ("address_blocked", [])  # type: ignore[union-attr]  # it is a Failure
    handle.curl.close()


def test_whoever_answers_in_place_of_a_vetted_address_is_hung_up_on(
    resolver: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        real = socket.create_connection
        monkeypatch.setattr(socket, "create_connection", lambda _, timeout: real(listener.getsockname(), timeout))
        transport = RequestsTransport(Network(getaddrinfo=resolver("8.8.8.8")))
        prepared = requests.Request("POST", "https://siem.example.com/").prepare()
        with pytest.raises(AddressBlockedError, match=r"127\.0\.0\.1 answered in place of 8\.8\.8\.8"):
            transport.send(prepared, timeout=5)
        transport.close()
