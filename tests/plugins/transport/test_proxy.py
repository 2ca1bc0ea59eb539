"""Requests through an HTTP proxy: a real one on loopback, with and without TLS and credentials, for both transports."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from hookctl.errors import (
    AddressBlockedError,
    ConnectError,
    DeadlineError,
    NameNotFoundError,
    ProxyError,
    SecretError,
    TlsError,
)
from hookctl.model import PROXY_CANNOT_REACH, PROXY_CREDENTIALS, PROXY_REFUSES
from hookctl.network import Network
from hookctl.network.proxy import Proxy
from hookctl.testing.answers import Answer, Misbehavior
from hookctl.testing.proxy import ConnectProxy
from hookctl.testing.receiver import Receiver

USER = ("hookctl", "s3cret-canary")


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def tls(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def never(*_: Any, **__: Any) -> Any:
    raise AssertionError("the name of a target was resolved")


def test_a_request_goes_through_the_proxy(receiver: Receiver, sender: Callable[[Network], Any], tls: bool) -> None:
    with ConnectProxy(receiver, tls=tls) as proxy:
        network = proxy.network()
        send = sender(
            Network(ca_file=network.ca_file, ca_files=network.ca_files, proxy=network.proxy, getaddrinfo=never)
        )
        response = send(**{"Authorization": "Bearer canary", "User-Agent": "hookctl/1"})
        assert response.status == 200
        assert not any(name.lower() == "x-proxy" for name, _ in response.headers)
        assert proxy.asked == ["siem.example.com:443"]
        assert b"canary" not in proxy.headers[0]
        assert b"hookctl/1" not in proxy.headers[0]
        (request,) = receiver.requests
        assert request.body == b'{"n":1}'
        assert request.header("Host") == "siem.example.com"
        assert request.header("Proxy-Authorization") is None


def test_a_tunnel_is_kept(receiver: Receiver, sender: Callable[[Network], Any], tls: bool) -> None:
    with ConnectProxy(receiver, tls=tls) as proxy:
        send = sender(proxy.network())
        for _ in range(3):
            assert send().status == 200
        assert len(proxy.asked) == 1
        assert receiver.count == 3


def test_a_large_exchange(receiver: Receiver, sender: Callable[[Network], Any], tls: bool) -> None:
    receiver.answer("/ingest", Answer(200, body=b"x" * 60_000))
    with ConnectProxy(receiver, tls=tls) as proxy:
        response = sender(proxy.network())(body=b"y" * 1_000_000)
    assert (response.body, receiver.requests[0].body) == (b"x" * 60_000, b"y" * 1_000_000)


def test_credentials_are_sent_to_the_proxy_only(
    receiver: Receiver, sender: Callable[[Network], Any], tls: bool
) -> None:
    with ConnectProxy(receiver, tls=tls, credentials=USER) as proxy:
        assert sender(proxy.network(lambda: USER))().status == 200
        assert b"Proxy-Authorization: Basic " in proxy.headers[0]
    assert receiver.requests[0].header("Proxy-Authorization") is None


def test_credentials_in_any_script(receiver: Receiver, sender: Callable[[Network], Any]) -> None:
    user = ("jürgen", "pa:ss wörd@/%")
    with ConnectProxy(receiver, credentials=user) as proxy:
        assert sender(proxy.network(lambda: user))().status == 200


@pytest.mark.parametrize("credentials", [None, ("hookctl", "wrong-canary")])
def test_wrong_credentials(
    receiver: Receiver, sender: Callable[[Network], Any], tls: bool, credentials: tuple[str, str] | None
) -> None:
    with ConnectProxy(receiver, tls=tls, credentials=USER) as proxy:
        network = proxy.network((lambda: credentials) if credentials else None)
        with pytest.raises(ProxyError, match=r"answered 407 to CONNECT siem\.example\.com:443") as caught:
            sender(network)()
    assert (caught.value.cause, receiver.count) == (PROXY_CREDENTIALS, 0)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", PROXY_REFUSES),
        (b"HTTP/1.0 502 Bad Gateway\r\n\r\n", PROXY_CANNOT_REACH),
        (b"HTTP/1.1 503 canary\r\nConnection: close\r\n\r\n<html>canary", PROXY_CANNOT_REACH),
        (b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n", ""),
    ],
)
def test_the_proxy_refuses(
    receiver: Receiver, sender: Callable[[Network], Any], tls: bool, answer: bytes, cause: str
) -> None:
    reported = f"answered {answer[9:12].decode()} to CONNECT"
    with (
        ConnectProxy(receiver, tls=tls, answer=answer) as proxy,
        pytest.raises(ProxyError, match=reported) as caught,
    ):
        sender(proxy.network())()
    assert (caught.value.cause, receiver.count) == (cause, 0)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "answer", [b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500_000]
)
def test_the_proxy_does_not_speak_http(
    receiver: Receiver, sender: Callable[[Network], Any], tls: bool, answer: bytes
) -> None:
    with ConnectProxy(receiver, tls=tls, answer=answer) as proxy, pytest.raises(ProxyError):
        sender(proxy.network())()
    assert receiver.count == 0


def test_the_proxy_says_nothing(receiver: Receiver, sender: Callable[[Network], Any], tls: bool) -> None:
    reported = r"the proxy http.* opened no connection .* within 0\.5 s"
    with ConnectProxy(receiver, tls=tls, answer=b"") as proxy, pytest.raises(DeadlineError, match=reported):
        sender(proxy.network())(timeout=0.5)


def test_nothing_listens(receiver: Receiver, sender: Callable[[Network], Any]) -> None:
    with ConnectProxy(receiver) as proxy:
        network = proxy.network()
    with pytest.raises(ProxyError, match=r"the proxy http://127\.0\.0\.1:\d+"):
        sender(network)()


def test_the_name_of_the_proxy_does_not_resolve(sender: Callable[[Network], Any]) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise OSError("no such name")

    network = Network(proxy=Proxy("proxy.example.com", 3128), getaddrinfo=fails)
    with pytest.raises(ProxyError, match=r"the proxy http://proxy\.example\.com:3128 cannot be reached") as caught:
        sender(network)()
    assert not isinstance(caught.value, NameNotFoundError)


def test_a_proxy_without_its_secret(sender: Callable[[Network], Any]) -> None:
    def missing() -> tuple[str, str]:
        raise SecretError("the environment variable PROXY_PASSWORD is not set")

    with pytest.raises(ProxyError, match="PROXY_PASSWORD is not set") as caught:
        sender(Network(proxy=Proxy("127.0.0.1", 9, credentials=missing)))()
    assert caught.value.cause == PROXY_CREDENTIALS


def test_a_proxy_whose_certificate_is_not_trusted(receiver: Receiver, sender: Callable[[Network], Any]) -> None:
    with ConnectProxy(receiver, tls=True) as proxy:
        network = Network(ca_file=receiver.ca_file, proxy=proxy.network().proxy)
        with pytest.raises(ProxyError, match=r"the proxy https://"):
            sender(network)()
    assert (proxy.asked, receiver.count) == ([], 0)


def test_a_proxy_whose_certificate_is_for_another_name(
    receiver: Receiver, sender: Callable[[Network], Any], resolver: Callable[..., Any]
) -> None:
    with ConnectProxy(receiver, tls=True) as proxy:
        other = Proxy("other.example.com", proxy.port, is_tls=True)
        files = {"other.example.com": proxy.ca_file}
        network = Network(ca_file=receiver.ca_file, ca_files=files, proxy=other, getaddrinfo=resolver("127.0.0.1"))
        with pytest.raises(ProxyError):
            sender(network)()
    assert proxy.asked == []


def test_failures_of_the_target_stay_the_targets(
    receiver: Receiver, sender: Callable[[Network], Any], tls: bool
) -> None:
    with ConnectProxy(receiver, tls=tls) as proxy:
        network = proxy.network()
        untrusted = Network(ca_file=proxy.ca_file, ca_files=network.ca_files, proxy=network.proxy)
        with pytest.raises(TlsError, match=r"^siem\.example\.com: ") as caught:
            sender(untrusted)()
        assert caught.value.cause == "certificate_untrusted"
        receiver.default = Answer(407)
        assert sender(network)().status == 407
        receiver.default = Answer(misbehave=Misbehavior.CLOSE)
        with pytest.raises(ConnectError, match=r"^siem\.example\.com") as closed:
            sender(network)()
        assert not isinstance(closed.value, ProxyError)


def test_a_target_that_is_slow_is_a_timeout(receiver: Receiver, sender: Callable[[Network], Any], tls: bool) -> None:
    receiver.answer("/ingest", Answer(delay=5))
    with ConnectProxy(receiver, tls=tls) as proxy, pytest.raises(DeadlineError, match="no complete response"):
        sender(proxy.network())(timeout=1)


def test_exceptions_of_this_machine_go_directly(
    receiver: Receiver, sender: Callable[[Network], Any], resolver: Callable[..., Any]
) -> None:
    """They are resolved and checked here, so that no exception is skipped without notice."""
    with ConnectProxy(receiver) as proxy:
        network = proxy.network()
        direct = Network(ca_file=network.ca_file, connect_to=receiver.connect_to, proxy=network.proxy)
        assert sender(direct)().status == 200
        port = receiver.port
        loopback = ip_network("127.0.0.0/8")
        allowed = Network(
            ca_file=network.ca_file,
            allow={"siem.example.com": (loopback,)},
            ports={"siem.example.com": port},
            proxy=network.proxy,
            getaddrinfo=resolver("127.0.0.1"),
        )
        assert sender(allowed)().status == 200
        assert receiver.requests[-1].header("Host") == "siem.example.com"
        elsewhere = Network(
            allow={"siem.example.com": (loopback,)}, proxy=network.proxy, getaddrinfo=resolver("10.0.0.1")
        )
        with pytest.raises(AddressBlockedError):
            sender(elsewhere)()
        assert proxy.asked == []


def test_another_port_through_the_proxy(receiver: Receiver, sender: Callable[[Network], Any], tls: bool) -> None:
    targets = {"siem.example.com:8088": receiver.connect_to["siem.example.com"]}
    with ConnectProxy(receiver, tls=tls, targets=targets) as proxy:
        network = proxy.network()
        moved = Network(
            ca_file=network.ca_file, ca_files=network.ca_files, ports={"siem.example.com": 8088}, proxy=network.proxy
        )
        assert sender(moved)().status == 200
        assert proxy.asked == ["siem.example.com:8088"]


def test_another_port_at_several_addresses(
    receiver: Receiver, sender: Callable[[Network], Any], resolver: Callable[..., Any]
) -> None:
    network = Network(
        ca_file=receiver.ca_file,
        allow={"siem.example.com": (ip_network("127.0.0.0/8"),)},
        ports={"siem.example.com": receiver.port},
        getaddrinfo=resolver("127.0.0.7", "127.0.0.1"),  # nothing listens at the first
    )
    assert sender(network)().status == 200
    with pytest.raises(AddressBlockedError):
        sender(Network(ports={"siem.example.com": receiver.port}, getaddrinfo=resolver("127.0.0.1")))()


def test_authorities_of_one_host(receiver: Receiver, sender: Callable[[Network], Any]) -> None:
    """Another host on the same machine, in the same transport, is trusted only by its own."""
    network = Network(connect_to=receiver.connect_to, ca_files={"siem.example.com": receiver.ca_file})
    send = sender(network)
    for _ in range(2):
        assert send().status == 200
        with pytest.raises(TlsError):
            send(url="https://login.example.com/")
    with Receiver() as other:
        swapped = Network(
            connect_to=receiver.connect_to, ca_file=receiver.ca_file, ca_files={"siem.example.com": other.ca_file}
        )
        send = sender(swapped)
        assert send(url="https://login.example.com/").status == 200
        with pytest.raises(TlsError):
            send()


def test_variables_about_proxies_change_nothing(
    receiver: Receiver, sender: Callable[[Network], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "*")
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with ConnectProxy(receiver) as proxy:
        assert sender(proxy.network())().status == 200
        assert proxy.asked == ["siem.example.com:443"]


def test_new_credentials_are_used(
    receiver: Receiver, sender: Callable[[Network], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from hookctl.network import proxy as module
    from hookctl.network import resolver as of_names

    monkeypatch.setattr(module, "KEEP_SECONDS", -1.0)
    monkeypatch.setattr(of_names, "KEEP_SECONDS", -1.0)
    given = [("hookctl", "old")]
    with ConnectProxy(receiver, credentials=USER) as proxy:
        send = sender(proxy.network(lambda: given[0]))
        with pytest.raises(ProxyError):
            send()
        given[0] = USER
        assert send().status == 200
