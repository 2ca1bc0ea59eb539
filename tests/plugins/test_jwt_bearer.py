"""``jwt_bearer``: what the assertion says, that its signature verifies, and how it is exchanged for a token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, cast
from urllib.parse import parse_qs

import jsonschema_rs
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from requests import PreparedRequest
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from hookctl.errors import HookctlError, SecretError, TokenError, TokenRefusedError
from hookctl.model import Request, Secret
from hookctl.plugin import AuthContext, Refreshable, Settings
from hookctl.plugin.host import load_plugins
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver
from hookctl_plugins.auth.jwt_bearer import CLIENT_ASSERTION, GRANT, JwtBearer

TOKEN_URL = "https://login.example.com/oauth/token"
SHARED = "canary-" * 6
NOW = 1_800_000_000.9


@cache
def key(kind: str) -> Any:
    if kind == "RS256":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1() if kind == "ES256" else ec.SECP384R1())


def pem(kind: str, password: str = "") -> str:
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return str(key(kind).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode())


@pytest.fixture(params=["requests", "curl"])
def adapter(request: pytest.FixtureRequest, receiver: Receiver) -> Iterator[BaseAdapter]:
    built = load_plugins().transports[request.param].build({}, receiver.network())
    yield built
    built.close()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def make(adapter: BaseAdapter) -> Callable[..., JwtBearer]:
    def made(clock: Clock | None = None, **changed: Any) -> JwtBearer:
        settings = {"token_url": TOKEN_URL, "issuer": "me", "key": Secret(SHARED), "algorithm": "HS256", **changed}
        context = AuthContext(adapter, 5.0)
        return JwtBearer(cast("Settings", settings), context, clock or Clock(), lambda: NOW)

    return made


def token_of(auth: JwtBearer) -> str:
    request = PreparedRequest()
    request.headers = CaseInsensitiveDict()
    return str(auth(request).headers["Authorization"])


def form(receiver: Receiver, index: int = -1) -> dict[str, str]:
    pairs = parse_qs(receiver.requests[index].body.decode(), strict_parsing=True)
    assert all(len(values) == 1 for values in pairs.values())
    return {name: values[0] for name, values in pairs.items()}


def opened(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims, after the signature is verified."""
    parts = [base64.urlsafe_b64decode(f"{part}==") for part in assertion.split(".")]
    header, claims, signature = json.loads(parts[0]), json.loads(parts[1]), parts[2]
    signed = assertion.rpartition(".")[0].encode()
    if header["alg"] == "HS256":
        assert signature == hmac.digest(SHARED.encode(), signed, hashlib.sha256)
    elif header["alg"] == "RS256":
        key("RS256").public_key().verify(signature, signed, padding.PKCS1v15(), SHA256())
    else:
        pair = (int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        key("ES256").public_key().verify(encode_dss_signature(*pair), signed, ec.ECDSA(SHA256()))
    return header, claims


def grants(receiver: Receiver, *tokens: str, expires_in: int = 3600) -> None:
    receiver.answer(
        "/oauth/token", *(Answer.json({"access_token": token, "expires_in": expires_in}) for token in tokens)
    )


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "HS256"])
def test_an_assertion_is_exchanged(make: Callable[..., JwtBearer], receiver: Receiver, algorithm: str) -> None:
    grants(receiver, "t")
    given = SHARED if algorithm == "HS256" else pem(algorithm)
    changed = {"subject": Secret("them"), "key_id": "k1", "claims": {"scope": "a b", "deep": {"x": [Secret("y"), 1]}}}
    assert token_of(make(algorithm=algorithm, key=Secret(given), **changed)) == "Bearer t"
    (request,) = receiver.requests
    assert (request.method, request.header("Host"), request.header("Authorization")) == (
        "POST",
        "login.example.com",
        None,
    )
    sent = form(receiver)
    assert sent.keys() == {"grant_type", "assertion"}
    assert sent["grant_type"] == GRANT
    header, claims = opened(sent["assertion"])
    assert header == {"alg": algorithm, "typ": "JWT", "kid": "k1"}
    assert len(claims.pop("jti")) == 32
    assert claims == {
        "iss": "me",
        "sub": "them",
        "aud": TOKEN_URL,
        "iat": 1_800_000_000,
        "exp": 1_800_000_060,
        "scope": "a b",
        "deep": {"x": ["y", 1]},
    }


def test_what_services_ask_for(make: Callable[..., JwtBearer], receiver: Receiver) -> None:
    grants(receiver, "t")
    token_of(make(claims={"scope": "https://www.googleapis.com/auth/pubsub"}, lifetime_seconds=3600))
    _, claims = opened(form(receiver)["assertion"])  # Google: no subject, and the scope is a claim
    assert claims.keys() == {"iss", "aud", "iat", "exp", "jti", "scope"}
    assert claims["exp"] - claims["iat"] == 3600
    box = {"client_id": "id", "client_secret": Secret("secret"), "token_endpoint_auth_method": "client_secret_post"}
    token_of(make(**box, subject="42", claims={"box_sub_type": "enterprise"}))
    assert {name: value for name, value in form(receiver).items() if name != "assertion"} == {
        "grant_type": GRANT,
        "client_id": "id",
        "client_secret": "secret",
    }
    token_of(make(audience="https://login.salesforce.com", subject="user@example.com", scopes=["api", "web"]))
    assert form(receiver)["scope"] == "api web"
    assert opened(form(receiver)["assertion"])[1]["aud"] == "https://login.salesforce.com"
    token_of(make(client_id="id", client_secret=Secret("secret")))
    assert receiver.requests[-1].header("Authorization") == f"Basic {base64.b64encode(b'id:secret').decode()}"


