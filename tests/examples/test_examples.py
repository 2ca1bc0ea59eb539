"""The plugins of ``examples/``: each is a distribution that installs, passes its own tests, and works for a user.

All of them are built by their own build backends, and installed beside the wheel of hookctl in one fresh virtual
environment. It borrows only what they depend on from this one.
"""

from __future__ import annotations

import json
import os
import re
import site
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer

import pytest

from hookctl.cli.new_plugin import KINDS
from hookctl.kit.project import run_command
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

ROOT = Path(__file__).parents[2]
EXAMPLES = {path.name: path for path in sorted((ROOT / "examples").glob("hookctl-*"))}
PARTS = {
    "hookctl-aws-sigv4": ("auth", "aws_sigv4"),
    "hookctl-checkstyle": ("format", "checkstyle"),
    "hookctl-deployment": ("event type", "deployment"),
    "hookctl-hosts": ("command", "hosts"),
    "hookctl-two-step-removal": ("policy", "two_step_removal"),
    "hookctl-unix-socket": ("transport", "unix_socket"),
    "hookctl-vault": ("secret source", "vault"),
}
"""What each of them adds."""
BUILD = """
import os, sys
from importlib import import_module

for pair in sys.argv[2:]:
    backend, source = pair.split("=", 1)
    os.chdir(source)
    import_module(backend).build_wheel(sys.argv[1])
"""
"""Calls the hook of PEP 517 for each of them, as pip does, but in one process."""
FUNCTION = """
name: Function
event: deployment
url: https://siem.example.com/hooks/deployments
auth:
  type: aws_sigv4
  access_key_id: AKIAIOSFODNN7EXAMPLE
  secret_access_key: ${vault:secret/aws#key}
  region: eu-central-1
  service: lambda
body_template: |
  {"text": "{{ data.service }} {{ data.version }} is in {{ data.environment }}"}
"""
COLLECTOR = """
name: Collector
event: deployment
url: unix://collector/ingest
transport:
  type: unix_socket
body_template: |
  {"service": "{{ data.service }}"}
"""
SETTINGS = """
[policies.two_step_removal]
"""

Installed = Callable[..., subprocess.CompletedProcess[str]]


