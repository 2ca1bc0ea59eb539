"""Auths that need more than a header, through ``test`` and ``send``: nothing that is printed or stored is a secret."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

PASSWORD = "canary-password"
FILE = """
name: Siem
event: anomaly
url: https://siem.example.com/ingest
transport: {{type: {transport}}}
body_template: '{{"severity": "{{{{ data.severity }}}}"}}'
auth:
  - type: mtls
    certificate: ${{file:client.crt}}
    key: ${{file:client.key}}
    key_password: ${{env:KEY_PASSWORD}}
  - type: jwt_bearer
    token_url: https://login.example.com/oauth/token
    issuer: me
    algorithm: ES256
    key: ${{file:client.key}}
    key_password: ${{env:KEY_PASSWORD}}
  - type: api_key_query
    parameter: api_key
    key: ${{env:API_KEY}}
"""


@pytest.mark.parametrize("transport", ["curl", "requests"])
def test_no_secret_is_printed_or_stored(
    project: Callable[..., Path], run_cli: Callable[..., Any], transport: str
) -> None:
    authority = trustme.CA()
    leaf = authority.issue_cert("client@example.com")
    key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
    encrypted = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD.encode())
    ).decode()
    root = project(
        {
            "webhooks.d/siem.yaml": FILE.format(transport=transport),
            "client.crt": leaf.cert_chain_pems[0].bytes().decode(),
            "client.key": encrypted,
        }
    )
    for name in ("client.crt", "client.key"):
        (root / name).chmod(0o600)
    env = {"KEY_PASSWORD": PASSWORD, "API_KEY": "canary-key"}
    with Receiver(client_authorities=authority.cert_pem.bytes()) as receiver, Receiver() as login:
        login.answer("/oauth/token", Answer.json({"access_token": "canary-token", "expires_in": 3600}))
        receiver.default = Answer(400, body=b'{"no": "canary-key canary-token canary-password"}')
        both = root / "both.pem"
        both.write_text(Path(receiver.ca_file).read_text() + Path(login.ca_file).read_text())
        reach = [
            *("--connect-to", f"siem.example.com:443:{receiver.address}:{receiver.port}"),
            *("--connect-to", f"login.example.com:443:{login.address}:{login.port}"),
            *("--cacert", str(both)),
        ]
        printed = run_cli("test", "Siem", *reach, cwd=root, env=env)
        assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
        sent = run_cli("test", "Siem", "--format", "json", *reach, cwd=root, env=env)
        assert all(request.client_certificate for request in receiver.requests)
        assert all(request.header("Authorization") == "Bearer canary-token" for request in receiver.requests)
        assert all(request.target == "/ingest?api_key=canary-key" for request in receiver.requests)
        assert receiver.count >= 1, printed
    stored = b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file() and path.suffix != ".key")
    shown = f"{printed.stdout}{printed.stderr}{sent.stdout}{sent.stderr}".encode() + stored
    secrets = [b"canary", base64.b64encode(b"canary-key"), encrypted.splitlines()[2].encode()]
    assert not [secret for secret in secrets if secret in shown]
    assert "api_key=***" in printed.stdout
