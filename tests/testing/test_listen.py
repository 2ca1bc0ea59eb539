"""``hookctl listen``, run as a user runs it."""

from __future__ import annotations

import hmac
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

import warm
from hookctl.cli.listening import forwarder
from hookctl.network import Network
from hookctl.network.settings import network_from_settings
from hookctl.plugin.host import load_plugins
from hookctl.testing.answers import Answer, ReceivedRequest


@dataclass
class Listening:
    process: subprocess.Popen[str]
    network: Network

    def send(self, path: str, body: str = "{}", host: str = "siem.example.com", **headers: str) -> requests.Response:
        adapter = load_plugins().transports["requests"].build({}, self.network)
        try:
            return adapter.send(
                requests.Request("POST", f"https://{host}{path}", data=body, headers=headers).prepare(), timeout=10
            )
        finally:
            adapter.close()

    def stop(self, number: int = signal.SIGTERM) -> str:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        assert (self.process.returncode, err) == (0, "")
        return out


@contextmanager
def listen(tmp_path: Path, *options: str) -> Iterator[Listening]:
    """Started, and reached as its first lines say."""
    command = [sys.executable, "-m", "hookctl", "listen", "--port", "0", *options]
    with warm.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        try:
            assert process.stdout is not None
            assert re.fullmatch(r"Listening on 127\.0\.0\.1:\d+\. Connect hookctl with:\n", process.stdout.readline())
            said = ""
            while line := process.stdout.readline().strip():
                said += f"{line} "
            ca_file = re.search(r"--cacert (\S+)", said)
            assert ca_file
            connect_to = re.findall(r"--connect-to (\S+)", said)
            yield Listening(
                process, network_from_settings(allow={}, connect_to=connect_to, cacert=str(tmp_path / ca_file[1]))
            )
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_arrives_is_shown_masked_and_counted(tmp_path: Path, number: int) -> None:
    with listen(tmp_path, "--ca-out", "ca.pem") as listening:
        assert listening.network.ca_file == str(tmp_path / "ca.pem")
        body = json.dumps({"severity": "High", "title": "\x1b[31mred\u202e"}, ensure_ascii=False)
        answer = listening.send(
            "/ingest?x=1", body, Authorization="Bearer canary", **{"X-Api-Key": "canary", "X-Plain": "shown"}
        )
        assert (answer.status_code, answer.json()) == (200, {"status": "accepted"})
        listening.send("/other", "\x1b[2J no JSON", host="login.example.com")
        out = listening.stop(number)
    assert "#1 POST /ingest?x=1  -> 200\n" in out
    assert "  Authorization: Bearer ***\n" in out
    assert "  X-Api-Key: ***\n" in out
    assert "  X-Plain: shown\n" in out
    assert '  {\n    "severity": "High",\n' in out
    assert out.endswith("Received 2 requests:\n          1  POST /ingest -> 200\n          1  POST /other -> 200\n")
    assert "canary" not in out
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_answers_as_told(tmp_path: Path) -> None:
    options = [
        "--respond",
        "503",
        "--answer",
        '/in={"status":"queued"}',
        "--host",
        "a.example",
        "--host",
        "b.example",
        "--quiet",
    ]
    with listen(tmp_path, *options) as listening:
        assert set(listening.network.connect_to) == {"a.example", "b.example"}
        answers = [
            listening.send("/in", host="a.example"),
            listening.send("/x", host="b.example"),
            listening.send("/oauth/token", host="b.example"),
        ]
        assert [(answer.status_code, answer.json()) for answer in answers] == [
            (503, {"status": "queued"}),
            (503, {"status": "rejected"}),
            (503, {"status": "rejected"}),
        ]
        assert listening.stop().startswith("Received 3 requests:")


def test_it_misbehaves_as_told(tmp_path: Path) -> None:
    from hookctl.errors import CutResponseError

    with listen(tmp_path, "--misbehave", "cut-body") as listening:
        with pytest.raises(CutResponseError):
            listening.send("/x")
        assert "POST /x  -> cut-body" in listening.stop()


def test_tokens(tmp_path: Path) -> None:
    options = ["--token-endpoint", "--client-id", "me", "--client-secret", "canary", "--require-token", "/in"]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with listen(tmp_path, *options) as listening:
        assert listening.send("/in").status_code == 401
        granted = listening.send(
            "/oauth/token", "grant_type=client_credentials&client_id=me&client_secret=canary", **form
        )
        assert listening.send("/in", Authorization=f"Bearer {granted.json()['access_token']}").status_code == 200
        assert "canary" not in listening.stop()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--misbehave", "nicely"], 64, "trickle-headers"),
        (["--answer", "in={}"], 64, "PATH=JSON"),
        (["--answer", "/in={"], 64, "PATH=JSON"),
        (["--host", "A.example"], 64, "not a host name"),
        (["--respond", "99"], 64, "99"),
        (["--on", "in", "200", ""], 64, "is not a path"),
        (["--on", "/in", "99", ""], 64, "is not a status"),
        (["--on", "/in", "200;x=1", ""], 64, "the settings are"),
        (["--on", "/in", "200", "@absent"], 64, "cannot be read"),
        (["--forward-to", "http://10.0.0.1:3000"], 64, "a program on this machine"),
        (["--forward-to", "https://127.0.0.1"], 64, "a program on this machine"),
        (["--scheme", "github"], 64, "needs --secret"),
        (["--secret", "literal"], 64, "named by a reference"),
        (["--port", "0", "--ca-out", "absent/ca.pem"], 1, "cannot be written"),
    ],
)
def test_wrong_use(run_cli: Callable[..., Any], tmp_path: Path, options: list[str], code: int, message: str) -> None:
    result = run_cli("listen", *options, cwd=tmp_path)
    assert result.exit_code == code
    assert message in result.stderr


