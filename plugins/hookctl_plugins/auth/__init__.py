"""Ways to authenticate a request: ``bearer``, ``basic``, ``headers``, ``oauth2``, ``standard_webhooks``, ``hmac``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from hookctl.model import MASK
from hookctl.plugin import AuthContext, AuthType, Settings, hookimpl
from hookctl_plugins.auth.signature_settings import signing_types

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from hookctl.model import Json


def _block(required: list[Json], properties: dict[str, Json]) -> Mapping[str, Json]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


BEARER: Mapping[str, Json] = _block(
    ["token"],
    {
        "token": {
            "type": "string",
            "x-secret": True,
            "description": "The token, as a secret reference. hookctl sends `Authorization: Bearer TOKEN`.",
            "examples": ["${env:SIEM_TOKEN}"],
        },
    },
)
BASIC: Mapping[str, Json] = _block(
    ["username", "password"],
    {
        "username": {
            "type": "string",
            "minLength": 1,
            "description": "The user name, as text or as a secret reference. It must not contain a colon.",
            "pattern": r"^(?:[^:$]|\$\{[^{}]*\}|\$(?!\{))*$",
            "examples": ["hookctl", "${env:SIEM_USER}"],
        },
        "password": {
            "type": "string",
            "x-secret": True,
            "description": "The password, as a secret reference.",
            "examples": ["${env:SIEM_PASSWORD}"],
        },
    },
)
HEADERS: Mapping[str, Json] = _block(
    ["headers"],
    {
        "headers": {
            "type": "object",
            "minProperties": 1,
            "x-headers": True,
            "additionalProperties": {
                "type": "string",
                "x-secret": True,
                "description": "The header's value: a secret reference, with text around it if the target requires it.",
            },
            "description": (
                "Header names and their secret values. Put values that are not secret into the webhook's `headers`."
            ),
            "examples": [
                {"X-Api-Key": "${env:SIEM_API_KEY}"},
                {"Authorization": "Token token=${file:/run/secrets/siem}"},
            ],
        },
    },
)
OAUTH2: Mapping[str, Json] = _block(
    ["client_id", "client_secret", "token_url"],
    {
        "client_id": {
            "type": "string",
            "minLength": 1,
            "description": "The client id, as text or as a secret reference.",
            "examples": ["hookctl", "${env:SIEM_CLIENT_ID}"],
        },
        "client_secret": {
            "type": "string",
            "x-secret": True,
            "description": "The client's secret, as a secret reference.",
            "examples": ["${env:SIEM_CLIENT_SECRET}"],
        },
        "token_url": {
            "type": "string",
            "x-url": True,
            "description": "The URL of the token endpoint. The rules for a webhook's `url` apply.",
            "examples": ["https://login.example.com/oauth/token"],
        },
        "scopes": {
            "type": "array",
            "items": {"type": "string", "pattern": "^[!#-\\[\\]-~]+$", "description": "One scope, without spaces."},
            "uniqueItems": True,
            "description": "The scopes to request. Without it, the server's default.",
            "examples": [["ingest.write"]],
        },
        "audience": {
            "type": "string",
            "minLength": 1,
            "description": "The API that the token is for, if the server requires one, as Auth0 does.",
            "examples": ["https://siem.example.com/"],
        },
        "token_endpoint_auth_method": {
            "enum": ["client_secret_basic", "client_secret_post"],
            "default": "client_secret_basic",
            "description": (
                "How the client authenticates at the token endpoint: with a Basic header (RFC 6749), or "
                "in the posted form."
            ),
        },
    },
)


def _bearer(settings: Settings, context: AuthContext) -> AuthBase:  # noqa: ARG001 - the contract of AuthType.build
    from hookctl_plugins.auth.header import bearer

    return bearer(settings)


def _basic(settings: Settings, context: AuthContext) -> AuthBase:  # noqa: ARG001 - the contract of AuthType.build
    from hookctl_plugins.auth.header import basic

    return basic(settings)


def _headers(settings: Settings, context: AuthContext) -> AuthBase:  # noqa: ARG001 - the contract of AuthType.build
    from hookctl_plugins.auth.header import headers

    return headers(settings)


def _oauth2(settings: Settings, context: AuthContext) -> AuthBase:
    from hookctl_plugins.auth.oauth2 import ClientCredentials

    return ClientCredentials(settings, context)


def _headers_added(settings: Mapping[str, Json]) -> Mapping[str, str]:
    headers = settings["headers"]
    return {name: str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}


@hookimpl
def hookctl_auth_types() -> Iterable[AuthType]:
    """The built-in auth types."""
    return (
        AuthType(
            name="bearer",
            summary="A fixed token in the Authorization header.",
            schema=BEARER,
            build=_bearer,
            blocking=False,
            adds=lambda settings: {"Authorization": f"Bearer {settings['token']}"},
        ),
        AuthType(
            name="basic",
            summary="A user name and a password (HTTP Basic).",
            schema=BASIC,
            build=_basic,
            blocking=False,
            adds=lambda _: {"Authorization": f"Basic {MASK}"},
        ),
        AuthType(
            name="headers",
            summary="Secret values in headers of any name, such as an API key.",
            schema=HEADERS,
            build=_headers,
            blocking=False,
            adds=_headers_added,
        ),
        AuthType(
            name="oauth2",
            summary=(
                "A token from an OAuth 2.0 server, with client credentials. hookctl fetches it when "
                "needed and renews it in time."
            ),
            schema=OAUTH2,
            build=_oauth2,
            per_attempt=True,
            blocking=True,
            adds=lambda _: {"Authorization": f"Bearer {MASK}"},
        ),
        *signing_types(),
    )
