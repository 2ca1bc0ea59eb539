"""A target repeats a secret in every encoding: nothing that hookctl stores, shows or writes contains it."""

from __future__ import annotations

import gzip
import html
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from hookctl.model import Json
from hookctl.plugin.host import load_plugins
from hookctl.testing.answers import Answer, ReceivedRequest
from hookctl.testing.receiver import Receiver

TOKEN = "tok+canary/1=&<'\"\\x"
PLAIN = "tok+canary/1=&<'"
"""Of :data:`TOKEN`, what every output shows as it is: none of it may be there."""
ISSUED = "issued+canary/2=&"
CLIENT_SECRET = "client+canary/3=&"
CLIENT_ID = "id+canary/4"
WEBHOOK = """\
name: Siem
event: anomaly
url: https://siem.example.com/ingest?key=${env:TOKEN}
auth: {type: bearer, token: "${env:TOKEN}"}
body_template: |
  {"id": "{{ id }}", "token": "${env:TOKEN}", "text": "{\\"token\\": \\"${env:TOKEN}\\", \\"id\\": \\"{{ id }}\\"}"}
response_validators: [{json_path: $.data.status, expected_values: [accepted]}]
retry: {schedule: []}
"""
OAUTH = """\
name: Issued
event: anomaly
url: https://siem.example.com/issued
auth:
  type: oauth2
  client_id: ${env:CLIENT_ID}
  client_secret: ${env:CLIENT_SECRET}
  token_url: https://login.example.com/oauth/token
retry: {schedule: []}
"""
REFUSED = OAUTH.replace("Issued", "Refused").replace("/oauth/token", "/refused")
SECRETS = {"TOKEN": TOKEN, "CLIENT_SECRET": CLIENT_SECRET, "CLIENT_ID": CLIENT_ID}


def escaped(secret: str) -> str:
    return json.dumps(secret)[1:-1].replace("/", "\\/")


ECHOES: dict[str, Callable[[str], str]] = {
    "Gson": lambda secret: re.sub("[+=&<']", lambda match: f"\\u{ord(match[0]):04X}", escaped(secret)),
    "Java": lambda secret: "".join(f"\\u{ord(character):04x}" for character in secret),
    "HTML": lambda secret: escaped(html.escape(secret).replace("&#x27;", "&#39;")),
    "percent": lambda secret: quote(secret, safe="").lower(),
    "base64": lambda secret: b64encode(f"user:{secret}".encode()).decode(),
    "percent of base64": lambda secret: quote(b64encode(f"{secret}\n".encode()).decode(), safe=""),
    "base64 of JSON": lambda secret: b64encode(json.dumps({"t": secret}).replace("/", "\\/").encode()).decode(),
    "hexadecimal": lambda secret: secret.encode().hex().upper(),
    "percent of HTML": lambda secret: quote(html.escape(secret), safe=""),
}


def decoded(text: str) -> Iterator[str]:
    """``text`` as a reader may take it."""
    yield text
    yield (
        re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
        .replace("\\/", "/")
        .replace('\\"', '"')
    )
    yield html.unescape(text).replace("\\/", "/")
    yield unquote(text)
    yield html.unescape(unquote(text))


def leaks(text: str) -> list[str]:
    """Every secret, and every stretch of ten characters of an encoding that some start of the text before it gives."""
    found = [secret for secret in (PLAIN, ISSUED, CLIENT_SECRET, CLIENT_ID) for form in decoded(text) if secret in form]
    for secret in (PLAIN, ISSUED, CLIENT_SECRET):
        for shift in range(3):
            inner = b64encode(b"x" * shift + secret.encode()).decode()[4:-4]
            found += [inner for form in decoded(text) if inner in form]
        found += [secret for form in decoded(text) if secret.encode().hex() in form.lower()]
    return found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:

        def echo(request: ReceivedRequest) -> Answer:
            secret = TOKEN if request.path == "/ingest" else ISSUED
            fields = ", ".join(f'"{name}": "{encode(secret)}"' for name, encode in ECHOES.items())
            headers = tuple((f"X-Echo-{at}", encode(secret)) for at, encode in enumerate(ECHOES.values()))
            status = "accepted" if request.header("X-Good") else ECHOES["Gson"](secret)
            body = f'{{"status": "{status}", {fields}}}'.encode()
            return Answer(200, headers=(("Content-Type", "application/json"), *headers), body=body)

        def refuse(request: ReceivedRequest) -> Answer:
            words = [
                ECHOES["percent of base64"](CLIENT_SECRET),
                request.header("authorization") or "",
                ECHOES["Java"](CLIENT_ID),
            ]
            words.append(ECHOES["HTML"](CLIENT_SECRET))
            return Answer.json({"error": "invalid_client", "error_description": " ".join(words)}, 401)

        running.answer("/ingest", echo)
        running.answer("/issued", echo)
        running.answer("/refused", refuse)
        running.answer(
            "/oauth/token", Answer.json({"access_token": ISSUED, "token_type": "Bearer", "expires_in": 3600})
        )
        yield running


