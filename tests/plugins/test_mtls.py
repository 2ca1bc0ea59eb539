"""How ``mtls`` reads certificates and keys, and what it says about those that cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from requests import PreparedRequest
from requests.adapters import HTTPAdapter

from hookctl.errors import SecretError
from hookctl.model import ClientCertificate, Secret
from hookctl.plugin import AuthContext, Settings, client_certificate
from hookctl.plugin.host import load_plugins

PASSWORD = "canary-pässword"
AUTHORITY = trustme.CA()


@cache
def issued(kind: str) -> trustme.LeafCert:
    return AUTHORITY.issue_cert("client@example.com", key_type=trustme.KeyType[kind])


def key_of(kind: str, form: PrivateFormat, password: str = "") -> str:
    key = load_pem_private_key(issued(kind).private_key_pem.bytes(), None)
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, encryption).decode()


def chain_of(kind: str) -> str:
    return "".join(blob.bytes().decode() for blob in issued(kind).cert_chain_pems)


def built(certificate: str, key: str, password: str | None = None) -> ClientCertificate:
    settings: dict[str, Any] = {"certificate": Secret(certificate), "key": Secret(key)}
    if password is not None:
        settings["key_password"] = Secret(password)
    auth = load_plugins().auth["mtls"].build(cast("Settings", settings), AuthContext(HTTPAdapter(), 5.0))
    certificate_ = client_certificate(auth(PreparedRequest()))
    assert certificate_ is not None
    return certificate_


@pytest.mark.parametrize("kind", ["RSA", "ECDSA"])
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("password", ["", PASSWORD])
def test_keys_of_every_form(kind: str, form: PrivateFormat, password: str) -> None:
    text = key_of(kind, form, password)
    assert ("ENCRYPTED" in text) == bool(password)
    chain, key = built(chain_of(kind), text, password or None).reveal()
    assert chain.decode() == chain_of(kind)
    assert key.decode() == key_of(kind, PrivateFormat.PKCS8)


def test_one_file_for_both_and_a_password_that_is_not_needed() -> None:
    key = key_of("ECDSA", PrivateFormat.PKCS8)
    for both in (f"{chain_of('ECDSA')}{key}", f"Bag Attributes\n{key}\n{chain_of('ECDSA')}"):
        assert built(both, both, "unused").reveal() == (chain_of("ECDSA").encode(), key.encode())


def test_a_certificate_is_never_shown_or_written() -> None:
    import copy
    import json
    import pickle

    import msgspec

    certificate = built(chain_of("ECDSA"), key_of("ECDSA", PrivateFormat.PKCS8))
    assert repr(certificate) == f"{certificate}" == "ClientCertificate(***)"
    for write in (pickle.dumps, json.dumps, msgspec.json.encode, copy.copy):
        with pytest.raises(TypeError):
            cast("Callable[[object], object]", write)(certificate)


def _expired() -> tuple[str, str]:
    leaf = AUTHORITY.issue_cert(
        "a@b.example", not_before=datetime(2020, 1, 1, tzinfo=UTC), not_after=datetime(2020, 1, 2, tzinfo=UTC)
    )
    return leaf.cert_chain_pems[0].bytes().decode(), leaf.private_key_pem.bytes().decode()


def _early() -> tuple[str, str]:
    leaf = AUTHORITY.issue_cert(
        "a@b.example", not_before=datetime(2990, 1, 1, tzinfo=UTC), not_after=datetime(2991, 1, 1, tzinfo=UTC)
    )
    return leaf.cert_chain_pems[0].bytes().decode(), leaf.private_key_pem.bytes().decode()


GARBAGE = "-----BEGIN {0}-----\nY2FuYXJ5IGNhbmFyeQ==\n-----END {0}-----\n"
REFUSED: dict[str, tuple[Callable[[], tuple[str, ...]], str]] = {
    "wrong password": (
        lambda: (chain_of("ECDSA"), key_of("ECDSA", PrivateFormat.PKCS8, PASSWORD), "canary"),
        "does not decrypt",
    ),
    "wrong password, traditional": (
        lambda: (chain_of("ECDSA"), key_of("RSA", PrivateFormat.TraditionalOpenSSL, PASSWORD), "canary"),
        "does not decrypt",
    ),
    "no password": (
        lambda: (chain_of("ECDSA"), key_of("ECDSA", PrivateFormat.PKCS8, PASSWORD)),
        "is encrypted, and there is no",
    ),
    "another key": (
        lambda: (chain_of("ECDSA"), key_of("RSA", PrivateFormat.PKCS8)),
        "does not belong to the certificate",
    ),
    "the authority first": (
        lambda: (AUTHORITY.cert_pem.bytes().decode() + chain_of("ECDSA"), key_of("ECDSA", PrivateFormat.PKCS8)),
        "does not belong to the certificate",
    ),
    "expired": (_expired, r"expired on 2020-01-02 00:00 UTC"),
    "not yet valid": (_early, r"is not valid before 2990-01-01"),
    "no certificate": (lambda: ("canary", key_of("ECDSA", PrivateFormat.PKCS8)), "is not a certificate in PEM format"),
    "a damaged certificate": (
        lambda: (GARBAGE.format("CERTIFICATE"), key_of("ECDSA", PrivateFormat.PKCS8)),
        "is not a certificate in PEM format",
    ),
    "no key": (lambda: (chain_of("ECDSA"), "canary"), "is not a private key in PEM format"),
    "a damaged key": (lambda: (chain_of("ECDSA"), GARBAGE.format("PRIVATE KEY")), "is damaged"),
    "the file's name": (lambda: (chain_of("ECDSA"), "/run/secrets/canary.key"), "is not a private key in PEM format"),
    "too long": (lambda: (chain_of("ECDSA") * 60, key_of("ECDSA", PrivateFormat.PKCS8)), "more than 32768 bytes"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_is_named_without_its_text(case: str) -> None:
    make, message = REFUSED[case]
    given = make()
    with pytest.raises(SecretError, match=message) as caught:
        built(*given)
    said = f"{caught.value.message} {caught.value.hint} {caught.value.__cause__}"
    assert caught.value.message.startswith(("the key of auth mtls", "the certificate of auth mtls", "key_password"))
    assert "canary" not in said
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert not any(line in said for text in given for line in text.splitlines() if len(line) > 40)


@pytest.mark.parametrize(
    ("certificate", "valid"),
    [("${file:/c}", True), ("-----BEGIN CERTIFICATE-----\nMII", True), (" ${env:C}\n", True), ("/etc/c.pem", False)],
)
def test_a_certificate_is_a_reference_or_pem(certificate: str, valid: bool) -> None:
    import jsonschema_rs

    schema = dict(load_plugins().auth["mtls"].schema)
    assert jsonschema_rs.is_valid(schema, {"certificate": certificate, "key": "${file:/k}"}) == valid


def test_other_kinds_of_keys_do_not_belong_to_it() -> None:
    for key in (ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1())):
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        with pytest.raises(SecretError, match="does not belong"):
            built(chain_of("ECDSA"), text)
