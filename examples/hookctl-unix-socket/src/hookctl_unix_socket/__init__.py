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

URL = re.compile(r"spool:[A-Za-z0-9_-]{1,100}")
SETTINGS: Mapping[str, Json] = {
    "type": "object",
    "required": ["directory"],
    "additionalProperties": False,
    "properties": {
        "directory": {"type": "string", "minLength": 1, "description": "The directory of the files with the bodies."},
    },
}


def check_url(url: str) -> Sequence[Problem]:
    """The problems of a URL, which must be ``spool:NAME``."""
    if URL.fullmatch(url):
        return []
    hint = "Write spool:NAME, the name in letters, digits, `_` and `-`."
    return [Problem("url-invalid", "the URL does not name a spool", hint, 0, len(url))]


def build(settings: Settings, network: Network) -> BaseAdapter:
    """The transport of one webhook. One that connects to hosts asks ``network`` for their addresses."""
    from hookctl_unix_socket.spool import Spool

    return Spool(settings)


@hookimpl
def hookctl_transport_types() -> Iterable[TransportType]:
    """The transport, with a rule for its own URLs."""
    return [
        TransportType(
            name="unix_socket",
            summary="Appends each body to a file.",
            schema=SETTINGS,
            build=build,
            check_url=check_url,
        )
    ]
