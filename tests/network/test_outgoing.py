from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.errors import TransportError
from hookctl.network.outgoing import vet_request


def test_what_is_sent() -> None:
    host, headers = vet_request(
        "POST", "https://a.example/x", [("X-A", "1"), (b"X-B", b"\xe9"), ("Content-Length", "9"), ("host", "a.example")]
    )
    assert (host, headers) == ("a.example", [("X-A", "1"), ("X-B", "\xe9")])


@pytest.mark.parametrize(
    "name", ["Transfer-Encoding", "Upgrade", "TE", "Trailer", "Expect", "Proxy-Authorization", "proxy-connection"]
)
def test_headers_that_are_not_a_webhooks_to_set(name: str) -> None:
    with pytest.raises(TransportError, match=name):
        vet_request("POST", "https://a.example/", [(name, "x")])


def test_no_value_is_repeated() -> None:
    with pytest.raises(TransportError) as caught:
        vet_request("POST", "https://a.example/", [("X-Key", "canary\n")])
    assert "canary" not in str(caught.value)
    with pytest.raises(TransportError) as caught:
        vet_request("POST", "https://a.example/?token=canary canary", [])
    assert "canary" not in str(caught.value)


@given(st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), max_size=3))
def test_whatever_passes_is_the_headers_and_nothing_more(headers: list[tuple[str, str]]) -> None:
    try:
        _, vetted = vet_request("POST", "https://a.example/", headers)
    except TransportError:
        return
    block = "".join(f"{name}: {value}\r\n" for name, value in vetted).encode("latin-1")
    lines = block.split(b"\r\n")[:-1]
    assert len(lines) == len(headers)
    assert all(
        line.count(b"\n") == line.count(b"\r") == line.count(b"\0") == 0 and line.partition(b":")[0].isascii()
        for line in lines
    )