@pytest.fixture
def run(project: Callable[..., Path], run_cli: Callable[..., Any], receiver: Receiver) -> Callable[..., Any]:
    files = {"siem": WEBHOOK, "issued": OAUTH, "refused": REFUSED}
    root = project({f"webhooks.d/{name}.yaml": text for name, text in files.items()})
    hosts = " ".join(f"{host}:443:{address}:{port}" for host, (address, port) in receiver.connect_to.items())
    env = {**SECRETS, "HOOKCTL_CONNECT_TO": hosts, "HOOKCTL_CACERT": str(receiver.ca_file)}
    return lambda *args, **options: run_cli(*args, cwd=root, env=env, **options)


def everything(root: Path) -> str:
    """Every file, as text that loses nothing."""
    return "\n".join(path.read_bytes().decode("latin-1") for path in sorted(root.rglob("*")) if path.is_file())


@pytest.mark.parametrize("secret", [PLAIN, ISSUED])
def test_what_is_looked_for_is_found(secret: str) -> None:
    for name, encode in ECHOES.items():
        if name != "base64 of JSON":  # which has other letters
            assert leaks(f"<{encode(secret)}>") != [], name


def test_nothing_is_stored_or_shown(run: Callable[..., Any], tmp_path: Path, receiver: Receiver) -> None:
    mock = load_plugins().event_types["anomaly"].mock
    applied = run("apply", "--auto-approve")
    assert applied.exit_code == 0, applied.stderr
    sent = run("send", "-", stdin=json.dumps({**mock, "id": "e1"}) + "\n")
    assert {request.path for request in receiver.requests} >= {"/ingest", "/issued", "/refused"}
    listed = run("deliveries", "list", "--format", "json")
    ids = [one["id"] for one in json.loads(listed.stdout)]
    assert len(ids) == 3
    shown = [run("deliveries", "show", one, *output) for one in ids for output in ([], ["--format", "json"])]
    told = "".join(result.stdout + result.stderr for result in (applied, sent, listed, *shown))
    assert told.count("***") > 20
    assert leaks(told) == []
    assert leaks(json_texts([result.stdout for result in shown if result.stdout.startswith("{")])) == []
    stored = everything(tmp_path)
    assert "***" in stored
    assert leaks(stored) == []


@pytest.mark.parametrize(
    "output", [["--show-invocation"], ["--format", "json"], ["--format", "markdown"], ["--format", "github"]]
)
def test_no_test_shows_it(run: Callable[..., Any], tmp_path: Path, output: list[str]) -> None:
    result = run("test", "--show-invocation", *output, "--junit", "junit.xml")
    assert result.exit_code == 1
    assert "***" in result.stdout
    assert leaks(result.stdout + result.stderr) == []
    assert leaks(everything(tmp_path)) == []


def test_no_plan_or_rendered_request_shows_it(run: Callable[..., Any], tmp_path: Path) -> None:
    planned = run("plan", "--out", "plan.json")
    outputs = [planned, *(run(*args) for args in (["plan", "--format", "json"], ["render", "Siem"]))]
    outputs.append(run("render", "Siem", "--format", "json"))
    assert [result.exit_code for result in outputs] == [0] * 4
    told = "".join(result.stdout + result.stderr for result in outputs)
    assert told.count("***") > 10
    assert leaks(told) == []
    assert leaks(everything(tmp_path)) == []


def test_it_is_sent_where_it_is_referenced(run: Callable[..., Any], receiver: Receiver) -> None:
    run("test", "Siem")
    (request,) = receiver.requests
    body = json.loads(request.body)
    assert (body["token"], json.loads(body["text"])["token"]) == (TOKEN, TOKEN)
    assert request.target == f"/ingest?key={quote(TOKEN, safe='')}"


@pytest.mark.parametrize("output", [[], ["--show-invocation"], ["--format", "json"]])
def test_no_replay_shows_it(run: Callable[..., Any], tmp_path: Path, receiver: Receiver, output: list[str]) -> None:
    receiver.answer("/ingest", Answer.json({"status": "accepted", "echo": TOKEN}))
    assert run("test", "Siem", "--record").exit_code == 0
    assert list((tmp_path / "project" / "tests" / "cassettes").iterdir())
    replayed = run("test", "Siem", "--replay", *output)
    assert replayed.exit_code == 0
    assert leaks(replayed.stdout + replayed.stderr) == []
    assert leaks(everything(tmp_path)) == []


def test_no_cassette_holds_it(run: Callable[..., Any], tmp_path: Path) -> None:
    assert run("test", "--record", "Issued").exit_code == 0
    cassette = (tmp_path / "project" / "tests" / "cassettes" / "Issued.yaml").read_text(encoding="utf-8")
    assert cassette.count("***") > 10
    assert leaks(cassette) == []


def test_a_compressed_answer_is_masked_whole(run: Callable[..., Any], receiver: Receiver) -> None:
    body = gzip.compress(json.dumps({"token": TOKEN}).encode())
    receiver.answer("/ingest", Answer(400, headers=(("Content-Encoding", "gzip"),), body=body))
    result = run("test", "Siem", "--format", "json")
    assert json.loads(result.stdout)["tests"][0]["attempt"]["response"]["body"] == "***"


def json_texts(documents: list[str]) -> str:
    """Every string in JSON documents, and in the JSON that those hold."""
    texts: list[str] = []
    waiting: list[Json] = [json.loads(document) for document in documents]
    for value in waiting:
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str):
            texts.append(value)
            if value.startswith("{"):
                waiting.append(json.loads(value))
    return "\n".join(texts)
