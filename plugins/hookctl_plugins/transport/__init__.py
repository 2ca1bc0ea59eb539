"""The built-in transports ``curl`` and ``requests``. Both follow docs/network.md, and pass the same tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hookctl.model import Json
from hookctl.network import Network
from hookctl.plugin import Settings, TransportType, hookimpl
from hookctl_plugins.transport.key_log import ignore_key_log

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter


def _build_curl(_: Settings, network: Network) -> BaseAdapter:
    ignore_key_log()
    from hookctl_plugins.transport.curl_transport import CurlTransport

    return CurlTransport(network)


def _build_requests(_: Settings, network: Network) -> BaseAdapter:
    ignore_key_log()
    from hookctl_plugins.transport.requests_transport import RequestsTransport

    return RequestsTransport(network)


@hookimpl
def hookctl_transport_types() -> Iterable[TransportType]:
    """The built-in transports: HTTPS by libcurl, and by urllib3."""
    no_settings: dict[str, Json] = {"type": "object", "properties": {}, "additionalProperties": False}
    return [
        TransportType(
            name="curl",
            summary="HTTPS with libcurl: many requests at the same time from one thread.",
            schema=no_settings,
            build=_build_curl,
        ),
        TransportType(
            name="requests",
            summary="HTTPS with requests and urllib3: one request per thread.",
            schema=no_settings,
            build=_build_requests,
        ),
    ]
