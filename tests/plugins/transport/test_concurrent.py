"""The face that one thread drives: many requests at once."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from hookctl.model import Failure, FailureKind, Request, Response
from hookctl.network import Network
from hookctl.plugin import Completion, ConcurrentTransport
from hookctl.testing.answers import Answer, Misbehavior
from hookctl.testing.receiver import Receiver
from hookctl_plugins.transport import curl_multi
from hookctl_plugins.transport.curl_multi import LAUNCHES
from hookctl_plugins.transport.curl_transport import CurlTransport

HEADERS = (("Content-Type", "application/json"),)


def request(path: str = "/ingest", host: str = "siem.example.com", body: bytes = b"{}") -> Request:
    return Request("POST", f"https://{host}{path}", HEADERS, body)


@pytest.fixture
def transport(receiver: Receiver) -> Iterator[CurlTransport]:
    transport = CurlTransport(receiver.network())
    yield transport
    transport.close()


@pytest.fixture
def refused_port() -> Iterator[int]:
    """A port that is bound but not listened on, so that connections to it are refused."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def collect(transport: CurlTransport, count: int) -> dict[int, Completion]:
    """The first ``count`` completions, by ticket."""
    done: dict[int, Completion] = {}
    while len(done) < count:
        done.update((completion.ticket, completion) for completion in transport.poll(5))
    return done


def test_it_has_the_face(transport: CurlTransport) -> None:
    assert isinstance(transport, ConcurrentTransport)


def test_two_hundred_in_flight(receiver: Receiver, transport: CurlTransport) -> None:
    receiver.answer("/hangs", Answer(misbehave=Misbehavior.NO_ANSWER))
    for ticket in range(200):
        transport.submit(ticket, request("/hangs"), 60)
    while receiver.count < 200:  # all of them have arrived before any was answered
        assert transport.poll(0.01) == []
    for ticket in range(200, 400):
        transport.submit(ticket, request(body=b"%d" % ticket), 60)
    done = collect(transport, 200)
    assert {completion.result.status for completion in done.values() if isinstance(completion.result, Response)} == {
        200
    }
    assert (
        sorted(int(received.body) for received in receiver.requests if received.path == "/ingest")
        == list(range(200, 400))
        == sorted(done)
    )
    for ticket in range(200):
        transport.cancel(ticket)
    assert transport.poll(0) == []


def test_connections_are_kept_between_requests(receiver: Receiver, transport: CurlTransport) -> None:
    for ticket in range(5):
        transport.submit(ticket, request(), 10)
        completion = collect(transport, 1)[ticket]
        assert completion.timing.total >= (completion.timing.first_byte or 0) > 0
        assert (completion.timing.connected is None) == (ticket > 0)
    assert receiver.connections == 1


def test_there_is_no_first_byte_without_a_connection(refused_port: int) -> None:
    transport = CurlTransport(Network(connect_to={"siem.example.com": ("127.0.0.1", refused_port)}))
    transport.submit(0, request(), 10)
    timing = collect(transport, 1)[0].timing
    transport.close()
    assert (timing.connected, timing.tls, timing.first_byte) == (None, None, None)


def test_there_is_no_first_byte_without_tls() -> None:
    with Receiver(expired=True) as receiver:
        transport = CurlTransport(receiver.network())
        transport.submit(0, request(), 10)
        timing = collect(transport, 1)[0].timing
        transport.close()
    assert timing.connected is not None
    assert (timing.tls, timing.first_byte) == (None, None)


