"""The auth type ``api_key_query``, for targets that read an API key from the URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookctl.plugin import AuthContext, AuthType, Settings

if TYPE_CHECKING:
    from requests.auth import AuthBase


def _build(settings: Settings, context: AuthContext) -> AuthBase:  # noqa: ARG001  # the contract of AuthType.build
    from hookctl_plugins.auth.api_key_query import ApiKeyQuery

    return ApiKeyQuery(settings)


API_KEY_QUERY = AuthType(
    name="api_key_query",
    summary="An API key in the URL's query, for targets that accept it nowhere else.",
    schema={
        "type": "object",
        "required": ["parameter", "key"],
        "additionalProperties": False,
        "properties": {
            "parameter": {
                "type": "string",
                "minLength": 1,
                "maxLength": 200,
                "pattern": r"^[A-Za-z0-9._~\[\]-]+$",
                "description": "The name of the query parameter. The URL must not have it already.",
                "examples": ["api_key"],
            },
            "key": {
                "type": "string",
                "x-secret": True,
                "description": (
                    "The API key, as a secret reference. hookctl escapes it. Many servers log URLs, so send the key in"
                    " a header (`headers`) if the target accepts that."
                ),
                "examples": ["${env:SIEM_API_KEY}"],
            },
        },
    },
    build=_build,
    blocking=False,
    adds_query=lambda settings: {str(settings["parameter"]): str(settings["key"])},
)
