"""The target: nginx over TLS on loopback, whose access log is the list of what was received, and when."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme

HOST = "siem.example.com"
ADDRESS = "127.0.0.1"
PATIENCE = 2.0
"""Seconds without another receipt after which none is expected any more: the log is flushed five times a second."""

CONFIG = """\
daemon off;
worker_processes 1;
pid {root}/nginx.pid;
error_log {root}/error.log warn;
events {{ worker_connections 8192; }}
http {{
  client_body_temp_path {root}/body; proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/fastcgi;
  uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi;
  default_type application/json;
  client_body_buffer_size 64k;
  client_body_in_single_buffer on;
  keepalive_requests 1000000000;
  keepalive_timeout 60s;
  ssl_certificate {root}/server.pem;
  ssl_certificate_key {root}/server.pem;
  log_format by_header '$msec $status $http_webhook_id';
  log_format by_body '$msec $status $alert';
  map $request_body $alert {{
    default -;
    '~"delivery":"(?<found>[^"]+)"' $found;
  }}
  access_log {root}/receipts.log by_header buffer=64k flush=200ms;
  server {{
    listen {address}:{tls_port} ssl backlog=4096;
    listen {address}:{plain_port} backlog=4096;
    location / {{ return 200 '{{"status":"accepted"}}'; }}
    # Alertmanager sends no header that names the alert, so its name is taken from the body. nginx keeps a body for the
    # log when it mirrors it, but not when it only has a "return". The file is empty, and is never sent for a POST.
    location = /alerts {{
      root {root};
      open_file_cache max=8;
      mirror /mirrored;
      error_page 405 =200 @accepted;
    }}
    location = /mirrored {{ internal; access_log off; return 204; }}
    location @accepted {{
      access_log {root}/receipts.log by_body buffer=64k flush=200ms;
      return 200 '{{"status":"accepted"}}';
    }}
  }}
}}
"""


@dataclass
class Sink:
    """A running nginx."""

    root: Path
    tls_port: int
    plain_port: int
    process: subprocess.Popen[bytes]
    _read: int = field(default=0, repr=False)
    """How much of the log was read."""

    @property
    def ca_file(self) -> str:
        return str(self.root / "ca.pem")

    @property
    def url(self) -> str:
        return f"https://{ADDRESS}:{self.tls_port}/ingest"

    @property
    def log(self) -> Path:
        return self.root / "receipts.log"

    def receipts(self, expected: Collection[str] | int, patience: float = PATIENCE) -> list[tuple[str, float]]:
        """What was received since the last call, each with epoch seconds.

        Waits until all ``expected`` ids are there, or so many different ones, or nothing has come for ``patience``
        seconds.
        """
        found: list[tuple[str, float]] = []
        wanted = None if isinstance(expected, int) else set(expected)
        missing = expected if isinstance(expected, int) else len(set(expected))
        seen: set[str] = set()
        quiet_since = time.monotonic()
        while missing > 0 and time.monotonic() - quiet_since < patience:
            new = self._new()
            if new:
                quiet_since = time.monotonic()
                found += new
                fresh = {name for name, _ in new} - seen
                seen |= fresh
                missing -= len(fresh if wanted is None else fresh & wanted)
            else:
                time.sleep(0.05)
        time.sleep(0.3)  # what is received twice may be in the next flush
        return found + self._new()

    def count(self) -> int:
        """How many were received since the last call, as far as they are in the log."""
        return len(self._new())

    def wait_for_one(self) -> None:
        """Return once anything more was received."""
        while not self._new():
            time.sleep(0.05)

    def _new(self) -> list[tuple[str, float]]:
        with self.log.open("rb") as log:
            log.seek(self._read)
            text = log.read()
        text = text[: text.rfind(b"\n") + 1]
        self._read += len(text)
        fields = (line.split() for line in text.decode().splitlines())
        return [(name, float(at)) for at, status, name in fields if status == "200"]


def program() -> str | None:
    """Where nginx is, if it is installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((ADDRESS, 0))
        return [int(one.getsockname()[1]) for one in sockets]


@contextmanager
def sink(root: Path) -> Iterator[Sink]:
    """An nginx with its files in ``root``, stopped at the end of the block."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(root / "ca.pem")
    authority.issue_cert(HOST, ADDRESS).private_key_and_cert_chain_pem.write_to_path(root / "server.pem")
    tls_port, plain_port = free_ports(2)
    (root / "alerts").touch()
    (root / "nginx.conf").write_text(
        CONFIG.format(root=root, address=ADDRESS, tls_port=tls_port, plain_port=plain_port), encoding="utf-8"
    )
    command = [program() or "nginx", "-p", str(root), "-e", str(root / "error.log"), "-c", str(root / "nginx.conf")]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        wait_for_port(tls_port)
        yield Sink(root, tls_port, plain_port, process)
    finally:
        process.terminate()
        process.wait()


def wait_for_port(port: int, seconds: float = 20.0) -> None:
    """Return once somebody listens on the port. Raises TimeoutError."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection((ADDRESS, port), timeout=1):
            return
        time.sleep(0.02)
    raise TimeoutError(f"nobody listens on port {port}")