def test_failures_are_completions(receiver: Receiver, transport: CurlTransport) -> None:
    receiver.answer("/hangs", Answer(misbehave=Misbehavior.NO_ANSWER))
    receiver.answer("/cut", Answer(misbehave=Misbehavior.CUT_BODY))
    receiver.answer("/trickle", Answer(misbehave=Misbehavior.TRICKLE_HEADERS))
    transport.submit(1, request("/hangs"), 0.3)
    transport.submit(2, request("/cut"), 10)
    transport.submit(3, request("/trickle"), 0.3)
    transport.submit(4, request("/ingest"), 10)
    transport.submit(5, Request("POST", "https://127.0.0.1/", (), None), 10)
    transport.submit(6, Request("POST", "https://siem.example.com/", (("X-A", "a\r\nX-B: c"),), None), 10)
    done = collect(transport, 6)
    kinds = {
        ticket: completion.result.kind for ticket, completion in done.items() if isinstance(completion.result, Failure)
    }
    assert kinds == {
        1: FailureKind.TIMEOUT,
        2: FailureKind.CUT_RESPONSE,
        3: FailureKind.TIMEOUT,
        5: FailureKind.TRANSPORT,
        6: FailureKind.TRANSPORT,
    }
    assert "X-B" not in str(done[6].result)


def test_a_truncated_body(receiver: Receiver, transport: CurlTransport) -> None:
    receiver.default = Answer(misbehave=Misbehavior.HUGE_BODY)
    transport.submit(1, request(), 10)
    result = collect(transport, 1)[1].result
    assert isinstance(result, Response)
    assert (len(result.body), result.truncated) == (65536, True)


def test_cancelled_requests_have_no_completion(receiver: Receiver, transport: CurlTransport) -> None:
    receiver.answer("/hangs", Answer(misbehave=Misbehavior.NO_ANSWER))
    transport.submit(1, request("/hangs"), 10)
    while not receiver.count:
        transport.poll(0.01)
    transport.cancel(1)
    transport.submit(2, request("not an URL"), 10)
    transport.cancel(2)  # ended already, and not yet polled
    transport.cancel(99)  # unknown
    transport.submit(3, request(), 10)
    assert set(collect(transport, 1)) == {3}
    assert transport.poll(0) == []


def test_a_cancelled_request_that_would_be_answered(receiver: Receiver, transport: CurlTransport) -> None:
    receiver.answer("/soon", Answer(delay=0.1))
    receiver.answer("/later", Answer(delay=0.4))
    transport.submit(1, request("/soon"), 10)
    while not receiver.count:
        transport.poll(0.01)
    transport.submit(2, request("/later"), 10)
    transport.cancel(1)
    assert set(collect(transport, 1)) == {2}


def test_poll_waits_no_longer_than_asked_and_wakes(transport: CurlTransport) -> None:
    assert transport.poll(0.01) == []
    polled = Event()

    def wake() -> None:
        while not polled.is_set():
            transport.wake()
            time.sleep(0.01)

    thread = threading.Thread(target=wake)
    thread.start()
    assert transport.poll(3600) == []
    polled.set()
    thread.join()


def test_a_wake_before_the_poll_counts(transport: CurlTransport) -> None:
    transport.wake()
    assert transport.poll(3600) == []


def test_close_gives_up_everything(receiver: Receiver) -> None:
    transport = CurlTransport(receiver.network())
    receiver.answer("/hangs", Answer(misbehave=Misbehavior.NO_ANSWER))
    for ticket in range(10):
        transport.submit(ticket, request("/hangs"), 10)
    transport.poll(0.05)
    transport.close()
    transport.wake()  # harmless


