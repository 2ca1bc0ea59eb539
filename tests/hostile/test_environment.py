"""Variables that change how other programs speak HTTP and TLS: hookctl, in a process of its own, follows none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hookctl.testing.receiver import Receiver

NOWHERE = "http://127.0.0.1:9"
PROXIES = {name: NOWHERE for lower in ("http", "https", "all") for name in (f"{lower}_proxy", f"{lower.upper()}_PROXY")}


@pytest.fixture(scope="module")
def shared() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def receiver(shared: Receiver) -> Receiver:
    shared.reset()
    return shared


@pytest.fixture(params=["curl", "requests"])
def root(request: pytest.FixtureRequest, project: Callable[..., Path]) -> Path:
    """A project with one webhook, for each transport."""
    auth = 'auth: {type: bearer, token: "${env:TOKEN}"}'
    transport = f"transport: {{type: {request.param}}}"
    text = f"name: Siem\nevent: anomaly\nurl: https://siem.example.com/ingest\n{auth}\n{transport}\n"
    return project({"webhooks.d/siem.yaml": text})


def hookctl_test(root: Path, receiver: Receiver, cacert: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """``hookctl test`` as a person runs it."""
    address, port = receiver.connect_to["siem.example.com"]
    command = [sys.executable, "-m", "hookctl", "test", "--connect-to", f"siem.example.com:443:{address}:{port}"]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("HOOKCTL_")}
    environment = {**ours, "TOKEN": "canary-4711", **variables}
    return subprocess.run(
        [*command, "--cacert", cacert],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_no_session_keys_are_written(root: Path, receiver: Receiver) -> None:
    keys = root / "keys.log"
    result = hookctl_test(root, receiver, receiver.ca_file, SSLKEYLOGFILE=str(keys))
    assert result.returncode == 0, result.stdout + result.stderr
    assert receiver.count == 1
    assert not keys.exists()


def test_proxies_and_netrc_change_nothing(root: Path, receiver: Receiver) -> None:
    netrc = root / ".netrc"
    netrc.write_text("machine siem.example.com login a password other\n")
    netrc.chmod(0o600)
    (root / ".curlrc").write_text('header = "X-Other: 1"\nproxy = "http://127.0.0.1:9"\n')
    home = {"HOME": str(root), "CURL_HOME": str(root), "NETRC": str(netrc)}
    result = hookctl_test(root, receiver, receiver.ca_file, **PROXIES, **home)
    assert result.returncode == 0, result.stdout + result.stderr
    (request,) = receiver.requests
    assert request.header("Authorization") == "Bearer canary-4711"
    assert request.header("X-Other") is None


def test_no_other_authorities_are_trusted(root: Path, receiver: Receiver) -> None:
    with Receiver() as other:  # another authority
        trusted = dict.fromkeys(("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"), receiver.ca_file)
        result = hookctl_test(root, receiver, other.ca_file, SSL_CERT_DIR=str(Path(receiver.ca_file).parent), **trusted)
    assert (result.returncode, receiver.count) == (1, 0), result.stdout + result.stderr


def test_aliases_of_hosts_change_no_name_that_a_webhook_may_have(root: Path, receiver: Receiver) -> None:
    """A resolver follows HOSTALIASES only for names without a dot, and the certificate must hold for the name."""
    aliases = root / "aliases"
    aliases.write_text("siem localhost\nsiem.example.com localhost\n")
    variables = {"HOSTALIASES": str(aliases), "LOCALDOMAIN": "localhost", "RES_OPTIONS": "ndots:15"}
    result = hookctl_test(root, receiver, receiver.ca_file, **variables)
    assert result.returncode == 0, result.stdout + result.stderr
    (request,) = receiver.requests
    assert request.header("Host") == "siem.example.com"
