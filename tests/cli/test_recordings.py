"""``hookctl test --record`` with a receiver over TLS, and ``--replay`` without receiver, sockets and secrets."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
import requests
import vcr
from syrupy.assertion import SnapshotAssertion

import warm
from hookctl.plugin.host import load_plugins
from hookctl.schema_files import read_schema
from hookctl.testing.answers import Answer, ReceivedRequest
from hookctl.testing.receiver import Receiver

CANARY = "canary+in/the=file"
SESSION = "session-canary-of-the-target"
WEBHOOK = """\
name: Siem
event: anomaly
url: https://siem.example.com/ingest
auth: {type: bearer, token: "${env:TOKEN}"}
body_template: |
  {
    "id": "{{ id }}",
    "severity": "{{ data.severity }}"
  }
response_validators: [{json_path: $.data.status, expected_values: [accepted]}]
"""
OAUTH = """\
name: Token one
event: anomaly
url: https://siem.example.com/tokens
auth: {type: oauth2, client_id: client, client_secret: "${env:TOKEN}", token_url: "https://login.example.com/oauth/token"}
"""
MANY = """\
name: Many_secrets
event: anomaly
url: https://siem.example.com/many/${env:TOKEN_IN_URL}?key=${env:TOKEN_IN_URL}
headers: {X-Key: "key ${env:TOKEN}", X-Plain: "plain"}
auth:
  - {type: headers, headers: {X-Api-Key: "${env:TOKEN}"}}
  - {type: basic, username: "${env:USER_NAME}", password: "${env:TOKEN}"}
