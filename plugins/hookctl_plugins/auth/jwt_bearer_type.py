"""The auth type ``jwt_bearer``, for token endpoints that accept a signed assertion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookctl.model import MASK
from hookctl.plugin import AuthContext, AuthType, Settings

if TYPE_CHECKING:
    from requests.auth import AuthBase

OWN_CLAIMS = ("iss", "sub", "aud", "exp", "iat", "jti")
"""The claims that have settings of their own, or that hookctl makes for each assertion."""


def _build(settings: Settings, context: AuthContext) -> AuthBase:
    from hookctl_plugins.auth.jwt_bearer import JwtBearer

    return JwtBearer(settings, context)


JWT_BEARER = AuthType(
    name="jwt_bearer",
    summary=(
        "A token from an OAuth 2.0 server, for an assertion that hookctl signs (RFC 7523), as for service accounts of"
        " Google, Salesforce, Box and DocuSign."
    ),
    schema={
        "type": "object",
        "required": ["token_url", "issuer", "key"],
        "additionalProperties": False,
        "properties": {
            "token_url": {
                "type": "string",
                "x-url": True,
                "description": "The URL of the token endpoint. The rules for a webhook's `url` apply.",
                "examples": ["https://oauth2.googleapis.com/token"],
            },
            "issuer": {
                "type": "string",
                "minLength": 1,
                "description": (
                    "Who signs the assertion (claim `iss`), as text or as a secret reference: usually the client id, or"
                    " the e-mail address of a service account."
                ),
                "examples": ["hookctl@project.iam.gserviceaccount.com", "${env:SIEM_CLIENT_ID}"],
            },
            "key": {
                "type": "string",
                "x-secret": True,
                "description": (
                    "What signs the assertion, as a secret reference: a private key in PEM format, which may be"
                    " encrypted, or for HS256 a shared secret of at least 32 bytes."
                ),
                "examples": ["${file:/run/secrets/service-account.pem}"],
            },
            "key_password": {
                "type": "string",
                "x-secret": True,
                "description": "The password of an encrypted key, as a secret reference.",
                "examples": ["${env:KEY_PASSWORD}"],
            },
            "algorithm": {
                "enum": ["RS256", "ES256", "HS256"],
                "default": "RS256",
                "description": (
                    "The signature's algorithm: RS256 needs an RSA key of at least 2,048 bits, ES256 a key on the curve"
                    " P-256."
                ),
            },
            "key_id": {
                "type": "string",
                "minLength": 1,
                "description": "The id of the key at the server (`kid` in the assertion's header).",
                "examples": ["f3a9c1"],
            },
            "subject": {
                "type": "string",
                "minLength": 1,
                "description": (
                    "On whose behalf (claim `sub`), as text or as a secret reference. Most servers require it; Google"
                    " expects it only for delegation."
                ),
                "examples": ["integration@example.com"],
            },
            "audience": {
                "type": "string",
                "minLength": 1,
                "description": "For whom the assertion is (claim `aud`). Without it, the `token_url`.",
                "examples": ["https://login.salesforce.com"],
            },
            "claims": {
                "type": "object",
                "propertyNames": {"not": {"enum": [*OWN_CLAIMS]}},
                "description": "Further claims of the assertion. Texts may be secret references.",
                "examples": [{"scope": "https://www.googleapis.com/auth/pubsub"}, {"box_sub_type": "enterprise"}],
            },
            "lifetime_seconds": {
                "type": "integer",
                "minimum": 10,
                "maximum": 3600,
                "default": 60,
                "description": (
                    "The seconds from `iat` to `exp` of an assertion, which is used once. Box accepts at most 60."
                ),
                "examples": [180],
            },
            "scopes": {
                "type": "array",
                "items": {"type": "string", "pattern": "^[!#-\\[\\]-~]+$", "description": "One scope, without spaces."},
                "uniqueItems": True,
                "description": (
                    "The scopes to request in the form. Google and DocuSign read them from the claim `scope` instead:"
                    " use `claims`."
                ),
                "examples": [["ingest.write"]],
            },
            "grant": {
                "enum": ["jwt_bearer", "client_credentials"],
                "default": "jwt_bearer",
                "description": (
                    "What the assertion is for: `jwt_bearer` exchanges it for a token (RFC 7523, section 2.1);"
                    " `client_credentials` authenticates the client with it in place of a secret (section 2.2), which"
                    " servers also call `private_key_jwt`. `subject` is then the `issuer` unless set."
                ),
            },
            "client_id": {
                "type": "string",
                "minLength": 1,
                "description": "The client id to send in the request, as text or as a secret reference, if required.",
                "examples": ["${env:SIEM_CLIENT_ID}"],
            },
            "client_secret": {
                "type": "string",
                "x-secret": True,
                "description": "The client's secret, as a secret reference, if the server also requires that.",
                "examples": ["${env:SIEM_CLIENT_SECRET}"],
            },
            "token_endpoint_auth_method": {
                "enum": ["client_secret_basic", "client_secret_post"],
                "default": "client_secret_basic",
                "description": "How `client_secret` is sent: in a Basic header (RFC 6749), or in the posted form.",
            },
        },
        "dependentRequired": {"client_secret": ["client_id"], "token_endpoint_auth_method": ["client_secret"]},
        "if": {"required": ["grant"], "properties": {"grant": {"const": "client_credentials"}}},
        "then": {"properties": {"client_secret": False}},
    },
    build=_build,
    per_attempt=True,
    blocking=True,
    adds=lambda _: {"Authorization": f"Bearer {MASK}"},
)
