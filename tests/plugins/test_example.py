"""The third-party plugin of ``examples/``, installed as a distribution of its own into a fresh virtual environment."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import site
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from hookctl.testing.receiver import Receiver

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "hookctl-hmac-example"
WEBHOOK = """
name: Deployments
event: deployment
url: https://siem.example.com/hooks/deployments
auth:
  type: body_signature
  secret: ${env:CHAT_SECRET}
body_template: |
  {"text": "{{ data.service }} {{ data.version }} is in {{ data.environment }}"}
"""

Hookctl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def hookctl(tmp_path_factory: pytest.TempPathFactory) -> Hookctl:
    """Runs hookctl in an environment that has the example installed, and sees this one's packages behind its own."""
    directory = tmp_path_factory.mktemp("example")
    environment = directory / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    packages = next(environment.glob("lib/python*/site-packages"))
    borrowed = [*site.getsitepackages(), str(ROOT / "engine"), str(ROOT / "plugins")]
    (packages / "borrowed.pth").write_text("\n".join(borrowed), encoding="utf-8")
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python), "install"]
    subprocess.run([*pip, "--quiet", "--no-deps", "--no-build-isolation", str(EXAMPLE)], check=True, timeout=300)

    def run(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
        variables = {
            name: value for name, value in os.environ.items() if not name.startswith(("HOOKCTL_", "PYTHON"))
        } | env
        return subprocess.run(
            [python, "-m", "hookctl", *arguments],
            cwd=cwd,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.fixture
def directory(project: Callable[[dict[str, str]], Path]) -> Path:
    return project({"webhooks.d/deployments.yaml": WEBHOOK})


def test_it_is_listed_with_its_distribution(hookctl: Hookctl, directory: Path) -> None:
    listed = hookctl("plugins", cwd=directory)
    assert listed.returncode == 0, listed.stderr
    assert "  body_signature (hookctl-hmac-example 1.0.0)\n" in listed.stdout
    assert "  deployment (hookctl-hmac-example 1.0.0)\n" in listed.stdout
    rows = json.loads(hookctl("plugins", "--format", "json", cwd=directory).stdout)["plugins"]
    (row,) = [row for row in rows if row["name"] == "body_signature"]
    assert (row["built_in"], row["plugin"], row["distribution"], row["version"]) == (
        False,
        "hmac-example",
        "hookctl-hmac-example",
        "1.0.0",
    )
    jsonschema.Draft202012Validator.check_schema(row["settings"])


def test_its_event_type_is_documented(hookctl: Hookctl, directory: Path) -> None:
    shown = hookctl("schema", "event", "deployment", cwd=directory)
    assert shown.returncode == 0, shown.stderr
    (row,) = [line for line in shown.stdout.splitlines() if line.startswith("data.environment ")]
    assert row.split(maxsplit=3) == [
        "data.environment",
        "string",
        "yes",
        "Where it runs now. One of: staging, production.",
    ]


def test_a_webhook_that_uses_it_is_valid(hookctl: Hookctl, directory: Path) -> None:
    result = hookctl("validate", cwd=directory)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("secret: ${env:CHAT_SECRET}", "secret: literal", "secret-literal"),
        ("secret: ${env:CHAT_SECRET}", "secrets: ${env:CHAT_SECRET}", "unknown-field"),
        ("secret: ${env:CHAT_SECRET}", "secret: ${env:CHAT_SECRET}\n  header: a b", "wrong-format"),
        ("data.service", "data.servce", "template-unknown-path"),
        ("type: body_signature", "type: body_signatur", "unknown-plugin"),
    ],
)
def test_its_settings_and_fields_are_checked_like_built_in_ones(
    hookctl: Hookctl, project: Callable[[dict[str, str]], Path], old: str, new: str, rule: str
) -> None:
    result = hookctl("validate", cwd=project({"webhooks.d/deployments.yaml": WEBHOOK.replace(old, new)}))
    assert result.returncode == 1
    assert rule in result.stdout


def test_what_it_signs_arrives(hookctl: Hookctl, directory: Path, receiver: Receiver) -> None:
    network = ["--connect-to", f"{receiver.host}:443:{receiver.address}:{receiver.port}", "--cacert", receiver.ca_file]
    result = hookctl("test", *network, cwd=directory, CHAT_SECRET="It's a Secret to Everybody")
    assert result.returncode == 0, result.stdout + result.stderr
    (request,) = receiver.requests
    assert request.json() == {"text": "billing 2.14.0 is in production"}
    signature = hmac.new(b"It's a Secret to Everybody", request.body, hashlib.sha256).hexdigest()
    assert request.header("X-Hub-Signature-256") == f"sha256={signature}"


def test_signature_of_github(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE / "src"))
    from hookctl_hmac_example.signature import BodySignature
    from requests import PreparedRequest
    from requests.structures import CaseInsensitiveDict

    request = PreparedRequest()
    request.headers, request.body = CaseInsensitiveDict(), b"Hello, World!"
    signed = BodySignature({"secret": "It's a Secret to Everybody"})(request)
    assert (
        signed.headers["X-Hub-Signature-256"]
        == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    )