body_template: '{"who": {{ data.requester }}}'
"""
FORBIDDEN = """\
import os, socket, sys
def refuse(*_, **__):
    os.write(2, b"A SOCKET WAS USED\\n")
    os._exit(99)
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
sys.argv = ["hookctl", *sys.argv[1:]]
from hookctl.cli.main import main
main()
"""


@dataclass
class Bench:
    """A project, and how to record and replay in it."""

    write: Callable[[dict[str, str]], Path]
    run_cli: Callable[..., Any]
    receiver: Receiver
    transport: str
    env: dict[str, str] = field(default_factory=dict)
    root: Path = Path()
    stopped: bool = False

    def stop(self) -> None:
        """End the receiver, once."""
        if not self.stopped:
            self.stopped = True
            self.receiver.stop()

    def files(self, **files: str) -> None:
        with_transport = {
            f"webhooks.d/{name}.yaml": f"{text}transport: {{type: {self.transport}}}\n" for name, text in files.items()
        }
        self.root = self.write(with_transport)

    def record(self, *args: str) -> Any:
        return self.run_cli("test", "--record", *args, cwd=self.root, env=self.env)

    def replay(self, *args: str) -> subprocess.CompletedProcess[str]:
        """In a process that ends with 99 as soon as it uses a socket or asks for a name, and that has no secret."""
        self.stop()
        env = {name: value for name, value in os.environ.items() if name not in self.env}
        command = [sys.executable, "-c", FORBIDDEN, "test", "--replay", *args]
        return warm.run(command, cwd=self.root, env=env, capture_output=True, text=True, check=False)

    def cassette(self, name: str) -> Path:
        return self.root / "tests" / "cassettes" / f"{name}.yaml"


@pytest.fixture(params=["curl", "requests"])
def bench(
    request: pytest.FixtureRequest, project: Callable[[dict[str, str]], Path], run_cli: Callable[..., Any]
) -> Iterator[Bench]:
    receiver = Receiver()
    receiver.tokens.client_secret = CANARY
    receiver.start()
    hosts = " ".join(f"{host}:443:{address}:{port}" for host, (address, port) in receiver.connect_to.items())
    env = {
        "TOKEN": CANARY,
        "TOKEN_IN_URL": "canary-in-the-url",
        "USER_NAME": "canary-user",
        "HOOKCTL_CONNECT_TO": hosts,
        "HOOKCTL_CACERT": str(receiver.ca_file),
    }
    bench = Bench(project, run_cli, receiver, request.param, env)
    bench.files(a=WEBHOOK, b=OAUTH, c=MANY)
    yield bench
    bench.stop()


def echoes(numbers: Iterator[int]) -> Callable[[ReceivedRequest], Answer]:
    """Repeats every secret in every form, and says in its header what no second answer says."""

    def answer(request: ReceivedRequest) -> Answer:
        own = {CANARY, "canary-in-the-url", "canary-user"} if request.path.startswith("/many") else {CANARY}
        secrets = {value for _, value in request.headers} | {request.target} | own
        forms = [
            form
            for secret in sorted(secrets - {""})
            for form in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode())
        ]
        sent = [form for form in forms if "canary" in form or base64.b64encode(CANARY.encode())[:12].decode() in form]
        headers = (
            ("Content-Type", "application/json"),
            ("Date", format_datetime(datetime.now(UTC), usegmt=True)),
            ("Set-Cookie", f"sid={SESSION}"),
            ("X-Request-Id", f"{next(numbers)}"),
            ("X-Echo", CANARY),
        )
        return Answer(headers=headers, body=json.dumps({"status": "accepted", "echo": sent}).encode())

    return answer


def forms(secret: str) -> set[str]:
    aligned = [base64.b64encode(b"x" * shift + secret.encode()).decode()[4:-4] for shift in range(3)]
    return {secret, quote(secret, safe=""), *(text[at : at + 8] for text in aligned for at in range(len(text) - 7))}


def without_progress(text: str) -> str:
    return re.sub(r"^\d+ of \d+ (tested|replayed)\n", "", text, flags=re.MULTILINE)


# -- recording -------------------------------------------------------------------------------------------------------


def test_what_is_recorded(bench: Bench, snapshot: SnapshotAssertion) -> None:
    result = bench.record("Siem")
    assert (result.exit_code, without_progress(result.stderr)) == (0, "")
    assert result.stdout.endswith("Recorded in tests/cassettes: 1 new.\n")
    assert re.sub(r"transport: .*", "", bench.cassette("Siem").read_text()) == snapshot


def test_no_cassette_holds_a_secret_raw_or_encoded(bench: Bench) -> None:
    numbers = count()
    for path in ("/ingest", "/tokens", "/many/canary-in-the-url"):
        bench.receiver.answer(path, echoes(numbers))
    result = bench.record()
    assert result.exit_code == 0, result.stdout
    text = "".join(bench.cassette(name).read_text() for name in ("Siem", "Token one", "Many_secrets"))
    assert bench.receiver.requests[-1].header("webhook-id")
    tokens = {
        str(request.header("authorization")).removeprefix("Bearer ")
        for request in bench.receiver.requests
        if request.path == "/tokens"
    }
    assert len(tokens) == 1
    for secret in (CANARY, "canary-in-the-url", "canary-user", SESSION, *tokens):
        for form in forms(secret):
            assert form not in text
    assert "canary" not in text
    assert text.count("***") > 10


def test_recording_again_changes_nothing(bench: Bench) -> None:
    numbers = count()
    bench.receiver.answer("/ingest", echoes(numbers))
    assert bench.record("Siem").exit_code == 0
    before = bench.cassette("Siem").read_bytes()
    assert b"<varies>" in before
    again = bench.record("Siem")
    assert again.stdout.endswith("Recorded in tests/cassettes: 1 unchanged.\n")
    assert bench.cassette("Siem").read_bytes() == before
    bench.cassette("Siem").unlink()
    bench.record("Siem")
    after = bench.cassette("Siem").read_bytes()
    assert after.replace(b"'2'", b"'0'") == before  # the target's own count of its answers


def test_a_changed_answer_is_recorded(bench: Bench) -> None:
    bench.record("Siem")
    bench.receiver.answer("/ingest", Answer.json({"status": "accepted", "more": True}))
    assert bench.record("Siem").stdout.endswith("Recorded in tests/cassettes: 1 changed.\n")
    assert '"more": true' in bench.cassette("Siem").read_text()


def test_a_failed_test_is_not_recorded_and_leaves_the_cassette(bench: Bench) -> None:
    bench.record("Siem")
    before = bench.cassette("Siem").read_bytes()
    bench.receiver.answer("/ingest", Answer(503))
    result = bench.record()
    assert result.exit_code == 1
    assert result.stdout.endswith("Recorded in tests/cassettes: 2 new.\nNot recorded, because the test failed: Siem.\n")
    assert bench.cassette("Siem").read_bytes() == before


def test_recording_for_machines_and_elsewhere(bench: Bench) -> None:
    result = bench.record("--format", "json", "--cassettes", "kept", "Siem")
    (test,) = json.loads(result.stdout)["tests"]
    assert test["cassette"] == "new"
    assert (bench.root / "kept" / "Siem.yaml").exists()


def test_a_directory_that_cannot_be_written(bench: Bench) -> None:
    (bench.root / "tests").write_text("a file")
    result = bench.record("Siem")
    assert result.exit_code == 1
    assert "tests/cassettes/Siem.yaml cannot be written" in result.stderr


@pytest.mark.parametrize("name", ["Siem", "Token one", "Many_secrets"])
def test_vcrpy_plays_what_was_recorded(bench: Bench, name: str) -> None:
    bench.record(name)
    bench.stop()
    sent = bench.receiver.requests[-1]
    with vcr.VCR(record_mode=vcr.mode.NONE).use_cassette(str(bench.cassette(name))) as used:
        (recorded,) = used.requests
        response = requests.request(recorded.method, recorded.uri, data=recorded.body, timeout=5)
        assert response.json() == {"status": "accepted"}
        assert used.all_played
    assert (recorded.body or b"") == sent.body
    assert recorded.headers["webhook-id"] == "<varies>"
    assert {key.lower() for key in recorded.headers} <= {key.lower() for key, _ in sent.headers}


# -- replaying -------------------------------------------------------------------------------------------------------


def test_the_ban_on_sockets_is_one(bench: Bench) -> None:
    process = warm.run(
        [sys.executable, "-c", FORBIDDEN, "test", "Siem"],
        cwd=bench.root,
        env={**os.environ, **bench.env},
        capture_output=True,
        text=True,
        check=False,
    )
    if bench.transport == "requests":  # libcurl has sockets of its own
        assert (process.returncode, process.stderr) == (99, "A SOCKET WAS USED\n")


def test_what_was_recorded_is_replayed(bench: Bench) -> None:
    bench.record()
    sent = bench.receiver.count
    result = bench.replay()
    assert (result.returncode, without_progress(result.stderr)) == (0, "")
    assert result.stdout.endswith("3 replays: 3 successful, 0 failed.\n")
    assert bench.receiver.count == sent


def test_a_changed_request_fails_with_what_differs(bench: Bench, snapshot: SnapshotAssertion) -> None:
    bench.record()
    changed = WEBHOOK.replace("/ingest", "/v2/ingest").replace(
        '"severity": "{{ data.severity }}"', '"level": "{{ data.severity }}"'
    )
    bench.files(
        a=changed.replace(
            "auth: {type: bearer, token: ", "headers: {X-New: x}\nauth: {type: headers, headers: {X-Token: "
        ).replace('}"}', '}"}}'),
        b=OAUTH.replace("oauth2", "bearer")
        .replace("client_id: client, client_secret", "token")
        .replace(', token_url: "https://login.example.com/oauth/token"', ""),
        c=MANY.replace("/many/", "/few/").replace("X-Plain: ", "X-Plane: "),
    )
    result = bench.replay()
    assert result.returncode == 1
    assert result.stdout == snapshot
    assert "✓ Token one" in result.stdout  # a bearer token like the one before


def test_a_stricter_validator_fails(bench: Bench) -> None:
    bench.record("Siem")
    bench.files(a=WEBHOOK.replace("[accepted]", "[queued]"))
    result = bench.replay("Siem")
    assert result.returncode == 1
    assert result.stdout.startswith(
        '✗ Siem  Replay failed  json_path $.data.status: $.data.status is "accepted", not "queued"'
    )


def test_layout_of_the_body_makes_no_difference(bench: Bench) -> None:
    bench.record("Siem")
    bench.files(a=WEBHOOK.replace('    "id"', '  "id"').replace("    timeout", "timeout"))
    assert bench.replay("Siem").returncode == 0


def test_json_in_a_string_is_compared_by_its_keys(bench: Bench) -> None:
    nested = WEBHOOK.replace('"{{ data.severity }}"', r'''"{\"level\": \"{{ data.severity }}\", \"n\": 1}"''')
    bench.files(a=nested)
    bench.record("Siem")
    bench.files(a=nested.replace(r"\"n\": 1", r"\"n\": 2"))
    assert "  ~ body $.severity (JSON text) $.n: 1 -> 2\n" in bench.replay("Siem").stdout
    bench.files(a=nested.replace(r"\"n\": 1", r"\"n\":1"))
    result = bench.replay("Siem")
    assert result.returncode == 1  # the target gets another text
    assert "  ~ body $.severity: " in result.stdout


def test_a_number_is_not_its_text(bench: Bench) -> None:
    bench.files(a=WEBHOOK.replace('"{{ data.severity }}"', "1"))
    bench.record("Siem")
    bench.files(a=WEBHOOK.replace('"{{ data.severity }}"', "true"))
    result = bench.replay("Siem")
    assert result.returncode == 1
    assert "  ~ body $.severity: 1 -> true\n" in result.stdout


def test_without_a_recording(bench: Bench, snapshot: SnapshotAssertion) -> None:
    bench.record("Siem", "Token one")
    bench.cassette("Token one").write_text("version: 1\ninteractions: []\n")
    result = bench.replay()
    assert result.returncode == 1
    assert result.stdout == snapshot


def test_a_recording_of_no_webhook_is_a_warning(bench: Bench) -> None:
    bench.record("Siem")
    bench.cassette("Siem").with_name("Gone.yaml").write_text("")
    result = bench.replay("Siem")
    assert result.returncode == 0
    assert (
        without_progress(result.stderr)
        == "Warning: tests/cassettes/Gone.yaml does not belong to any webhook. Delete it if its webhook was removed.\n"
    )
    assert json.loads(bench.replay("--format", "json", "Siem").stdout)["stale_cassettes"] == [
        "tests/cassettes/Gone.yaml"
    ]


def test_replaying_for_machines(bench: Bench) -> None:
    bench.record()
    bench.files(a=WEBHOOK.replace("data.severity", "data.title"))
    mock: Any = load_plugins().event_types["anomaly"].mock
    document = json.loads(bench.replay("--format", "json").stdout)
    assert document["succeeded"] is False
    by_name = {replay["webhook"]: replay for replay in document["replays"]}
    assert {name: replay["result"] for name, replay in by_name.items()} == {
        "Siem": "failed",
        "Many_secrets": "successful",
        "Token one": "successful",
    }
    (difference,) = by_name["Siem"]["differences"]
    assert difference == {
        "op": "change",
        "part": "body",
        "path": ["$.severity"],
        "before": "High",
        "after": mock["data"]["title"],
    }
    assert by_name["Siem"]["attempt"]["response"]["status"] == 200


def test_replays_say_the_same_to_machines_and_people(bench: Bench) -> None:
    bench.record("Siem", "Token one")
    bench.files(a=WEBHOOK.replace("data.severity", "data.title"))
    text, document = bench.replay().stdout, json.loads(bench.replay("--format", "json").stdout)
    jsonschema.validate(document, read_schema("replay.schema.json"), cls=jsonschema.Draft202012Validator)
    told = dict(re.findall(r"^[✓✗] (\S.*?)  +Replay (?:successful|failed  (.*))$", text, re.MULTILINE))
    assert told == {replay["webhook"]: replay["reason"] for replay in document["replays"]}
    assert {replay["webhook"] for replay in document["replays"] if replay["attempt"] is None} == {"Many_secrets"}
    assert {replay["webhook"] for replay in document["replays"] if replay["differences"]} == {"Siem"}
    assert "body $.severity" in text


def test_an_attempt_is_one_thing_in_every_schema() -> None:
    tested, replayed = (read_schema(f"{name}.schema.json")["$defs"] for name in ("test", "replay"))
    assert isinstance(tested, dict)
    assert isinstance(replayed, dict)
    assert {name: part for name, part in tested.items() if name != "test"} == {
        name: part for name, part in replayed.items() if name not in {"replay", "difference"}
    }


def test_the_replayed_exchange_can_be_seen(bench: Bench) -> None:
    bench.record("Siem")
    shown = bench.replay("Siem", "--show-invocation").stdout
    assert "  Authorization: Bearer ***\n" in shown
    assert '"status": "accepted"' in shown


def test_modes_exclude_one_another(bench: Bench) -> None:
    result = bench.record("--replay")
    assert result.exit_code == 64
    assert "cannot be combined" in result.stderr