def test_a_port_that_is_taken(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    with listen(tmp_path, "--quiet") as listening:
        (_, port) = listening.network.connect_to["siem.example.com"]
        result = run_cli("listen", "--port", str(port), cwd=tmp_path)
    assert result.exit_code == 1
    assert f"cannot listen on port {port}: Address already in use" in result.stderr


def test_paths_have_their_own_answers_in_order(tmp_path: Path) -> None:
    (tmp_path / "answer.xml").write_text("<ok/>")
    options = ["--on", "/records", "201", '{"result": {"sys_id": "1"}}', "--on", "/in", "500,503;retry-after=2,200", ""]
    options += ["--on", "/xml", "200;type=text/xml;delay=10ms", "@answer.xml", "--on", "/text", "400", "no"]
    with listen(tmp_path, *options) as listening:
        created = listening.send("/records")
        assert (created.status_code, created.json()) == (201, {"result": {"sys_id": "1"}})
        answers = [listening.send("/in") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [500, 503, 200, 200]
        assert [answer.headers.get("Retry-After") for answer in answers] == [None, "2", None, None]
        assert [answer.json()["status"] for answer in answers] == ["rejected", "rejected", "accepted", "accepted"]
        xml, text = listening.send("/xml"), listening.send("/text")
        assert (xml.headers["Content-Type"], xml.text) == ("text/xml", "<ok/>")
        assert (text.headers["Content-Type"], text.text) == ("text/plain; charset=utf-8", "no")
        assert listening.send("/other").status_code == 200
        assert "  -> 503\n" in listening.stop()


def test_signatures_are_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNING", "canary-secret")
    good = hmac.new(b"canary-secret", b"{}", "sha256").hexdigest()
    with listen(tmp_path, "--secret", "env:SIGNING", "--on", "/in", "500,200", "") as listening:
        assert listening.send("/in").status_code == 401
        assert listening.send("/in", **{"X-Hub-Signature-256": f"sha256={good[::-1]}"}).status_code == 401
        assert listening.send("/in", **{"X-Hub-Signature-256": f"sha256={good}"}).status_code == 500  # the first one
        out = listening.stop()
    assert "  signature does not verify: no header shows a signature\n" in out
    assert "  signature verified\n" in out
    assert "canary-secret" not in out


def test_credentials_are_shown_if_asked_for(tmp_path: Path) -> None:
    with listen(tmp_path, "--show-secrets") as listening:
        listening.send("/in", Authorization="Basic bWU6dGVzdA==")
        assert "  Authorization: Basic bWU6dGVzdA==\n" in listening.stop()


class Program(BaseHTTPRequestHandler):
    """A program under development."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202)
        self.send_header("X-From", "program")
        self.end_headers()
        self.wfile.write(f"{self.path} {self.headers['X-A']} ".encode() + body)

    def log_message(self, *_: object) -> None:
        pass


def test_requests_are_forwarded_to_a_program(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Program) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_port
        options = ["--forward-to", f"http://127.0.0.1:{port}/app", "--on", "/own", "204", ""]
        with listen(tmp_path, *options) as listening:
            answer = listening.send("/in?x=1", '{"a": 1}', **{"X-A": "b"})
            assert (answer.status_code, answer.text) == (202, '/app/in?x=1 b {"a": 1}')
            assert answer.headers["X-From"] == "program"
            assert listening.send("/own").status_code == 204
            server.shutdown()
            server.server_close()
            assert listening.send("/in").status_code == 502
            out = listening.stop()
    assert f"#1 POST /in?x=1  -> 202\n  forwarded to http://127.0.0.1:{port}/app/in?x=1\n" in out
    assert "no answer, ConnectionError" in out


def test_a_target_that_is_not_a_path_leads_to_no_other_program() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Program) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        target = f"@127.0.0.1:{other.server_port}/in"
        request = ReceivedRequest(f"POST {target} HTTP/1.1\r\nX-A: b\r\nContent-Length: 2".encode(), b"{}", 0.0)
        noted: list[str] = []
        respond = forwarder("http://127.0.0.1:3000", lambda _request, _answer, notes: noted.extend(notes))
        given = respond(request) if callable(respond) else respond
        assert isinstance(given, Answer)
        assert given.source is not None
        assert given.source().status == 400
        other.shutdown()
    assert noted == ["not forwarded: it does not ask for a path"]