class SlowResolver:
    """Knows every name, and answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.go = Event()

    def __call__(self, host: str, *_: Any, **__: Any) -> Any:
        self.asked.append(host)
        self.go.wait()
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_a_slow_name_holds_up_nobody_else(receiver: Receiver) -> None:
    resolver = SlowResolver()
    transport = CurlTransport(Network(connect_to=receiver.connect_to, ca_file=receiver.ca_file, getaddrinfo=resolver))
    try:
        for ticket in range(5):
            transport.submit(ticket, request(host="slow.example"), 30)
        transport.submit(5, request(), 10)
        transport.submit(6, request(host="slower.example"), 0.2)
        transport.submit(7, request(host="slow.example"), 30)
        transport.cancel(7)
        done = collect(transport, 2)
        assert isinstance(done[5].result, Response)
        assert isinstance(done[6].result, Failure)
        assert done[6].result.kind is FailureKind.TIMEOUT
        resolver.go.set()
        late = collect(transport, 5)
        assert {completion.result.kind for completion in late.values() if isinstance(completion.result, Failure)} == {
            FailureKind.NAME_NOT_FOUND
        }
        assert set(late) == {0, 1, 2, 3, 4}
        assert sorted(resolver.asked) == ["slow.example", "slower.example"]  # once for all who wait
    finally:
        resolver.go.set()
        transport.close()


def test_a_blocked_address_is_a_completion(resolver: Any) -> None:
    transport = CurlTransport(Network(getaddrinfo=resolver("8.8.8.8", "169.254.169.254")))
    try:
        transport.submit(1, request(), 10)
        result = collect(transport, 1)[1].result
        assert isinstance(result, Failure)
        assert (result.kind, "169.254.169.254" in result.message) == (FailureKind.ADDRESS_BLOCKED, True)
    finally:
        transport.close()


def test_both_faces_at_the_same_time(transport: CurlTransport) -> None:
    import requests

    statuses: list[int] = []

    def send() -> None:
        prepared = requests.Request("POST", "https://login.example.com/oauth", data=b"{}").prepare()
        statuses.extend(transport.send(prepared, timeout=20).status_code for _ in range(20))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for ticket in range(200):
        transport.submit(ticket, request(), 20)
    assert len(collect(transport, 200)) == 200
    for thread in threads:
        thread.join()
    assert statuses == [200] * 80


def test_more_at_once_than_begin_between_two_looks_at_the_sockets(transport: CurlTransport) -> None:
    count = 4 * LAUNCHES
    for ticket in range(count + 1):
        transport.submit(ticket, request(), 60)
    transport.cancel(count)
    assert {
        ticket for ticket, completion in collect(transport, count).items() if isinstance(completion.result, Response)
    } == set(range(count))
    assert transport.poll(0) == []


def test_the_number_of_a_closed_socket_comes_again(receiver: Receiver, transport: CurlTransport) -> None:
    """The target closes a connection, idle or with its answer: the next one reuses its descriptor, and works."""
    for ticket in range(30):
        receiver.default = Answer(headers=(("Connection", "close"),)) if ticket % 3 else Answer(delay=0.001)
        transport.submit(ticket, request(), 10)
        assert isinstance(collect(transport, 1)[ticket].result, Response)
        if ticket % 5 == 0:
            for connection in tuple(receiver._open):
                receiver._loop.call_soon_threadsafe(connection.close)
            transport.poll(0.02)
    assert receiver.connections > 10


def test_a_connection_that_dies_while_it_is_idle_costs_nothing(receiver: Receiver, transport: CurlTransport) -> None:
    transport.submit(1, request(), 10)
    collect(transport, 1)
    known = set(transport._multi._registered)
    for connection in tuple(receiver._open):
        receiver._loop.call_soon_threadsafe(connection.close)
    transport.poll(0.2)
    assert len(known - set(transport._multi._registered)) == 1, "it would be looked at again and again"
    transport.submit(2, request(), 10)
    assert isinstance(collect(transport, 1)[2].result, Response)


def test_idle_connections_make_room_for_new_ones(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """All hosts share one limit, the sockets the process may open. Further requests wait, within their deadline."""
    monkeypatch.setattr(curl_multi, "MAX_CONNECTIONS", 4)
    hosts = [f"h{number}.example" for number in range(12)]
    transport = CurlTransport(
        Network(connect_to=dict.fromkeys(hosts, (receiver.address, receiver.port)), ca_file=receiver.ca_file)
    )
    try:
        for ticket, host in enumerate(hosts):
            transport.submit(ticket, request(host=host), 10)
            assert isinstance(collect(transport, 1)[ticket].result, Response)
        for _ in range(1000):
            if len(receiver._open) <= 4:
                break
            transport.poll(0.01)  # the receiver hears of an end a moment later
        assert len(receiver._open) <= 4
        for ticket, host in enumerate(hosts):
            transport.submit(ticket, request(host=host), 10)
        assert all(isinstance(completion.result, Response) for completion in collect(transport, len(hosts)).values())
    finally:
        transport.close()