def test_an_assertion_authenticates_the_client(make: Callable[..., JwtBearer], receiver: Receiver) -> None:
    grants(receiver, "t")
    assert token_of(make(grant="client_credentials", scopes=["a"])) == "Bearer t"
    sent = form(receiver)
    _, claims = opened(sent.pop("client_assertion"))
    assert sent == {
        "grant_type": "client_credentials",
        "client_assertion_type": CLIENT_ASSERTION,
        "client_id": "me",
        "scope": "a",
    }
    assert (claims["iss"], claims["sub"]) == ("me", "me")
    assert receiver.requests[0].header("Authorization") is None


def test_a_token_is_kept_and_renewed_with_a_new_assertion(make: Callable[..., JwtBearer], receiver: Receiver) -> None:
    grants(receiver, "t1", "t2", "t3")
    auth = make(clock := Clock())
    assert isinstance(auth, Refreshable)
    assert [token_of(auth), token_of(auth)] == ["Bearer t1"] * 2
    clock.now += 3600 - 59
    assert token_of(auth) == "Bearer t2"
    auth.refresh(Request("POST", "https://siem.example.com/", (("Authorization", "Bearer t2"),), b""))
    assert token_of(auth) == "Bearer t3"
    ids = [opened(form(receiver, index)["assertion"])[1]["jti"] for index in range(3)]
    assert len({*ids}) == 3


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (
            Answer.json({"error": "invalid_grant", "error_description": "the clock is wrong"}, 400),
            TokenRefusedError,
            "the clock is wrong",
        ),
        (Answer.json({"error": "server_error"}, 500), TokenError, "answered 500"),
        (Answer.json({}), TokenError, "without a usable access_token"),
    ],
)
def test_a_refusal_is_quoted(
    make: Callable[..., JwtBearer], receiver: Receiver, answer: Answer, error: type[HookctlError], message: str
) -> None:
    receiver.answer("/oauth/token", answer)
    with pytest.raises(error, match=message):
        token_of(make())


def test_a_refusal_that_repeats_the_request_reveals_nothing(make: Callable[..., JwtBearer], receiver: Receiver) -> None:
    def echo(request: Any) -> Answer:
        assertion = parse_qs(request.body.decode())["assertion"][0]
        return Answer.json(
            {"error": "invalid_grant", "error_description": f"got {assertion} {SHARED} claim-canary"}, 400
        )

    receiver.answer("/oauth/token", echo)
    with pytest.raises(TokenRefusedError) as caught:
        token_of(make(claims={"x": Secret("claim-canary")}))
    assert caught.value.message.endswith("got *** *** ***")


LONG = "canary" * 6
REFUSED: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "short secret": (lambda: {"key": Secret("canary" * 5)}, "shorter than the 32 bytes"),
    "PEM for HS256": (lambda: {"key": Secret(pem("ES256"))}, "is a PEM key, but the algorithm is HS256"),
    "no PEM": (lambda: {"algorithm": "RS256", "key": Secret(LONG)}, "is not a private key in PEM format"),
    "another kind": (lambda: {"algorithm": "RS256", "key": Secret(pem("ES256"))}, "requires an RSA key"),
    "another curve": (lambda: {"algorithm": "ES256", "key": Secret(pem("P-384"))}, "requires a key on the curve P-256"),
    "no password": (lambda: {"algorithm": "ES256", "key": Secret(pem("ES256", "p"))}, "is encrypted, and there is no"),
    "wrong password": (
        lambda: {"algorithm": "ES256", "key": Secret(pem("ES256", "p")), "key_password": Secret("canary")},
        "does not decrypt",
    ),
    "short RSA": (
        lambda: {
            "algorithm": "RS256",
            "key": Secret(
                rsa.generate_private_key(65537, 1024)  # noqa: S505  # it must be refused
                .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
                .decode()
            ),
        },
        "has 1024 bits",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_key_that_cannot_be_used_is_named_without_its_text(case: str) -> None:
    make, message = REFUSED[case]
    settings = {"token_url": TOKEN_URL, "issuer": "me", "algorithm": "HS256", **make()}
    with pytest.raises(SecretError, match=message) as caught:
        JwtBearer(cast("Settings", settings), AuthContext(cast("BaseAdapter", None), 5.0))
    assert "canary" not in f"{caught.value.message} {caught.value.hint}"


def test_an_encrypted_key(make: Callable[..., JwtBearer], receiver: Receiver) -> None:
    grants(receiver, "t")
    auth = make(algorithm="ES256", key=Secret(pem("ES256", "pässword")), key_password=Secret("pässword"))
    assert token_of(auth) == "Bearer t"
    opened(form(receiver)["assertion"])


MINIMUM = {"token_url": TOKEN_URL, "issuer": "me", "key": "${env:K}"}


@pytest.mark.parametrize(
    ("more", "valid"),
    [
        ({}, True),
        ({"claims": {"scope": "x"}}, True),
        ({"claims": {"exp": 1}}, False),
        ({"lifetime_seconds": 3601}, False),
        ({"algorithm": "none"}, False),
        ({"client_secret": "${env:S}"}, False),
        ({"client_id": "me", "client_secret": "${env:S}"}, True),
        ({"client_id": "me", "client_secret": "${env:S}", "grant": "client_credentials"}, False),
        ({"client_id": "me", "grant": "client_credentials"}, True),
        ({"token_endpoint_auth_method": "client_secret_post"}, False),
    ],
)
def test_settings(more: dict[str, Any], valid: bool) -> None:
    schema = dict(load_plugins().auth["jwt_bearer"].schema)
    assert jsonschema_rs.is_valid(schema, {**MINIMUM, **more}) == valid
