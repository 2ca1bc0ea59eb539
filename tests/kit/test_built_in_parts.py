"""Every built-in part passes the contract suite that authors of plugins inherit from."""

from __future__ import annotations

import base64
import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from requests.auth import AuthBase

from hookctl.kit.contracts import (
    AuthContract,
    EventTypeContract,
    FormatContract,
    SecretSourceContract,
    TransportContract,
    ValidatorContract,
)
from hookctl.plugin import Envelope
from hookctl.plugin.host import load_plugins
from hookctl.report.formats.registry import FORMATS, built_in
from hookctl.testing.answers import Answer
from hookctl.testing.recorded import RecordedTransport

ACCEPTED = Envelope(200, {"content-type": "application/json", "x-id": "1"}, {"status": "accepted", "n": 1})
REFUSING = Envelope(200, {"content-type": "text/plain"}, {"error": "refused"})
REJECTED = Envelope(200, {"content-type": "application/json"}, {"status": "refused"})


def client_certificate() -> tuple[str, str]:
    """A certificate and its key, as PEM."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.decode(), pem.decode()


CERTIFICATE, KEY = client_certificate()


class TestBearer(AuthContract):
    name = "bearer"
    settings = {"token": "t-0123456789"}


class TestBasic(AuthContract):
    name = "basic"
    settings = {"username": "hookctl", "password": "p-0123456789"}
    refused = ({"username": "a:b", "password": "p"},)


class TestHeaders(AuthContract):
    name = "headers"
    settings = {"headers": {"X-Api-Key": "k-0123456789"}}
    refused = ({"headers": {}},)


class TestOauth2(AuthContract):
    name = "oauth2"
    settings = {
        "client_id": "hookctl",
        "client_secret": "s-0123456789",
        "token_url": "https://login.example.com/oauth/token",
    }
    refused = ({**settings, "scopes": ["a b"]}, {**settings, "token_endpoint_auth_method": "none"})


class TestStandardWebhooks(AuthContract):
    name = "standard_webhooks"
    settings = {"secret": "whsec_" + base64.b64encode(b"k" * 32).decode()}


class TestHmac(AuthContract):
    name = "hmac"
    settings = {"preset": "github", "secret": "s-0123456789"}


class TestHmacOfSlack(AuthContract):
    name = "hmac"
    settings = {"preset": "slack", "secret": "s-0123456789"}


class TestApiKeyQuery(AuthContract):
    name = "api_key_query"
    settings = {"parameter": "key", "key": "k-0123456789"}


class TestMtls(AuthContract):
    name = "mtls"
    settings = {"certificate": CERTIFICATE, "key": KEY}


class TestJwtBearer(AuthContract):
    name = "jwt_bearer"
    settings = {
        "token_url": "https://login.example.com/oauth/token",
        "issuer": "hookctl",
        "key": KEY,
        "algorithm": "ES256",
    }


class TestDigest(AuthContract):
    name = "digest"
    settings = {"username": "hookctl", "password": "p-0123456789"}

    def prepare(self, auth: AuthBase) -> None:
        challenge = Answer(401, headers=(("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"'),), body=b"")
        transport, request = RecordedTransport(challenge, Answer()), auth(self.request())
        for hook in request.hooks["response"]:
            hook(transport.send(request, timeout=5.0), timeout=5.0)


class TestCurl(TransportContract):
    name = "curl"
    refused_urls = ("http://siem.example.com/", "https://10.0.0.1/")


class TestRequests(TransportContract):
    name = "requests"
    refused_urls = TestCurl.refused_urls


class TestJsonPath(ValidatorContract):
    name = "json_path"
    settings = {"json_path": "$.data.status", "expected_values": ["accepted"]}
    refused = ({"json_path": "$.data[", "expected_values": ["accepted"]},)
    accepted = (ACCEPTED,)
    rejected = (REJECTED, Envelope(200, {}, "accepted"))


class TestJmespath(ValidatorContract):
    name = "jmespath"
    settings = {"expression": "data.status == 'accepted'"}
    refused = ({"expression": "data.status =="},)
    accepted = (ACCEPTED,)
    rejected = (REJECTED,)


class TestStatus(ValidatorContract):
    name = "status"
    settings = {"codes": [200, 202]}
    refused = ({"codes": []},)
    accepted = (ACCEPTED, Envelope(202, {}, None))
    rejected = (Envelope(204, {}, None),)


class TestExists(ValidatorContract):
    name = "exists"
    settings = {"json_path": "$.data.status"}
    refused = ({"json_path": "$.data["},)
    accepted = (ACCEPTED,)
    rejected = (REFUSING,)


class TestHeader(ValidatorContract):
    name = "header"
    settings = {"name": "X-Id"}
    accepted = (ACCEPTED,)
    rejected = (REFUSING,)


class TestRegex(ValidatorContract):
    name = "regex"
    settings = {"pattern": "^ok"}
    refused = ({"pattern": "("},)
    accepted = (Envelope(200, {}, "ok then", body=b"ok then"),)
    rejected = (Envelope(200, {}, "no", body=b"no"),)


class TestJsonSchema(ValidatorContract):
    name = "json_schema"
    settings = {"schema": {"type": "object", "required": ["status"]}}
    accepted = (ACCEPTED,)
    rejected = (REFUSING,)


class TestEnv(SecretSourceContract):
    name = "env"
    known = {"KIT_TEST_TOKEN": "canary-of-env"}
    unknown = ("KIT_TEST_MISSING", "KIT_TEST_EMPTY")

    @pytest.fixture(autouse=True)
    def _variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KIT_TEST_TOKEN", "canary-of-env")
        monkeypatch.setenv("KIT_TEST_EMPTY", "")


class TestFile(SecretSourceContract):
    name = "file"
    known = {"token": "canary-of-file"}
    unknown = ("missing", "empty", "folder")

    @pytest.fixture(autouse=True)
    def _files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("token").write_text("canary-of-file\n")
        Path("empty").write_text("")
        Path("folder").mkdir()


class TestAnomaly(EventTypeContract):
    name = "anomaly"


class TestAccessRequest(EventTypeContract):
    name = "access_request"


class TestAuditLog(EventTypeContract):
    name = "audit_log"


class TestIntegration(EventTypeContract):
    name = "integration"


class TestAlertmanager(EventTypeContract):
    name = "alertmanager"


class TestCloudEvents(EventTypeContract):
    name = "cloudevents"


class TestDeliveryDead(EventTypeContract):
    name = "hookctl.delivery_dead"


class TestWebhookHeld(EventTypeContract):
    name = "hookctl.webhook_held"


class TestCircuitOpened(EventTypeContract):
    name = "hookctl.circuit_opened"


class BuiltInFormat(FormatContract):
    """A format that hookctl has without a plugin."""

    @property
    def part(self) -> Any:
        return built_in(self.name)


class TestJson(BuiltInFormat):
    name = "json"

    def read(self, text: str) -> object:
        return json.loads(text)


class TestMarkdown(BuiltInFormat):
    name = "markdown"


class TestGithub(BuiltInFormat):
    name = "github"


class TestSarif(BuiltInFormat):
    name = "sarif"

    def read(self, text: str) -> object:
        return json.loads(text)["runs"]


class TestGitlab(BuiltInFormat):
    name = "gitlab"

    def read(self, text: str) -> object:
        return json.loads(text)


class TestJunit(BuiltInFormat):
    name = "junit"

    def read(self, text: str) -> object:
        return ET.fromstring(text)  # noqa: S314  # our own text


def test_no_built_in_part_is_forgotten() -> None:
    plugins = load_plugins()
    suites: list[Any] = [one for name, one in globals().items() if name.startswith("Test")]
    tested = {(one.what, one.name) for one in suites}
    kinds = {"auth", "transport", "validator", "secret source", "event type", "format"}
    parts = {
        (what, name)
        for (what, name), owner in plugins.origins.items()
        if what in kinds and owner.startswith("hookctl_plugins.")
    }
    assert parts | {("format", name) for name in FORMATS} == tested
