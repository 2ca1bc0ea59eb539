"""An organisation's rules about plans.

``allowed_hosts``, ``authenticated``, ``timeout_at_most``, ``retry_horizon_at_least`` and ``owner_label``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from hookctl.plugin import CheckPlan, Policy, hookimpl

if TYPE_CHECKING:
    from hookctl.model import Json

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"


def _table(required: list[Json], properties: dict[str, Json]) -> Mapping[str, Json]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


ALLOWED_HOSTS = _table(
    ["hosts"],
    {
        "hosts": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "type": "string",
                "pattern": rf"^(?:\*\.)?(?:{_LABEL}\.)*{_LABEL}$",
                "description": "A host name in lower case, or `*.` and one for every name below it but not itself.",
                "examples": ["siem.example.com", "*.example.com"],
            },
            "description": "The hosts that webhooks may be sent to, and tokens be fetched from.",
            "examples": [["*.example.com", "login.example.net"]],
        },
    },
)
AUTHENTICATED = _table([], {})
TIMEOUT_AT_MOST = _table(
    ["seconds"],
    {
        "seconds": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "The longest `timeout_seconds` that a webhook may have.",
            "examples": [30],
        }
    },
)
RETRY_HORIZON_AT_LEAST = _table(
    ["duration"],
    {
        "duration": {
            "type": "string",
            "pattern": "^[0-9]{1,6}(?:[.][0-9]{1,3})?(?:ms|s|m|h|d)$",
            "description": "The shortest time from the first attempt to the last: the sum of `retry.schedule`.",
            "examples": ["1d", "12h"],
        },
    },
)
OWNER_LABEL = _table(
    [],
    {
        "label": {
            "type": "string",
            "minLength": 1,
            "default": "owner",
            "description": "The key that `labels` of every webhook must have, with a value that is not empty.",
            "examples": ["owner"],
        },
    },
)


def _allowed_hosts(settings: Mapping[str, Json]) -> CheckPlan:
    from hookctl_plugins.policy.hosts import allowed_hosts

    return allowed_hosts(settings)


def _authenticated(settings: Mapping[str, Json]) -> CheckPlan:  # noqa: ARG001 - the contract of Policy.build
    from hookctl_plugins.policy.fields import authenticated

    return authenticated


def _timeout_at_most(settings: Mapping[str, Json]) -> CheckPlan:
    from hookctl_plugins.policy.fields import timeout_at_most

    return timeout_at_most(settings)


def _retry_horizon_at_least(settings: Mapping[str, Json]) -> CheckPlan:
    from hookctl_plugins.policy.fields import retry_horizon_at_least

    return retry_horizon_at_least(settings)


def _owner_label(settings: Mapping[str, Json]) -> CheckPlan:
    from hookctl_plugins.policy.fields import owner_label

    return owner_label(settings)


@hookimpl
def hookctl_policies() -> Iterable[Policy]:
    """The built-in policies."""
    return (
        Policy(
            name="allowed_hosts",
            summary="Requests go only to these hosts.",
            schema=ALLOWED_HOSTS,
            build=_allowed_hosts,
        ),
        Policy(name="authenticated", summary="Every webhook has `auth`.", schema=AUTHENTICATED, build=_authenticated),
        Policy(
            name="timeout_at_most",
            summary="No attempt may take longer.",
            schema=TIMEOUT_AT_MOST,
            build=_timeout_at_most,
        ),
        Policy(
            name="retry_horizon_at_least",
            summary="A target may be down so long before a delivery is given up.",
            schema=RETRY_HORIZON_AT_LEAST,
            build=_retry_horizon_at_least,
        ),
        Policy(name="owner_label", summary="Every webhook says whose it is.", schema=OWNER_LABEL, build=_owner_label),
    )
