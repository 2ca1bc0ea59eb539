"""Auths that sign the URL sign it as the transports send it: with a path, and with escapes in upper case."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

import pytest

from hookctl.model import Attempt, DeliveryPlan
from hookctl.testing.answers import Answer, ReceivedRequest
from hookctl.testing.receiver import Receiver

KEY = "canary-signing-key"
HOST = "https://siem.example.com"
HMAC = {"type": "hmac", "secret": "${env:KEY}", "content": "{url}", "header": "X-Signature"}
DIGEST = {"type": "digest", "username": "hookctl", "password": "${env:KEY}"}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", KEY)


@pytest.mark.parametrize("url", [HOST, f"{HOST}?a=1", f"{HOST}/a%2fb?c=%2fd", f"{HOST}/a%2Fb?c=%C3%A9"])
def test_a_signature_of_the_url(
    attempt: Callable[..., Attempt],
    make_plan: Callable[..., DeliveryPlan],
    receiver: Receiver,
    transport: str,
    url: str,
) -> None:
    made = attempt(make_plan(transport=transport, auth=(HMAC,), url=url))
    assert made.succeeded
    (request,) = receiver.requests
    signed = hmac.digest(KEY.encode(), f"{HOST}{request.target}".encode(), hashlib.sha256).hex()
    assert request.header("X-Signature") == signed
    assert made.request is not None
    assert made.request.url == url  # as the webhook has it


def test_the_url_in_an_answer_to_a_challenge(
    attempt: Callable[..., Attempt], make_plan: Callable[..., DeliveryPlan], receiver: Receiver, transport: str
) -> None:
    def target(request: ReceivedRequest) -> Answer:
        given = request.header("Authorization") or ""
        if f'uri="{request.target}"' in given:
            return Answer(200)
        return Answer(401, headers=(("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"'),))

    receiver.answer("/a%2Fb", target)
    assert attempt(make_plan(transport=transport, auth=(DIGEST,), url=f"{HOST}/a%2fb?c=%2fd")).succeeded
