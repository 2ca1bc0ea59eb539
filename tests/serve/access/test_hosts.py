"""DNS rebinding: only the names of the server are answered, on every route."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookctl.serve.access.hosts import Hosts, host_name, is_host_name, is_loopback


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example:127.0.0.1",
        "127.0.0.1:80:80",
        "[::1",
        "[::1]x",
        "127.0.0.1:port",
        "127.0.0.1:99999",
        "127.1",
        "2130706433",
        "0.0.0.0",  # noqa: S104
        "192.0.2.1",
        "hooks.example.com.",
        "user@127.0.0.1",
        "",
    ],
)
def test_another_name_is_refused_on_every_route(server: Any, host: str) -> None:
    cookie = server.sign_in()
    for method, path in (("GET", "/healthz"), ("GET", "/show"), ("GET", "/sign-in"), ("POST", "/act")):
        answer = server.request(method, path, Host=host, Cookie=cookie)
        assert answer.status in {421, 400}
        assert "ada@laptop" not in answer.body


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:9", "[::1]", "[::1]:80", "hooks.example.com:443"]
)
def test_the_names_of_the_server_are_answered_on_any_port(server: Any, host: str) -> None:
    assert server.request("GET", "/healthz", Host=host).status == 200


def test_a_request_has_exactly_one_host(server: Any) -> None:
    for lines in ("", f"Host: 127.0.0.1:{server.port}\r\nHost: evil.example\r\n"):
        assert server.raw(f"GET /healthz HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode()).startswith(
            b"HTTP/1.1 4"
        )


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://evil.example/show", 421),
        ("http://127.0.0.1@evil.example/show", 421),
        ("http://[2001:db8::1]/show", 421),
        ("http://127.0.0.1:9/show", 401),
        ("http://[::1]/show", 401),
    ],
)
def test_the_name_in_an_absolute_target_counts_instead_of_the_host(server: Any, target: str, status: int) -> None:
    data = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n\r\n"
    assert server.raw(data.encode()).startswith(f"HTTP/1.1 {status}".encode())


def test_the_address_at_which_a_request_arrives_is_a_name() -> None:
    hosts = Hosts(["0.0.0.0", "Hooks.example.com:8443"])  # noqa: S104
    assert hosts.allow("10.1.2.3:8080", "10.1.2.3")
    assert not hosts.allow("10.1.2.4:8080", "10.1.2.3")
    assert not hosts.allow("0.0.0.0:8080", "10.1.2.3")
    assert hosts.allow("hooks.EXAMPLE.com", "10.1.2.3")
    assert not hosts.allow("", "")


@pytest.mark.parametrize("header", ["", "evil.example:port", "[evil", "a:b:c"])
def test_a_header_without_a_name_is_never_that_of_the_server(header: str) -> None:
    assert not Hosts([""]).allow(header, "")


@pytest.mark.parametrize(
    "name", ["hooks.example.com", "Hooks.example.com:8443", "hook_ctl", "10.0.0.5", "[2001:db8::1]"]
)
def test_names_for_host(name: str) -> None:
    assert is_host_name(name)


@pytest.mark.parametrize("name", ["", "*", "https://hooks.example.com", "a b", "x/y", "[::1", "[x]", "name.", "a\nb"])
def test_what_is_not_a_name_is_refused_before_the_start(name: str, run_cli: Callable[..., Any], tmp_path: Path) -> None:
    """An empty one, from a variable that is not set, must not go unnoticed."""
    result = run_cli("serve", "--listen", "127.0.0.1:0", "--host", name, cwd=tmp_path)
    assert result.exit_code == 1
    assert "--host:" in result.stderr


def test_names_are_read_without_their_port() -> None:
    assert host_name("[2001:DB8::1]:8080") == "2001:db8::1"
    assert host_name("2001:db8::1") == ""


@pytest.mark.parametrize(
    ("address", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],  # noqa: S104
)
def test_what_only_this_machine_can_reach(address: str, *, expected: bool) -> None:
    assert is_loopback(address) == expected