class Collector(BaseHTTPRequestHandler):
    """Accepts a request, and records its body."""

    bodies: list[object] = []

    def do_POST(self) -> None:
        self.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.wfile.write(b"HTTP/1.1 204 No Content\r\n\r\n")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Runs a module in an environment in which hookctl and the examples are installed."""
    directory = tmp_path_factory.mktemp("examples")
    environment, wheels = directory / "venv", directory / "wheels"
    sources = [ROOT, *EXAMPLES.values()]
    backends = [tomllib.loads((one / "pyproject.toml").read_text())["build-system"]["build-backend"] for one in sources]
    pairs = [f"{backend}={source}" for backend, source in zip(backends, sources, strict=True)]
    subprocess.run([sys.executable, "-c", BUILD, wheels, *pairs], check=True, timeout=300)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    packages = next(environment.glob("lib/python*/site-packages"))
    (packages / "borrowed.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    python = environment / "bin" / "python"
    options = ["--disable-pip-version-check", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([sys.executable, "-m", "pip", *options, *wheels.glob("*.whl")], check=True, timeout=300)
    assert (packages / "hookctl" / "cli").is_dir()

    def run(*arguments: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
        hidden = ("HOOKCTL_", "PYTHON", "VAULT_", "PYTEST_")
        variables = {name: value for name, value in os.environ.items() if not name.startswith(hidden)} | env
        command = [str(python), "-m", *map(str, arguments)]
        return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, check=False, timeout=300)

    return run


@pytest.fixture
def directory(project: Callable[[Mapping[str, str]], Path]) -> Path:
    return project(
        {"webhooks.d/function.yaml": FUNCTION, "webhooks.d/collector.yaml": COLLECTOR, "hookctl.toml": SETTINGS}
    )


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[Path]:
    """A directory in which a service listens on the socket ``collector.sock``."""
    Collector.bodies.clear()
    with UnixStreamServer(str(tmp_path / "collector.sock"), Collector) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield tmp_path
        server.shutdown()
        thread.join()


def test_the_examples_are_these() -> None:
    assert sorted(EXAMPLES) == sorted(PARTS)


@pytest.mark.parametrize("name", PARTS)
def test_an_example_looks_like_what_plugins_new_writes(name: str, tmp_path: Path) -> None:
    kinds = {what: kind for kind, what in KINDS.items()}
    short = name.removeprefix("hookctl-")
    done = run_command("plugins", "new", f"{short}-2", "--kind", kinds[PARTS[name][0]], cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    written = tmp_path / f"{name}-2"
    module = name.replace("-", "_")
    assert (EXAMPLES[name] / f"src/{module}/py.typed").exists()
    assert (EXAMPLES[name] / f"tests/test_{module}.py").exists()
    ours, theirs = ((path / "pyproject.toml").read_text() for path in (EXAMPLES[name], written))
    theirs = theirs.replace(f"{name}-2", name).replace(f"{short}-2", short).replace(f"{module}_2", module)
    own = ("description", "dependencies", "dev")
    for text in set(theirs.splitlines()) - set(ours.splitlines()):
        assert text.startswith(own), f"pyproject.toml lacks the line {text!r}"
    develop = re.compile(r"^## Develop\n\n```\n.*?^```\n", re.DOTALL | re.MULTILINE)
    ours, theirs = ((path / "README.md").read_text() for path in (EXAMPLES[name], written))
    assert develop.findall(ours) == develop.findall(theirs)


def test_their_own_tests_pass(installed: Installed) -> None:
    """One run of pytest for all, because each has the same settings."""
    settings = EXAMPLES["hookctl-vault"] / "pyproject.toml"
    options = ["-q", "-c", settings, "--rootdir", ROOT / "examples", "-p", "no:cacheprovider"]
    suites = [path / "tests" for path in EXAMPLES.values()]
    ran = installed("pytest", *options, *suites, cwd=ROOT / "examples", PYTHONDONTWRITEBYTECODE="1")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"^\d{3} passed in", ran.stdout, re.MULTILINE), ran.stdout


def test_each_is_listed_with_its_distribution_and_without_a_problem(installed: Installed, directory: Path) -> None:
    listed = installed("hookctl", "plugins", "--format", "json", cwd=directory)
    rows = [row for row in json.loads(listed.stdout)["plugins"] if not row["built_in"]]
    assert {row["distribution"]: (row["kind"].replace("_", " "), row["name"]) for row in rows} == PARTS
    assert {row["version"] for row in rows} == {"0.1.0"}
    checked = installed("hookctl", "plugins", "--check", cwd=directory)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_auth_event_type_secret_source_and_transport_meet_in_one_test(
    installed: Installed, directory: Path, receiver: Receiver, sockets: Path
) -> None:
    receiver.answer("/v1/secret/data/aws", Answer.json({"data": {"data": {"key": "canary-key"}, "metadata": {}}}))
    ran = installed(
        "hookctl",
        "test",
        "--connect-to",
        f"{receiver.host}:443:{receiver.address}:{receiver.port}",
        "--cacert",
        receiver.ca_file,
        cwd=directory,
        VAULT_ADDR=f"https://localhost:{receiver.port}",
        VAULT_TOKEN="canary-token",
        VAULT_CACERT=receiver.ca_file,
        UNIX_SOCKET_DIRECTORY=str(sockets),
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    asked, delivered = receiver.requests
    assert asked.header("X-Vault-Token") == "canary-token"
    assert delivered.json() == {"text": "billing 2.14.0 is in production"}
    assert re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/\d{8}/eu-central-1/lambda/aws4_request, "
        r"SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, Signature=[0-9a-f]{64}",
        delivered.header("Authorization") or "",
    )
    assert Collector.bodies == [{"service": "billing"}]
    assert "canary" not in ran.stdout + ran.stderr


def test_command_policy_and_format_work(installed: Installed, directory: Path) -> None:
    assert installed("hookctl", "apply", "--auto-approve", cwd=directory).returncode == 0
    (directory / "webhooks.d/collector.yaml").unlink()
    assert installed("hookctl", "hosts", "--applied", cwd=directory).stdout == (
        "collector: Collector\nsiem.example.com: Function\n"
    )
    planned = installed("hookctl", "plan", "--format", "checkstyle", cwd=directory)
    assert planned.returncode == 1
    assert 'source="hookctl.two_step_removal"' in planned.stdout
