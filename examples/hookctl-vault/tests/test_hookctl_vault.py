import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hookctl.errors import SecretError
from hookctl.kit.contracts import SecretSourceContract
from hookctl.kit.project import Project
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

import hookctl_vault as mine

ROOT_TOKEN = "hvs.a-token-for-tests"
TOKEN = "a secret of the siem"
STORED = {"siem": {"token": TOKEN, "port": 443, "with space": "s p"}, "teams/it/chat": {"url": "https://c.example"}}
WEBHOOK = """
name: Siem
event: anomaly
url: https://siem.example.com/ingest
auth:
  type: bearer
  token: ${vault:secret/siem#token}
"""


class Vault(BaseHTTPRequestHandler):
    """The part of Vault's HTTP API that reads a KV engine of version 2, mounted at ``secret``.

    It is described at https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-version.
    """

    def do_GET(self) -> None:
        """Answer as Vault does: a wrong token gets a 403 for whatever path."""
        name = self.path.removeprefix("/v1/secret/data/")
        if self.headers["X-Vault-Token"] != ROOT_TOKEN or self.headers.get("X-Vault-Namespace", "ops") != "ops":
            self.reply(403, {"errors": ["permission denied"]})
        elif name == "sealed":
            self.reply(503, {"errors": ["Vault is sealed"]})
        elif name == "moved":
            self.reply(307, {}, Location="/v1/secret/data/siem")
        elif name == "deleted":
            self.reply(404, {"data": {"data": None, "metadata": {"deletion_time": "2026-01-01T00:00:00Z"}}})
        elif name == "version-1":
            self.reply(200, {"data": {"token": TOKEN}})
        elif self.path == f"/v1/secret/data/{name}" and name in STORED:
            self.reply(200, {"request_id": "1", "data": {"data": STORED[name], "metadata": {"version": 1}}})
        else:
            self.reply(404, {"errors": []})

    def reply(self, status: int, document: object, **headers: str) -> None:
        """Send an answer."""
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class Server(ThreadingHTTPServer):
    """A server that many threads may ask at the same time."""

    request_queue_size = 100


@pytest.fixture(autouse=True)
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that the environment names."""
    with Server(("127.0.0.1", 0), Vault) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("VAULT_ADDR", f"http://127.0.0.1:{server.server_port}/")
        monkeypatch.setenv("VAULT_TOKEN", ROOT_TOKEN)
        monkeypatch.delenv("VAULT_NAMESPACE", raising=False)
        monkeypatch.delenv("VAULT_CACERT", raising=False)
        yield server
        server.shutdown()
        thread.join()


class TestContract(SecretSourceContract):
    plugin = mine
    name = "vault"
    known = {
        "secret/siem#token": TOKEN,
        "secret/siem#with space": "s p",
        "secret/teams/it/chat#url": "https://c.example",
    }
    unknown = (
        "secret/siem#other",
        "secret/siem#port",
        "secret/missing#token",
        "secret/deleted#token",
        "secret/version-1#token",
        "secret/siem",
        "secret/../siem#token",
        "secret/siem?version=1#token",
    )


@pytest.mark.parametrize(
    ("key", "message", "hint"),
    [
        ("secret/sealed#token", "Vault answers with the status 503 for secret/sealed", "Unseal"),
        ("secret/moved#token", "Vault answers with the status 307 for secret/moved", "vault status"),
        ("secret/missing#token", "Vault answers with the status 404 for secret/missing", "vault kv put"),
        ("secret/siem#other", "the field of secret/siem#other in Vault does not exist", "after the `#`"),
        ("secret/version-1#token", "what Vault answers for secret/version-1 is not a secret", "version 2"),
        ("secret/siem", "the key is not the path of a secret", "MOUNT/PATH#FIELD"),
    ],
)
def test_an_error_says_what_is_wrong_and_what_to_do(key: str, message: str, hint: str) -> None:
    with pytest.raises(SecretError, match=message) as failed:
        mine.resolve(key)
    assert hint in failed.value.hint


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("VAULT_ADDR", "", "VAULT_ADDR is not set"),
        ("VAULT_TOKEN", "", "VAULT_TOKEN is not set"),
        ("VAULT_TOKEN", "hvs.a\tb", "VAULT_TOKEN contains a character"),
        ("VAULT_TOKEN", "hvs.wrong", "the status 403"),
        ("VAULT_NAMESPACE", "other", "the status 403"),
        ("VAULT_ADDR", "http://vault.example.com:8200", "VAULT_ADDR is not an HTTPS URL"),
        ("VAULT_ADDR", "https://[", "VAULT_ADDR is not an HTTPS URL"),
        ("VAULT_ADDR", "http://127.0.0.1:9", "Vault cannot be reached: ConnectionError"),
    ],
)
def test_a_wrong_environment_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SecretError, match=message) as failed:
        mine.resolve("secret/siem#token")
    assert failed.value.hint
    assert not value.startswith("hvs.") or value not in str(failed.value) + failed.value.hint


def test_over_tls_the_certificate_is_verified(monkeypatch: pytest.MonkeyPatch, hookctl_receiver: Receiver) -> None:
    hookctl_receiver.answer("/v1/secret/data/siem", Answer.json({"data": {"data": {"token": TOKEN}}}))
    monkeypatch.setenv("VAULT_ADDR", f"https://localhost:{hookctl_receiver.port}")
    with pytest.raises(SecretError, match="SSLError"):
        mine.resolve("secret/siem#token")
    monkeypatch.setenv("VAULT_CACERT", hookctl_receiver.ca_file)
    assert mine.resolve("secret/siem#token") == TOKEN


def test_an_answer_without_end_is_cut(monkeypatch: pytest.MonkeyPatch, hookctl_receiver: Receiver) -> None:
    hookctl_receiver.answer("/v1/secret/data/siem", Answer(body=b"x" * (2 << 20)))
    monkeypatch.setenv("VAULT_ADDR", f"https://localhost:{hookctl_receiver.port}")
    monkeypatch.setenv("VAULT_CACERT", hookctl_receiver.ca_file)
    with pytest.raises(SecretError, match="too long"):
        mine.resolve("secret/siem#token")


def test_the_secret_arrives(hookctl_project: Callable[..., Project]) -> None:
    project = hookctl_project({"webhooks.d/siem.yaml": WEBHOOK}, mine)
    assert project.run("plan").exit_code == 0
    result = project.run("test", "Siem")
    assert result.exit_code == 0, result.stdout + result.stderr
    (request,) = project.receiver.requests
    assert request.header("Authorization") == f"Bearer {TOKEN}"
    assert TOKEN not in result.stdout + result.stderr
