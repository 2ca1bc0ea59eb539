"""``mtls`` inside attempts: the certificate is offered to the target alone, and renewed ones are read again."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import trustme
from cryptography import x509

from hookctl.delivery.attempt.engine import AttemptEngine, Finished
from hookctl.model import CLIENT_CERTIFICATE_REFUSED, Attempt, DeliveryPlan, FailureKind
from hookctl.testing.answers import ReceivedRequest
from hookctl.testing.receiver import Receiver

MakePlan = Callable[..., DeliveryPlan]
MakeAttempt = Callable[..., Attempt]

AUTHORITY, STRANGER = trustme.CA(), trustme.CA()
MTLS = {"type": "mtls", "certificate": "${env:CLIENT_CRT}", "key": "${env:CLIENT_KEY}"}
OAUTH = {
    "type": "oauth2",
    "client_id": "client",
    "client_secret": "${env:CLIENT_SECRET}",
    "token_url": "https://login.example.com/oauth/token",
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Requires a certificate of AUTHORITY."""
    with Receiver(client_authorities=AUTHORITY.cert_pem.bytes()) as running:
        yield running


def use(monkeypatch: pytest.MonkeyPatch, name: str, authority: trustme.CA = AUTHORITY, prefix: str = "CLIENT") -> str:
    """Put a new certificate into the environment. Returns a line of its key."""
    leaf = authority.issue_cert(f"{name}@example.com")
    key = leaf.private_key_pem.bytes().decode()
    monkeypatch.setenv(f"{prefix}_CRT", leaf.cert_chain_pems[0].bytes().decode())
    monkeypatch.setenv(f"{prefix}_KEY", key)
    return key.splitlines()[1]


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CLIENT_SECRET", "secret")
    return use(monkeypatch, "one")


@pytest.fixture
def make(make_plan: MakePlan, transport: str) -> MakePlan:
    """Plans with the transport under test."""
    return partial(make_plan, transport=transport)


def name_of(request: ReceivedRequest) -> str | None:
    if request.client_certificate is None:
        return None
    names = x509.load_der_x509_certificate(request.client_certificate).extensions
    value = names.get_extension_for_class(x509.SubjectAlternativeName).value
    return str(value.get_values_for_type(x509.RFC822Name)[0]).partition("@")[0]


def test_the_certificate_is_used_and_not_recorded(
    attempt: MakeAttempt, make: MakePlan, receiver: Receiver, secrets: str
) -> None:
    made = attempt(make(auth=(MTLS,)))
    assert made.succeeded
    assert name_of(receiver.requests[0]) == "one"
    assert made.request is not None
    assert made.request.certificate is None
    assert secrets not in repr(made)


def test_webhooks_never_share_a_connection(
    make_engine: Callable[..., AttemptEngine],
    finish: Callable[..., list[Finished]],
    make: MakePlan,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, "two", prefix="OTHER")
    other = {"type": "mtls", "certificate": "${env:OTHER_CRT}", "key": "${env:OTHER_KEY}"}
    auths: dict[str, tuple[dict[str, Any], ...]] = {"one": (MTLS,), "two": (other,), "none": ()}
    plans = [make(name=name, url=f"https://siem.example.com/{name}", auth=auth) for name, auth in auths.items()]
    engine = make_engine()
    finished = [one for _ in range(3) for one in finish(engine, *plans)]
    assert [(request.path[1:], name_of(request)) for request in receiver.requests] != []
    assert all(request.path[1:] == name_of(request) for request in receiver.requests)
    for one in finished:
        assert one.attempt.succeeded == (one.job.plan.name != "none")


def test_with_oauth2_the_token_endpoint_gets_no_certificate(
    attempt: MakeAttempt, make: MakePlan, receiver: Receiver
) -> None:
    receiver._context.verify_mode = ssl.CERT_OPTIONAL  # it asks every client, also at the token endpoint
    receiver.require_token("/ingest")
    assert attempt(make(auth=(MTLS, OAUTH))).succeeded
    assert [(request.path, name_of(request)) for request in receiver.requests] == [
        ("/oauth/token", None),
        ("/ingest", "one"),
    ]


@pytest.mark.parametrize("auth", [(), (MTLS,)])
def test_a_refusal_is_named(
    attempt: MakeAttempt,
    make: MakePlan,
    receiver: Receiver,
    auth: tuple[Any, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, "stranger", STRANGER)
    made = attempt(make(auth=auth))
    assert made.failure is not None
    assert (made.failure.kind, made.failure.cause) == (FailureKind.TLS, CLIENT_CERTIFICATE_REFUSED)
    assert receiver.count == 0


def test_a_renewed_certificate_is_read_after_a_refusal(
    make_engine: Callable[..., AttemptEngine],
    finish: Callable[..., list[Finished]],
    make: MakePlan,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hookctl.delivery.attempt.preparations.SECRETS_SECONDS", 0.0)
    use(monkeypatch, "stranger", STRANGER)
    engine, plan = make_engine(), make(auth=(MTLS,))
    assert not finish(engine, plan)[0].attempt.succeeded
    use(monkeypatch, "renewed")
    assert finish(engine, plan)[0].attempt.succeeded
    assert [name_of(request) for request in receiver.requests] == ["renewed"]


def test_an_auth_that_returns_a_copy_keeps_the_certificate(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, plugins: Any
) -> None:
    from dataclasses import replace

    from hookctl.plugin import AuthType

    copies = AuthType(name="copies", summary="", schema={}, build=lambda *_: lambda request: request.copy())  # type: ignore[arg-type]  # as simple as a plugin may be
    changed = replace(plugins, auth={**plugins.auth, "copies": copies})
    assert attempt(make_plan(auth=(MTLS, {"type": "copies"})), plugins=changed).succeeded
    assert name_of(receiver.requests[0]) == "one"


def test_a_key_that_cannot_be_used_is_a_failure_of_the_secret(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT_KEY", "canary")
    made = attempt(make_plan(auth=(MTLS,)))
    assert made.failure is not None
    assert made.failure.kind is FailureKind.SECRET
    assert "the key of auth mtls is not a private key" in made.failure.message
    assert receiver.connections == 0
