"""``hookctl test``: every cause of a failure, provoked for real over both transports, with what to look at next."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from syrupy.assertion import SnapshotAssertion

import warm
from hookctl.cli.session import Session
from hookctl.network import Network
from hookctl.plugin.host import load_plugins
from hookctl.testing.answers import Answer, Misbehavior, ReceivedRequest
from hookctl.testing.receiver import Receiver

CANARY = "canary+in/the=file"
WEBHOOK = """\
name: Siem
event: anomaly
url: https://siem.example.com/ingest
auth: {type: bearer, token: "${env:TOKEN}"}
body_template: |
  {"id": "{{ id }}", "severity": "{{ data.severity }}"}
timeout_seconds: 5
"""
PATIENCE = 30.0


@dataclass
class Bench:
    """A project with webhooks, and the receiver that they are for."""

    write: Callable[[dict[str, str]], Path]
    run_cli: Callable[..., Any]
    receiver: Receiver
    env: dict[str, str] = field(default_factory=dict)

    def reach(self, receiver: Receiver, *, trusted: bool = True) -> None:
        hosts = " ".join(f"{host}:443:{address}:{port}" for host, (address, port) in receiver.connect_to.items())
        self.env = {"TOKEN": CANARY, "SECRET": "secret", "HOOKCTL_CONNECT_TO": hosts} | (
            {"HOOKCTL_CACERT": receiver.ca_file} if trusted else {}
        )

    def test(self, *args: str, webhook: str = WEBHOOK, **files: str) -> Any:
        root = self.write({"webhooks.d/siem.yaml": webhook, **files})
        return self.run_cli("test", *args, cwd=root, env=self.env)


@pytest.fixture
def bench(project: Callable[[dict[str, str]], Path], run_cli: Callable[..., Any], receiver: Receiver) -> Bench:
    bench = Bench(project, run_cli, receiver)
    bench.reach(receiver)
    return bench


def test_outcomes_decide_what_a_test_reports(bench: Bench) -> None:
    bench.receiver.answer("/ingest", Answer(409))
    result = bench.test("Siem", webhook=WEBHOOK + "outcomes: {409: delivered}\n")
    assert (result.exit_code, "Test successful  409" in result.stdout) == (0, True)
    assert "The outcomes of this webhook count this answer as delivered." in result.stdout
    assert "What to check next" not in result.stdout
    result = bench.test("Siem", webhook=WEBHOOK + "outcomes: {409: hold}\n")
    assert (result.exit_code, "this answer holds the webhook" in result.stdout) == (1, True)
    result = bench.test("Siem", webhook=WEBHOOK + "outcomes: {409: retry}\n")
    assert "The outcomes of this webhook decide: a live delivery with this answer is retried" in result.stdout


def plain(text: str) -> str:
    """Output without what differs from run to run."""
    text = re.sub(r"\b\d+(\.\d+)? ms\b", "N ms", text)
    text = re.sub(r"(name|connect|TLS|first byte) N ms, ", "", text)
    text = re.sub(r"webhook-id: test_[0-9a-f]{32}", "webhook-id: test_ID", text)
    text = re.sub(r"User-Agent: hookctl/\S+", "User-Agent: hookctl/VERSION", text)
    return re.sub(r"webhook-timestamp: \d+", "webhook-timestamp: NOW", text)


# -- success ---------------------------------------------------------------------------------------------------------


def test_success(bench: Bench, snapshot: SnapshotAssertion) -> None:
    result = bench.test()
    assert (result.exit_code, result.stderr) == (0, "")
    assert plain(result.stdout) == snapshot
    mock = load_plugins().event_types["anomaly"].mock
    assert bench.receiver.requests[0].json() == {"id": mock["id"], "severity": "High"}
    assert bench.receiver.requests[0].header("authorization") == f"Bearer {CANARY}"


def test_the_whole_invocation(bench: Bench, snapshot: SnapshotAssertion) -> None:
    result = bench.test("--show-invocation", webhook=VALIDATED)
    assert result.exit_code == 0
    assert plain(result.stdout) == snapshot


def test_each_test_is_a_delivery_of_its_own(bench: Bench) -> None:
    bench.test()
    bench.test()
    ids = {request.header("webhook-id") for request in bench.receiver.requests}
    assert len(ids) == 2


def test_inactive_and_unmatched_webhooks_are_tested_and_told(bench: Bench, snapshot: SnapshotAssertion) -> None:
    files = {
        "webhooks.d/b.yaml": WEBHOOK.replace("Siem", "Sleeping one") + "status: inactive\n",
        "webhooks.d/c.yaml": WEBHOOK.replace("Siem", "Low") + "when: data.severity == 'Low'\n",
    }
    result = bench.test(**files)
    assert result.exit_code == 0
    assert plain(result.stdout) == snapshot
    assert bench.receiver.count == 3


def test_names_choose(bench: Bench) -> None:
    other = {"webhooks.d/b.yaml": WEBHOOK.replace("Siem", "Other")}
    assert bench.test("Other", **other).stdout.startswith("✓ Other")
    assert bench.receiver.count == 1
    result = bench.test("siem", **other)
    assert result.exit_code == 1
    assert "there is no webhook named 'siem'" in result.stderr
    assert "Did you mean Siem?" in result.stderr


def test_webhooks_come_by_name_regardless_of_case(bench: Bench) -> None:
    others = {f"webhooks.d/{name}.yaml": WEBHOOK.replace("Siem", name) for name in ("alpha", "SOAP", "Zulu")}
    lines = bench.test(**others).stdout.splitlines()[:4]
    assert [line.split()[1] for line in lines] == ["alpha", "Siem", "SOAP", "Zulu"]


def test_an_event_of_ones_own(bench: Bench) -> None:
    event = {**load_plugins().event_types["anomaly"].mock, "id": "my-own"}
    assert bench.test("--event", "event.json", **{"event.json": json.dumps(event, indent=2)}).exit_code == 0
    assert bench.receiver.requests[0].json() == {"id": "my-own", "severity": "High"}


@pytest.mark.parametrize("text", ["{}", "[]", "", '{"event_type": "anomaly"}', '{"event_type": "nothing"}', "\xff"])
def test_an_event_that_is_none(bench: Bench, text: str) -> None:
    result = bench.test("--event", "event.json", **{"event.json": text})
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: event.json: ")
    assert bench.receiver.count == 0


def test_json(bench: Bench) -> None:
    bench.receiver.answer("/ingest", Answer(404, body=b"\xff"))
    document = json.loads(bench.test("--format", "json").stdout)
    assert document["format_version"] == 1
    assert (document["succeeded"], document["interrupted"]) == (False, False)
    (test,) = document["tests"]
    assert (test["webhook"], test["result"], test["reason"]) == ("Siem", "failed", "HTTP 404 Not Found")
    assert test["tips"]
    assert test["attempt"]["request"]["url"] == "https://siem.example.com/ingest"
    assert ["Authorization", "Bearer ***"] in test["attempt"]["request"]["headers"]
    assert json.loads(test["attempt"]["request"]["body"])["severity"] == "High"
    assert (test["attempt"]["response"]["body"], test["attempt"]["response"]["body_encoding"]) == ("/w==", "base64")


def test_findings_come_first(bench: Bench) -> None:
    result = bench.test(webhook=WEBHOOK.replace("https://siem.example.com/ingest", "http://siem.example.com/"))
    assert result.exit_code == 1
    assert "url-scheme" in result.stdout
    assert bench.receiver.count == 0
    document = json.loads(bench.test("--format", "json", webhook=WEBHOOK.replace("https:", "http:")).stdout)
    assert document["valid"] is False


# -- failures --------------------------------------------------------------------------------------------------------


def unknown(*_: Any, **__: Any) -> Any:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def private(*_: Any, **__: Any) -> Any:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443))]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@dataclass(frozen=True)
class Cause:
    """How a failure is provoked, and what is to be read of it."""

    name: str
    reason: str
    """In the line of the result."""
    tip: str
    """In what to look at next."""
    answer: Answer | None = None
    webhook: str = WEBHOOK
    env: dict[str, str | None] = field(default_factory=dict)
    getaddrinfo: Callable[..., Any] | None = None
    receiver: dict[str, Any] | None = None
    trusted: bool = True


OAUTH = WEBHOOK.replace(
    'auth: {type: bearer, token: "${env:TOKEN}"}',
    'auth: {type: oauth2, client_id: client, client_secret: "${env:SECRET}", '
    'token_url: "https://login.example.com/oauth/token"}',
)
VALIDATED = WEBHOOK + "response_validators: [{json_path: $.data.status, expected_values: [accepted, queued]}]\n"
CAUSES = [
    Cause(
        "name not found",
        "name_not_found: siem.example.com",
        "Check the spelling of siem.example.com",
        getaddrinfo=unknown,
    ),
    Cause(
        "blocked address",
        "address_blocked: siem.example.com resolves to 10.0.0.1",
        "under [allow] in hookctl.toml",
        getaddrinfo=private,
    ),
    Cause(
        "refused",
        "connect: siem.example.com",
        "does it listen on port 443?",
        env={"HOOKCTL_CONNECT_TO": f"siem.example.com:443:127.0.0.1:{free_port()}"},
    ),
    Cause("untrusted", "tls: siem.example.com", "--cacert FILE", trusted=False),
    Cause(
        "wrong name",
        "tls: siem.example.com",
        "The certificate is not for siem.example.com.",
        receiver={"certificate_for": "other.example.com"},
    ),
    Cause("expired", "tls: siem.example.com", "operator to renew it", receiver={"expired": True}),
    Cause(
        "trickle",
        "timeout: ",
        "raise timeout_seconds",
        Answer(misbehave=Misbehavior.TRICKLE_BODY),
        WEBHOOK.replace("timeout_seconds: 5", "timeout_seconds: 0.3"),
    ),
    Cause("cut", "cut_response: ", "The connection ended inside the response", Answer(misbehave=Misbehavior.CUT_BODY)),
    Cause(
        "redirect",
        "HTTP 307",
        "; the target names https://new.example.com/",
        Answer.redirect("https://new.example.com/", 307),
    ),
    Cause("400", "HTTP 400", "compare the body", Answer(400)),
    Cause("401", "HTTP 401", "does not accept the credentials", Answer(401)),
    Cause("403", "HTTP 403", "check their roles or scopes", Answer(403)),
    Cause("404", "HTTP 404", "check the path of the webhook's url", Answer(404)),
    Cause("405", "HTTP 405", "does not accept POST", Answer(405)),
    Cause("410", "HTTP 410", "gone for good", Answer(410)),
    Cause("415", "HTTP 415", "set Content-Type under headers", Answer(415)),
    Cause("422", "HTTP 422", "rejects the content", Answer(422)),
    Cause("429", "HTTP 429", "Set rate_limit", Answer(429)),
    Cause("500", "HTTP 500", "has an internal problem", Answer(500)),
    Cause("418", "HTTP 418", "says about status 418", Answer(418)),
    Cause(
        "mismatch",
        '$.data.status is "rejected", not "accepted" or "queued"',
        "correct json_path or expected_values",
        Answer.json({"status": "rejected"}),
        VALIDATED,
    ),
    Cause("unframed", "not marked", "with a Content-Length", Answer(misbehave=Misbehavior.UNFRAMED), VALIDATED),
    Cause(
        "token refused",
        "token: the token endpoint answered 401",
        "The token endpoint does not accept the client: check client_id, client_secret and token_url",
        webhook=OAUTH,
        env={"SECRET": "wrong"},
    ),
    Cause(
        "unset variable", "secret: the environment variable TOKEN is not set", "set the variable", env={"TOKEN": None}
    ),
    Cause("secret with a line break", "secret: ", "must not contain a line break", env={"TOKEN": "canary\nbreak"}),
]


@pytest.mark.parametrize("transport", ["curl", "requests"])
@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
def test_causes(bench: Bench, monkeypatch: pytest.MonkeyPatch, *, cause: Cause, transport: str) -> None:
    with Receiver(**(cause.receiver or {})) as receiver:
        bench.reach(receiver, trusted=cause.trusted)
        if cause.answer:
            receiver.answer("/ingest", cause.answer)
        for name, value in cause.env.items():
            bench.env.pop(name) if value is None else bench.env.update({name: value})
        if cause.getaddrinfo:
            network = Network(getaddrinfo=cause.getaddrinfo)
            monkeypatch.setattr(Session, "network", lambda *_: network)
        result = bench.test(webhook=cause.webhook + f"transport: {{type: {transport}}}\n")
        told = result.stdout + result.stderr
        assert result.exit_code == 1, told
        first, *rest = result.stdout.split("\n")
        assert first.startswith("✗ Siem  Test failed  ")
        assert cause.reason in first
        assert "  What to check next" in rest
        assert cause.tip in result.stdout
        assert result.stdout.endswith("1 test: 0 successful, 1 failed.\n")
        assert "canary" not in told
        assert "Traceback" not in told


def test_a_template_that_fails_for_the_event(bench: Bench) -> None:
    mock = load_plugins().event_types["anomaly"].mock
    assert isinstance(mock["data"], dict)
    event = json.dumps({**mock, "data": {**mock["data"], "resource": None}})
    webhook = WEBHOOK.replace('"id": "{{ id }}"', '"resource": "{{ data.resource.name }}"')
    result = bench.test("--event", "event.json", webhook=webhook, **{"event.json": event})
    assert result.exit_code == 1
    assert "✗ Siem  Test failed  render: " in result.stdout
    assert "  POST https://siem.example.com/ingest was not sent" in result.stdout
    assert "hookctl render Siem --event FILE" in result.stdout
    assert bench.receiver.count == 0


def test_the_words_of_the_webhook_come_first(bench: Bench, snapshot: SnapshotAssertion) -> None:
    bench.receiver.answer("/ingest", Answer.json({"status": "rejected", "why": "quota"}))
    result = bench.test(webhook=VALIDATED + "custom_validation_error_message: The SIEM did not accept the anomaly\n")
    assert result.exit_code == 1
    assert plain(result.stdout) == snapshot


def test_one_of_several_fails(bench: Bench, snapshot: SnapshotAssertion) -> None:
    bench.receiver.answer("/ingest", Answer(503, body=b"\x1b[31mdown\x1b[0m\nfor maintenance"))
    result = bench.test(**{"webhooks.d/b.yaml": WEBHOOK.replace("Siem", "Working one").replace("/ingest", "/other")})
    assert result.exit_code == 1
    assert plain(result.stdout) == snapshot


def test_color_is_not_needed(bench: Bench) -> None:
    root = bench.write({"webhooks.d/siem.yaml": WEBHOOK})
    colored = bench.run_cli("--color", "always", "test", "--show-invocation", cwd=root, env=bench.env).stdout
    assert "\x1b[32m✓" in colored
    assert plain(re.sub(r"\x1b\[[0-9;]*m", "", colored)) == plain(
        bench.run_cli("test", "--show-invocation", cwd=root, env=bench.env).stdout
    )


# -- secrets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", [["--show-invocation"], ["--format", "json"]], ids=["text", "json"])
def test_no_secret_is_ever_printed(bench: Bench, output: list[str]) -> None:
    def echo(request: ReceivedRequest) -> Answer:
        secret = CANARY.encode()
        parts = [
            request.head,
            secret,
            b64encode(secret),
            b64encode(b"u:" + secret),
            quote(CANARY, safe="").encode(),
            json.dumps(CANARY).encode(),
        ]
        return Answer(400, headers=(("X-Echo", request.header("authorization") or ""),), body=b" ".join(parts))

    bench.receiver.answer("/ingest", echo)
    result = bench.test(*output, webhook=WEBHOOK + 'headers: {X-Key: "key ${env:TOKEN}"}\n')
    told = result.stdout + result.stderr
    assert "***" in told
    aligned = [b64encode(b"x" * shift + CANARY.encode()).decode()[4:-4] for shift in range(3)]
    for form in (
        CANARY,
        quote(CANARY, safe=""),
        "canary",
        *(text[at : at + 8] for text in aligned for at in range(len(text) - 7)),
    ):
        assert form not in told


# -- interruption ----------------------------------------------------------------------------------------------------


def test_what_is_done_is_told_after_ctrl_c(bench: Bench) -> None:
    bench.receiver.answer("/slow", Answer(misbehave=Misbehavior.NO_ANSWER))
    root = bench.write(
        {"webhooks.d/a.yaml": WEBHOOK, "webhooks.d/b.yaml": WEBHOOK.replace("Siem", "Slow").replace("/ingest", "/slow")}
    )
    process = warm.Popen(
        [sys.executable, "-m", "hookctl", "test"],
        cwd=root,
        env={**os.environ, **bench.env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + PATIENCE
    while bench.receiver.count < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.2)  # the answer to the first is on its way
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert "✓ Siem  Test successful" in out
    assert "- Slow  Interrupted" in out
    assert "2 tests: 1 successful, 0 failed, 1 interrupted." in out
    assert "Traceback" not in err
