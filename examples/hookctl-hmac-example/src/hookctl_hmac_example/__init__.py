"""A plugin for hookctl: the auth ``body_signature`` and the event type ``deployment``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING

from hookctl.plugin import AuthContext, AuthType, EventType, Settings, hookimpl

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from hookctl.model import Json

SETTINGS: dict[str, Json] = {
    "type": "object",
    "required": ["secret"],
    "additionalProperties": False,
    "properties": {
        "secret": {
            "type": "string",
            "x-secret": True,
            "description": "The secret that target and sender share, as a secret reference.",
            "examples": ["${env:CHAT_SECRET}"],
        },
        "header": {
            "type": "string",
            "pattern": "^[A-Za-z][A-Za-z0-9-]*$",
            "default": "X-Hub-Signature-256",
            "description": "The header that carries the signature.",
        },
    },
}


def build(settings: Settings, context: AuthContext) -> AuthBase:  # noqa: ARG001 - this auth sends no request of its own
    """The auth of one webhook. What it needs is imported here, so that a start of hookctl does not pay for it."""
    from hookctl_hmac_example.signature import BodySignature

    return BodySignature(settings)


def adds(settings: Mapping[str, Json]) -> Mapping[str, str]:
    """What a plan shows of it: the header's name, since the signature is known only when there is a body."""
    return {str(settings.get("header", "X-Hub-Signature-256")): "sha256=***"}


@hookimpl
def hookctl_auth_types() -> Iterable[AuthType]:
    """``body_signature``, called for each attempt: a retry may have another body."""
    return [
        AuthType(
            name="body_signature",
            summary="Signs the body by HMAC-SHA256, as GitHub does.",
            schema=SETTINGS,
            build=build,
            per_attempt=True,
            adds=adds,
        ),
    ]


@hookimpl
def hookctl_event_types() -> Iterable[EventType]:
    """``deployment``."""
    schema = json.loads(files(__name__).joinpath("deployment.schema.json").read_text(encoding="utf-8"))
    return [EventType(name="deployment", summary=schema["description"], schema=schema, mock=schema["examples"][0])]
