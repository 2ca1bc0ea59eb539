"""A plugin for hookctl: the transport ``unix_socket``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from hookctl.model import Problem
from hookctl.plugin import Settings, TransportType, hookimpl

if TYPE_CHECKING:
    from hookctl.model import Json
    from hookctl.network import Network
    from requests.adapters import BaseAdapter

URL = re.compile(r"unix://(?P<name>[a-z0-9][a-z0-9-]{0,62})(?P<target>/[!-\"$-~]{0,2000})?")
"""``unix://NAME/PATH?QUERY``, in printable ASCII and without a fragment."""
SETTINGS: Mapping[str, Json] = {"type": "object", "additionalProperties": False}


def check_url(url: str) -> Sequence[Problem]:
    """The problems of a URL, which must be ``unix://NAME/PATH``."""
    if URL.fullmatch(url):
        return []
    hint = "Write unix://NAME/PATH, the name in lower-case letters, digits and `-`."
    return [Problem("url-invalid", "the URL does not name a socket", hint, 0, len(url))]


def build(settings: Settings, network: Network) -> BaseAdapter:
    """The transport. It connects to no host, so it asks ``network`` for nothing."""
    from hookctl_unix_socket.adapter import UnixSocket

    return UnixSocket()


@hookimpl
def hookctl_transport_types() -> Iterable[TransportType]:
    """The transport, with a rule for its own URLs and without settings."""
    return [
        TransportType(
            name="unix_socket",
            summary="Sends over HTTP to a Unix socket of this machine.",
            schema=SETTINGS,
            build=build,
            check_url=check_url,
        )
    ]
