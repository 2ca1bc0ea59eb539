import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import requests
from hookctl.errors import ConnectError, CutResponseError, DeadlineError, TransportError
from hookctl.kit.contracts import TransportContract
from hookctl.kit.project import Project
from hookctl.model import MAX_RESPONSE_BYTES
from hookctl.network import Network
from hookctl.plugin import ClientCertificate
from hookctl.plugin.responses import from_requests

import hookctl_unix_socket as mine

WEBHOOK = """
name: Collector
event: anomaly
url: unix://collector/ingest?from=hookctl
transport:
  type: unix_socket
body_template: |
  {"id": "{{ id }}"}
"""


class Handler(BaseHTTPRequestHandler):
    """A service that records what it gets, and misbehaves at some paths."""

    server: "Service"

    def do_POST(self) -> None:
        """Answer by the path."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, self.headers["Host"], body))
        if self.path == "/silent":
            self.server.stopping.wait(10)
        elif self.path == "/trickle":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not self.server.stopping.wait(0.05):
                self.wfile.write(b"X-More: 1\r\n")
        elif self.path == "/not-http":
            self.wfile.write(b"SSH-2.0-OpenSSH_9.9\r\n")
        elif self.path == "/cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}")
        elif self.path == "/cut-chunk":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}")
        elif self.path == "/long":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"x" * (MAX_RESPONSE_BYTES + 1))
        elif self.path == "/moved":
            self.wfile.write(
                b"HTTP/1.1 307 Moved\r\nLocation: /ingest\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 0\r\n\r\n"
            )
        elif self.path != "/close":
            self.wfile.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}")

    def handle(self) -> None:
        """Ignore a client that has left."""
        try:
            super().handle()
        except ConnectionError:
            return

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class Service(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """An HTTP server on a Unix socket."""

    request_queue_size = 100

    def __init__(self, path: Path) -> None:
        """Listen on a socket."""
        self.received: list[tuple[str, str, bytes]] = []
        self.stopping = threading.Event()
        super().__init__(str(path), Handler)


@pytest.fixture(autouse=True)
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service that is linked as ``collector``."""
    monkeypatch.setenv("UNIX_SOCKET_DIRECTORY", str(tmp_path))
    (tmp_path / "collector.sock").symlink_to(tmp_path / "s")
    with Service(tmp_path / "s") as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.stopping.set()
        running.shutdown()
        thread.join()


def send(path: str, timeout: float = 5.0, cert: object = None) -> requests.Response:
    request = requests.PreparedRequest()
    request.method, request.url, request.body = "POST", f"unix://collector{path}", b"{}"
    request.headers = requests.structures.CaseInsensitiveDict({"Content-Type": "application/json"})
    adapter = mine.build({}, Network())
    return adapter.send(request, timeout=timeout, cert=cert)  # type: ignore[arg-type]  # hookctl passes its own class


class TestContract(TransportContract):
    plugin = mine
    name = "unix_socket"
    url = "unix://collector/ingest"
    refused_urls = (
        "unix:///var/run/docker.sock",
        "unix://../docker/x",
        "unix://a.b/x",
        "unix://a/x#y",
        "unix://a/x y",
        "https://a/",
    )
    is_https = False


def test_a_request_arrives_over_the_socket(hookctl_project: Callable[..., Project], service: Service) -> None:
    project = hookctl_project({"webhooks.d/collector.yaml": WEBHOOK}, mine)
    result = project.run("test", "Collector")
    assert result.exit_code == 0, result.stdout + result.stderr
    ((path, host, body),) = service.received
    assert (path, host) == ("/ingest?from=hookctl", "collector")
    assert body.startswith(b'{"id": ')


@pytest.mark.parametrize("path", ["/silent", "/trickle"])
def test_the_deadline_is_total(path: str) -> None:
    with pytest.raises(DeadlineError):
        send(path, timeout=0.3)


@pytest.mark.parametrize("path", ["/close", "/not-http", "/cut", "/cut-chunk"])
def test_a_broken_answer_is_an_error(path: str) -> None:
    with pytest.raises(CutResponseError):
        send(path)


def test_a_long_answer_is_cut() -> None:
    response = from_requests(send("/long"))
    assert (len(response.body), response.truncated) == (MAX_RESPONSE_BYTES, True)


def test_no_redirect_is_followed(service: Service) -> None:
    response = send("/moved")
    assert (response.status_code, response.headers["Location"], response.headers["X-A"]) == (307, "/ingest", "1, 2")
    assert len(service.received) == 1


def test_a_socket_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "collector.sock").unlink()
    with pytest.raises(ConnectError, match=r"collector\.sock cannot be connected to: No such file") as failed:
        send("/ingest")
    assert "UNIX_SOCKET_DIRECTORY" in failed.value.hint


def test_a_client_certificate_is_refused() -> None:
    with pytest.raises(TransportError, match="no client certificate"):
        send("/ingest", cert=ClientCertificate(b"chain", b"key"))
