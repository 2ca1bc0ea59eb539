"""``allowed_hosts``: the hosts that requests may go to, including token requests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from hookctl.model import Json, Pointer
from hookctl.plugin import Finding

if TYPE_CHECKING:
    from hookctl.model import DeliveryPlan, Plan
    from hookctl.plugin import CheckPlan

_HOST = re.compile(r"[a-z][a-z0-9+.-]*://(?P<host>[^/?#\\@:\[\]\s]+)(?::[0-9]+)?(?=[/?#]|\Z)")
"""The host of a URL that every parser reads alike. URLs of other transports may have other forms, such as with a
port.
"""
_NAMED = 5
"""The maximum number of allowed hosts that a hint lists."""


def allowed_hosts(settings: Mapping[str, Json]) -> CheckPlan:
    """A check that every URL of every webhook has one of ``hosts``. A URL without a recognizable host is refused."""
    hosts = cast("Sequence[str]", settings["hosts"])
    exact = frozenset(host for host in hosts if not host.startswith("*."))
    below = tuple(host.removeprefix("*") for host in hosts if host.startswith("*."))
    more = f" and {len(hosts) - _NAMED} more" if len(hosts) > _NAMED else ""
    hint = f"Allowed hosts: {', '.join(hosts[:_NAMED])}{more}."

    def check(plan: Plan) -> Sequence[Finding]:
        found = []
        for after in plan.after:
            for pointer, url in _urls(after):
                match = _HOST.match(url)
                host = match["host"].lower() if match else ""
                if host not in exact and not host.endswith(below):
                    problem = f"goes to {host}, which is not an allowed host" if host else "has no recognizable host"
                    found.append(
                        Finding(webhook=after.name, message=f"`{pointer[-1]}` {problem}", hint=hint, pointer=pointer)
                    )
        return found

    return check


def _urls(plan: DeliveryPlan) -> Iterator[tuple[Pointer, str]]:
    """The webhook's URL, and the URLs in its plugins' settings, such as ``token_url``."""
    yield ("url",), plan.url
    blocks: list[tuple[Pointer, Mapping[str, Json]]] = [
        (("auth", index), block.settings) for index, block in enumerate(plan.auth)
    ]
    if plan.transport:
        blocks.append((("transport",), plan.transport.settings))
    for place, settings in blocks:
        for key, value in settings.items():
            if isinstance(value, str) and (key == "url" or key.endswith("_url")):
                yield (*place, key), value
