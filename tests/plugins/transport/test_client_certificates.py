"""Client certificates, in both transports, against a receiver that requires one."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from cryptography import x509
from msgspec.structs import replace
from requests.structures import CaseInsensitiveDict

from hookctl.errors import LocalError, TlsError, TransportError
from hookctl.model import CLIENT_CERTIFICATE_REFUSED, ClientCertificate, Failure, Request, Response
from hookctl.network import Network
from hookctl.plugin.responses import from_requests
from hookctl.testing.answers import Answer
from hookctl.testing.proxy import ConnectProxy
from hookctl.testing.receiver import Receiver
from hookctl_plugins.transport import tls_context

URL = "https://siem.example.com/ingest"
AUTHORITY, STRANGER = trustme.CA(), trustme.CA()


def certificate(name: str, authority: trustme.CA = AUTHORITY, **options: Any) -> ClientCertificate:
    issued = authority.issue_cert(f"{name}@example.com", **options)
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    return ClientCertificate(chain, issued.private_key_pem.bytes())


ONE, TWO = certificate("one"), certificate("two")


@pytest.fixture(scope="module")
def strict() -> Iterator[Receiver]:
    """A receiver that requires a certificate of AUTHORITY."""
    with Receiver(client_authorities=AUTHORITY.cert_pem.bytes()) as receiver:
        yield receiver


@pytest.fixture
def target(strict: Receiver) -> Receiver:
    strict.reset()
    return strict


def send(adapter: Any, cert: ClientCertificate | None, url: str = URL) -> Response:
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url, prepared.body, prepared.headers = "POST", url, b"{}", CaseInsensitiveDict()
    return from_requests(adapter.send(prepared, timeout=10, cert=cert))


def name_of(der: bytes | None) -> str | None:
    if der is None:
        return None
    names = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return str(names.value.get_values_for_type(x509.RFC822Name)[0]).partition("@")[0]


def names(receiver: Receiver) -> list[str | None]:
    return [name_of(request.client_certificate) for request in receiver.requests]


def test_connections_are_kept_for_each_certificate(target: Receiver, build: Callable[[Network], Any]) -> None:
    adapter = build(target.network())
    for cert in (ONE, TWO, ONE, ClientCertificate(*ONE.reveal()), TWO):
        assert send(adapter, cert).status == 200
    assert names(target) == ["one", "two", "one", "one", "two"]
    assert target.connections <= 3  # libcurl may open one more for an equal certificate


@pytest.mark.parametrize("closed", [False, True], ids=["kept", "closed"])
def test_a_request_without_a_certificate_does_not_use_that_of_another(
    target: Receiver, build: Callable[[Network], Any], closed: bool
) -> None:
    """Neither on a kept connection, nor by resuming a TLS session."""
    adapter = build(target.network())
    target.default = Answer(headers=(("Connection", "close"),) if closed else ())
    for cert in (None, certificate("stranger", STRANGER)):
        assert send(adapter, ONE).status == 200
        with pytest.raises(TlsError, match=r"^siem\.example\.com: .*") as caught:
            send(adapter, cert)
        assert caught.value.cause == CLIENT_CERTIFICATE_REFUSED
    assert names(target) == ["one", "one"]


def test_an_expired_certificate_is_refused(target: Receiver, build: Callable[[Network], Any]) -> None:
    from datetime import UTC, datetime

    old = certificate("old", not_before=datetime(2020, 1, 1, tzinfo=UTC), not_after=datetime(2020, 1, 2, tzinfo=UTC))
    with pytest.raises(TlsError) as caught:
        send(build(target.network()), old)
    assert caught.value.cause == CLIENT_CERTIFICATE_REFUSED


def test_the_proxy_is_sent_no_certificate(target: Receiver, build: Callable[[Network], Any]) -> None:
    with ConnectProxy(target, tls=True, client_authorities=AUTHORITY.cert_pem.bytes()) as proxy:
        adapter = build(proxy.network())
        assert [send(adapter, cert).status for cert in (ONE, TWO)] == [200, 200]
        assert proxy.client_certificates == [None, None]
    assert names(target) == ["one", "two"]


def test_a_chain_is_sent_whole(target: Receiver, build: Callable[[Network], Any]) -> None:
    intermediate = AUTHORITY.create_child_ca()
    chained = certificate("deep", intermediate)
    assert chained.reveal()[0].count(b"BEGIN CERTIFICATE") == 2
    adapter = build(target.network())
    assert send(adapter, chained).status == 200
    assert names(target) == ["deep"]
    leaf = chained.reveal()[0].partition(b"-----END CERTIFICATE-----\n")
    with pytest.raises(TlsError):
        send(adapter, ClientCertificate(leaf[0] + leaf[1], chained.reveal()[1]))


def test_a_key_that_does_not_fit_reveals_nothing(target: Receiver, build: Callable[[Network], Any]) -> None:
    adapter = build(target.network())
    for cert in (ClientCertificate(ONE.reveal()[0], TWO.reveal()[1]), ClientCertificate(b"canary", b"canary")):
        with pytest.raises(TransportError) as caught:
            send(adapter, cert)
        assert "canary" not in str(caught.value)
        assert "PRIVATE" not in str(caught.value)
    assert target.count == 0


def test_names_of_files_are_refused(target: Receiver, build: Callable[[Network], Any]) -> None:
    with pytest.raises(TransportError, match="ClientCertificate"):
        send(build(target.network()), ("client.crt", "client.key"))  # type: ignore[arg-type]  # as requests has it
    assert target.count == 0


def test_many_at_the_same_time_keep_their_own(target: Receiver, kind: str, build: Callable[[Network], Any]) -> None:
    if kind != "curl":
        pytest.skip("only curl drives many requests with one thread")
    adapter = build(target.network())
    expected: dict[int, str] = {}
    for ticket in range(20):
        cert = (ONE, TWO, None)[ticket % 3]
        expected[ticket] = ("one", "two", "")[ticket % 3]
        request = Request("POST", f"{URL}?{ticket}", (), b"{}")
        adapter.submit(ticket, replace(request, certificate=cert), 10.0)
    ended: dict[int, Any] = {}
    while len(ended) < len(expected):
        ended |= {completion.ticket: completion.result for completion in adapter.poll(5.0)}
    for ticket, name in expected.items():
        assert isinstance(ended[ticket], Response if name else Failure)
    arrived = {int(one.target.partition("?")[2]): name_of(one.client_certificate) for one in target.requests}
    assert arrived == {ticket: name for ticket, name in expected.items() if name}


def test_the_key_is_readable_once_and_nowhere_else() -> None:
    with tls_context._readable(b"canary") as path:
        descriptor = int(path.rpartition("/")[2])
        assert os.read(descriptor, 100) == b"canary"
        assert os.read(descriptor, 100) == b""
    assert not Path(path).exists()


def test_a_pipe_that_is_too_small_is_this_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    pipe = os.pipe

    def small() -> tuple[int, int]:
        reader, writer = pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        return reader, writer

    monkeypatch.setattr(os, "pipe", small)
    with pytest.raises(LocalError, match="pipes are too small") as caught:
        tls_context._load(ssl.create_default_context(), ClientCertificate(ONE.reveal()[0] * 20, b"canary"))
    assert "canary" not in str(caught.value)
