"""Opens a tunnel through an HTTP proxy (CONNECT, RFC 9110 section 9.3.6), for the ``requests`` transport."""

from __future__ import annotations

import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable

from hookctl.errors import DeadlineError, ProxyError
from hookctl.network import Target
from hookctl.network.proxy import Tunnel, refusal
from hookctl.network.shortage import shortage_of
from hookctl_plugins.transport.deadline_sockets import Call, DeadlineSocket

MAX_ANSWER_BYTES = 16 * 1024
"""The maximum size of the header with which a proxy answers."""
_END = re.compile(rb"\n\r?\n")
_ENDS = (b"\n\r\n", b"\n\n")
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: |\r?\n)")


def open_tunnel(
    raw: socket.socket, target: Target, call: Call, contexts: Callable[[str], ssl.SSLContext]
) -> socket.socket:
    """The connection to ``target`` through the proxy that ``raw`` is connected to. It is TLS itself for such a proxy.

    Args:
        raw: a TCP connection to the proxy.
        target: what the guard returned for the host, with its tunnel.
        call: the request in progress, with the deadline.
        contexts: how to speak TLS with a host.

    Raises:
        ProxyError: The proxy's certificate is not trusted, or it refused, closed, or did not answer in HTTP.
        DeadlineError: It did not answer in time.
    """
    tunnel = target.tunnel
    assert tunnel is not None  # noqa: S101  # the caller checks it
    proxy = tunnel.proxy
    sock = raw
    try:
        sock.settimeout(call.left())
        if proxy.is_tls:
            sock = contexts(proxy.host).wrap_socket(raw, server_hostname=proxy.host)
            assert isinstance(sock, DeadlineSocket)  # noqa: S101  # the contexts make no other
            sock.call = call
        sock.sendall(_request(target.host, tunnel))
        _check(_answer(sock, call), target.host, tunnel)
    except BaseException as error:
        sock.close()
        raise _meaning(error, target.host, tunnel, call) from error
    return sock


def _meaning(error: BaseException, host: str, tunnel: Tunnel, call: Call) -> BaseException:
    what = f"the proxy {tunnel.proxy.url} opened no connection to {host}"
    if isinstance(error, TimeoutError | DeadlineError):
        return DeadlineError(f"{what} within {call.deadline - call.started:g} s")
    if isinstance(error, OSError) and not shortage_of(error):
        return ProxyError(f"{what}: {getattr(error, 'verify_message', '') or error.strerror or error}")
    return error


def _check(head: bytes, host: str, tunnel: Tunnel) -> None:
    status = _STATUS.match(head)
    if status is None or not head.endswith(_ENDS):
        raise ProxyError(f"the proxy {tunnel.proxy.url} did not answer CONNECT with a complete HTTP header")
    if not 200 <= int(status[1]) < 300:
        raise refusal(tunnel.proxy, host, tunnel.port, int(status[1]))


def _request(host: str, tunnel: Tunnel) -> bytes:
    authority = f"{host}:{tunnel.port}"
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if tunnel.credentials:
        credentials = b64encode(":".join(tunnel.credentials).encode()).decode("ascii")
        lines.append(f"Proxy-Authorization: Basic {credentials}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _answer(sock: socket.socket, call: Call) -> bytes:
    """The header of the proxy's answer, or less if it ends early or is too long.

    A refusal may have a body, which is left unread. Inside a tunnel nothing comes first, because hookctl speaks first:
    bytes after a header of 2xx make it invalid.
    """
    head = b""
    while len(head) <= MAX_ANSWER_BYTES:
        sock.settimeout(call.left())
        piece = sock.recv(4096)
        head += piece
        end = _END.search(head)
        if end and _STATUS.match(head) and not head[9:].startswith(b"2"):
            return head[: end.end()]
        if end or not piece:
            break
    return head
