"""The auth type ``digest``, for targets that answer a challenge with HTTP Digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookctl.model import MASK
from hookctl.plugin import AuthContext, AuthType, Settings

if TYPE_CHECKING:
    from requests.auth import AuthBase


def _build(settings: Settings, context: AuthContext) -> AuthBase:  # noqa: ARG001  # the contract of AuthType.build
    from hookctl_plugins.auth.digest import Digest

    return Digest(settings)


DIGEST = AuthType(
    name="digest",
    summary="A user name and a password (HTTP Digest, RFC 7616), which the target asks for with a challenge.",
    schema={
        "type": "object",
        "required": ["username", "password"],
        "additionalProperties": False,
        "properties": {
            "username": {
                "type": "string",
                "minLength": 1,
                "description": (
                    "The user name, as text or as a secret reference: printable ASCII characters without quotation"
                    " marks and backslashes."
                ),
                "examples": ["hookctl", "${env:SIEM_USER}"],
            },
            "password": {
                "type": "string",
                "x-secret": True,
                "description": "The password, as a secret reference. It is never sent.",
                "examples": ["${env:SIEM_PASSWORD}"],
            },
        },
    },
    build=_build,
    per_attempt=True,
    blocking=False,
    adds=lambda _: {"Authorization": f"Digest {MASK}"},
)
