"""``hookctl serve`` as a process: health, metrics, the log of requests, and how it stops."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 30.0
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def until_ready(served: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while served.get("/readyz")[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def stop(served: Any) -> None:
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(PATIENCE) == 0


def test_health_metrics_and_the_log_of_requests(serve: Callable[..., Any]) -> None:
    served = serve("--listen", "127.0.0.1:0", "--log", "json")
    until_ready(served)
    assert served.get("/healthz")[::2] == (200, "ok\n")
    status, headers, text = served.get("/metrics", Accept=OPENMETRICS)
    assert status == 200
    assert headers["content-type"].startswith(OPENMETRICS)
    assert 'hookctl_undelivered_deliveries{status="dead",webhook="Siem"} 0.0' in text
    assert 'hookctl_http_request_duration_seconds_count{method="GET",route="/healthz",status="200"} 1.0' in text
    assert served.get("/sign-in?code=canary-1", Authorization="Bearer canary-2")[0] == 401
    assert served.get("/nothing/canary-3")[0] == 404
    stop(served)
    records = [json.loads(line) for line in served.lines("request")]
    refused, missing = [record for record in records if record["route"] != "/readyz"]
    assert refused.items() >= {"client": "127.0.0.1", "method": "GET", "status": 401, "token": ""}.items()
    assert refused["bytes"] > 0
    assert missing.items() >= {"route": "", "status": 404}.items()
    assert "canary" not in "".join(served.log)


def test_a_request_in_progress_is_answered_and_new_ones_are_not_accepted(serve: Callable[..., Any]) -> None:
    served = serve("--listen", "127.0.0.1:0")
    until_ready(served)
    with served.begin_form() as client:
        served.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE).close()
            except ConnectionRefusedError:
                break
            assert time.monotonic() < deadline
            time.sleep(0.02)
        client.sendall(b"c")
        answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"connection: close" in answer.lower()
    assert served.process.wait(PATIENCE) == 0


def test_a_second_signal_ends_it_at_once(serve: Callable[..., Any]) -> None:
    served = serve("--listen", "127.0.0.1:0", "--log", "json")
    until_ready(served)
    with served.begin_form() as client:
        served.process.send_signal(signal.SIGTERM)
        assert next(line for line in served.process.stdout if '"event":"stopping"' in line)
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(PATIENCE) == 130
        assert not client.recv(65536).startswith(b"HTTP/1.1 2")
    assert "stopped" not in served.process.stdout.read()
    errors = served.process.stderr.read()
    assert "graceful" not in errors  # the server did not wait for the request
    assert "Traceback" not in errors


def test_metrics_need_a_token_where_others_reach_the_server(
    serve: Callable[..., Any], run_cli: Callable[..., Any], tmp_path: Any
) -> None:
    def token(name: str, scope: str) -> str:
        made = run_cli("tokens", "create", name, "--scope", scope, cwd=tmp_path)
        return str(next(word for word in made.stdout.split() if word.startswith("hookctl_")))

    reader, sender = token("prometheus", "read"), token("shop", "intake")
    served = serve("--listen", "127.0.0.1:0", "--host", "hooks.example.com", "--log", "json")
    until_ready(served)
    assert served.get("/metrics")[0] == 401
    assert served.get("/metrics", Authorization=f"Bearer {sender}")[0] == 403
    assert served.get("/metrics", Authorization=f"Bearer {reader}")[0] == 200
    stop(served)
    records = [json.loads(line) for line in served.lines("request")]
    scrapes = [(record["status"], record["token"]) for record in records if record["route"] == "/metrics"]
    assert scrapes == [(401, ""), (403, "shop")]
    assert reader not in "".join(served.log)
