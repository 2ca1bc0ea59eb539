"""Real exchanges of the ``requests`` transport with the receiver, recorded with vcrpy.

They are replayed without a network, and recorded again to compare.

``UPDATE_CASSETTES=1 pytest tests/plugins/transport/test_cassettes.py`` writes them again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import vcr
from msgspec.structs import replace
from vcr.stubs.urllib3_stubs import VCRRequestsHTTPSConnection

from hookctl.model import Response
from hookctl.network import Network
from hookctl.plugin.responses import from_requests
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver
from hookctl_plugins.transport.guarded_connection import GuardedConnection
from hookctl_plugins.transport.requests_transport import GuardedPool, RequestsTransport

CASSETTES = Path(__file__).parent / "cassettes"
CANARY = "canary-7f3a"
FORM = f"grant_type=client_credentials&client_id=client&client_secret={CANARY}&scope=ingest.write"

EXCHANGES: dict[str, tuple[requests.Request, Answer | None]] = {
    "accepted": (
        requests.Request(
            "POST",
            "https://siem.example.com/ingest?team=a",
            data='{"n": 1}',
            headers={"Authorization": f"Bearer {CANARY}"},
        ),
        Answer(),
    ),
    "no content": (requests.Request("DELETE", "https://siem.example.com/ingest"), Answer(204)),
    "busy": (
        requests.Request("PUT", "https://siem.example.com/ingest", data="{}"),
        Answer.json({"error": "busy"}, 503),
    ),
    "chunked": (
        requests.Request("POST", "https://siem.example.com/ingest", data="{}"),
        Answer(body=b'"' + b"x" * 3000 + b'"', chunked=True),
    ),
    "redirect": (
        requests.Request("POST", "https://siem.example.com/ingest", data="{}"),
        Answer.redirect("https://login.example.com/"),
    ),
    "token": (
        requests.Request(
            "POST",
            "https://login.example.com/oauth/token",
            data=FORM,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        ),
        None,  # the token endpoint's own
    ),
}


class VcrGuardedConnection(VCRRequestsHTTPSConnection):  # type: ignore[misc]  # vcrpy has no types
    """vcrpy's stand-in, over our connection in place of urllib3's."""

    _baseclass = GuardedConnection


@contextmanager
def cassette(path: Path, *, record: bool) -> Iterator[Any]:
    recorder = vcr.VCR(
        record_mode=vcr.mode.ALL if record else vcr.mode.NONE,
        match_on=["method", "uri", "body"],
        filter_headers=[("Authorization", "***")],
        filter_post_data_parameters=[("client_secret", "***")],
        custom_patches=((GuardedPool, "ConnectionCls", VcrGuardedConnection),),
    )
    with recorder.use_cassette(str(path)) as used:
        yield used


def exchange(network: Network, request: requests.Request) -> Response:
    transport = RequestsTransport(network)
    try:
        prepared = request.prepare()
        prepared.headers["User-Agent"] = "hookctl"
        received = from_requests(transport.send(prepared, timeout=10))
        return replace(received, headers=tuple(sorted(received.headers)))  # vcrpy does not keep their order
    finally:
        transport.close()


def record(path: Path, name: str) -> Response:
    request, answer = EXCHANGES[name]
    with Receiver() as receiver, cassette(path, record=True):
        receiver.tokens.client_secret = CANARY
        if answer is not None:
            receiver.default = answer
        received = exchange(receiver.network(), request)
        assert receiver.count == 1
    return received


def nowhere() -> Network:
    """Any dialling would fail."""

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("a name was resolved")

    return Network(getaddrinfo=never)


def file_of(name: str) -> Path:
    return CASSETTES / f"{name.replace(' ', '-')}.yaml"


@pytest.fixture(scope="session", autouse=True)
def _recorded_anew_when_asked_for() -> None:
    if os.environ.get("UPDATE_CASSETTES"):
        for name in EXCHANGES:
            file_of(name).unlink(missing_ok=True)
            record(file_of(name), name)


@pytest.mark.parametrize("name", EXCHANGES)
def test_a_cassette_is_what_a_real_exchange_gives(tmp_path: Path, name: str) -> None:
    received = record(tmp_path / "fresh.yaml", name)
    assert (tmp_path / "fresh.yaml").read_text() == file_of(name).read_text()
    with cassette(file_of(name), record=False) as used:
        assert exchange(nowhere(), EXCHANGES[name][0]) == received
        assert used.all_played


def test_an_exchange_that_was_not_recorded_is_not_made() -> None:
    other = requests.Request("POST", "https://siem.example.com/other", data="{}")
    with cassette(file_of("accepted"), record=False), pytest.raises(Exception, match="failed"):
        exchange(nowhere(), other)


@pytest.mark.parametrize("path", sorted(CASSETTES.glob("*")), ids=lambda path: path.name)
def test_a_cassette_holds_no_secret_and_belongs_to_an_exchange(path: Path) -> None:
    assert CANARY not in path.read_text()
    assert path in {file_of(name) for name in EXCHANGES}
