from __future__ import annotations

import pytest
import requests

from hookctl.errors import DeadlineError
from hookctl.model import MAX_RESPONSE_BYTES, Request
from hookctl.plugin.responses import from_requests
from hookctl.testing.answers import Answer
from hookctl.testing.recorded import RecordedTransport


def prepared(body: str | None = "{}") -> requests.PreparedRequest:
    return requests.Request("POST", "https://a.example/x", headers={"X-A": "1"}, data=body).prepare()


def test_answers_in_turn_and_what_was_asked() -> None:
    transport = RecordedTransport(
        Answer.json({"n": 1}), DeadlineError("late"), Answer(503, headers=(("Retry-After", "7"),))
    )
    assert transport.send(prepared(), timeout=3).json() == {"n": 1}
    with pytest.raises(DeadlineError):
        transport.send(prepared())
    for _ in range(2):
        response = transport.send(prepared(None))
        assert (response.status_code, response.reason, response.headers["retry-after"]) == (
            503,
            "Service Unavailable",
            "7",
        )
    assert transport.requests[0] == Request(
        "POST", "https://a.example/x", (("X-A", "1"), ("Content-Length", "2")), b"{}"
    )
    assert transport.requests[3].body is None
    assert transport.timeouts == [3, None, None, None]


def test_it_cuts_at_the_cap_as_a_real_one_does() -> None:
    response = from_requests(RecordedTransport(Answer(body=b"x" * (MAX_RESPONSE_BYTES + 1))).send(prepared()))
    assert (len(response.body), response.truncated) == (MAX_RESPONSE_BYTES, True)


def test_a_session_can_use_it() -> None:
    session = requests.Session()
    session.mount("https://", RecordedTransport())
    assert session.post("https://a.example/").json() == {"status": "accepted"}
