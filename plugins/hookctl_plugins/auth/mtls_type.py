"""The auth type ``mtls``, for targets that require a client certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookctl.plugin import AuthContext, AuthType, Settings

if TYPE_CHECKING:
    from requests.auth import AuthBase


def _build(settings: Settings, context: AuthContext) -> AuthBase:  # noqa: ARG001  # the contract of AuthType.build
    from hookctl_plugins.auth.mtls import ClientCertificateAuth

    return ClientCertificateAuth(settings)


MTLS = AuthType(
    name="mtls",
    summary="A client certificate in the TLS handshake (mutual TLS).",
    schema={
        "type": "object",
        "required": ["certificate", "key"],
        "additionalProperties": False,
        "properties": {
            "certificate": {
                "type": "string",
                "pattern": r"^\s*(?:\$\{|-----BEGIN CERTIFICATE-----)",
                "description": (
                    "The client's certificate in PEM format, followed by intermediate certificates if the target"
                    " requires them: a secret reference, or the text itself."
                ),
                "examples": ["${file:/run/secrets/client.crt}"],
            },
            "key": {
                "type": "string",
                "x-secret": True,
                "description": (
                    "The private key of the certificate in PEM format, as a secret reference. It may be encrypted, and"
                    " it may be in the same file as the certificate."
                ),
                "examples": ["${file:/run/secrets/client.key}"],
            },
            "key_password": {
                "type": "string",
                "x-secret": True,
                "description": "The password of an encrypted key, as a secret reference.",
                "examples": ["${env:CLIENT_KEY_PASSWORD}"],
            },
        },
    },
    build=_build,
    blocking=False,
)
