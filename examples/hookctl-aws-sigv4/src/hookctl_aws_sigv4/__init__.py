"""A plugin for hookctl: the auth ``aws_sigv4``, which is the auth of requests-aws4auth, unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from hookctl.errors import SecretError
from hookctl.model import reveal
from hookctl.plugin import AuthContext, AuthType, Settings, hookimpl

if TYPE_CHECKING:
    from hookctl.model import Json
    from requests.auth import AuthBase

SETTINGS: Mapping[str, Json] = {
    "type": "object",
    "required": ["access_key_id", "secret_access_key", "region", "service"],
    "additionalProperties": False,
    "properties": {
        "access_key_id": {
            "type": "string",
            "minLength": 1,
            "description": "The id of the access key, as text or as a secret reference.",
            "examples": ["${env:AWS_ACCESS_KEY_ID}"],
        },
        "secret_access_key": {
            "type": "string",
            "x-secret": True,
            "description": "The secret of the access key, as a secret reference.",
            "examples": ["${env:AWS_SECRET_ACCESS_KEY}"],
        },
        "session_token": {
            "type": "string",
            "x-secret": True,
            "description": "The token of temporary credentials, as a secret reference.",
            "examples": ["${env:AWS_SESSION_TOKEN}"],
        },
        "region": {
            "type": "string",
            "pattern": "^[a-z0-9-]+$",
            "description": "The region of the target.",
            "examples": ["eu-central-1"],
        },
        "service": {
            "type": "string",
            "pattern": "^[a-z0-9-]+$",
            "description": "The name of the service in signatures.",
            "examples": ["execute-api"],
        },
    },
}


def build(settings: Settings, context: AuthContext) -> AuthBase:
    """The auth of one webhook. Raises SecretError for a key that is empty.

    requests-aws4auth sends nothing, so ``context`` is not needed. It is imported here and not at the top, because
    hookctl imports this module at every start.
    """
    from requests_aws4auth import AWS4Auth

    given = {name: reveal(value) for name, value in settings.items()}
    for name, text in given.items():
        if not text:
            raise SecretError(f"{name} is empty", hint="Set it to that of an access key.")
    auth: AuthBase = AWS4Auth(
        given["access_key_id"],
        given["secret_access_key"],
        given["region"],
        given["service"],
        session_token=given.get("session_token"),
    )
    return auth


def adds(settings: Mapping[str, Json]) -> Mapping[str, str]:
    """The headers that a plan shows. What is known only when the request is sent is ``***``."""
    scope = f"{settings['access_key_id']}/***/{settings['region']}/{settings['service']}/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=***, Signature=***",
        "X-Amz-Content-SHA256": "***",
        "X-Amz-Date": "***",
    }
    return {**headers, "X-Amz-Security-Token": "***"} if "session_token" in settings else headers


@hookimpl
def hookctl_auth_types() -> Iterable[AuthType]:
    """The auth. It signs, so hookctl calls it for each attempt, after every auth that does not sign."""
    return [
        AuthType(
            name="aws_sigv4",
            summary="Signs requests to AWS with Signature Version 4.",
            schema=SETTINGS,
            build=build,
            per_attempt=True,
            signs=True,
            adds=adds,
        )
    ]
