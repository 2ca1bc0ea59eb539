"""The settings of ``standard_webhooks`` and ``hmac``. Light, since hookctl imports it when it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hookctl.plugin import AuthContext, AuthType, Settings

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from hookctl.model import Json, Problem

_HEADER: dict[str, Json] = {"type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"}
_PREVIOUS: dict[str, Json] = {
    "type": "string",
    "x-secret": True,
    "description": (
        "The secret before the current one, as a secret reference. While it is set, the header carries a signature of "
        "each, so receivers can change theirs at any time."
    ),
    "examples": ["${env:SIEM_OLD_SIGNING_SECRET}"],
}
STANDARD_WEBHOOKS: Mapping[str, Json] = {
    "type": "object",
    "required": ["secret"],
    "additionalProperties": False,
    "properties": {
        "secret": {
            "type": "string",
            "x-secret": True,
            "description": (
                "The signing secret, as a secret reference: base64 of 24 to 64 bytes, usually after `whsec_`. hookctl "
                "sends `webhook-signature: v1,SIGNATURE`."
            ),
            "examples": ["${env:SIEM_SIGNING_SECRET}"],
        },
        "previous_secret": _PREVIOUS,
        "ed25519_key": {
            "type": "string",
            "x-secret": True,
            "description": (
                "Experimental, since no reference library verifies it yet: a key that adds a signature of version v1a, "
                "as a secret reference. It is `whsk_` and the base64 of a private and a public key of ed25519."
            ),
            "examples": ["${env:SIEM_ED25519_KEY}"],
        },
    },
}
HMAC: Mapping[str, Json] = {
    "type": "object",
    "required": ["secret"],
    "additionalProperties": False,
    "properties": {
        "preset": {
            "enum": ["convoy", "github", "grafana", "outpost", "shopify", "slack", "stripe", "twilio"],
            "description": (
                "The system whose recipe to use. The other settings change single parts of it. Without a preset, "
                "`header` is required."
            ),
        },
        "secret": {
            "type": "string",
            "x-secret": True,
            "description": "The secret that the target shares with hookctl, as a secret reference.",
            "examples": ["${env:SIEM_SIGNING_SECRET}"],
        },
        "previous_secret": _PREVIOUS,
        "algorithm": {
            "enum": ["sha1", "sha256", "sha512"],
            "description": "The hash function of the HMAC. Without a preset: `sha256`.",
        },
        "key_encoding": {
            "enum": ["utf-8", "base64", "hex", "whsec"],
            "description": (
                "How the secret is decoded into the key; `utf-8` takes it as it is, and `whsec` decodes the base64 "
                "after `whsec_`. Without a preset: `utf-8`."
            ),
        },
        "content": {
            "type": "string",
            "minLength": 1,
            "description": (
                "What is signed: text with names in braces, of `{id}`, `{timestamp}`, `{method}`, `{url}`, `{body}`, "
                "`{body_sha256}` and `{parameters}`. Without a preset: `{body}`."
            ),
            "examples": ["{timestamp}.{body}", "{method}\n{url}\n{timestamp}\n{body_sha256}"],
        },
        "header": {
            **_HEADER,
            "description": "The header that carries the signature.",
            "examples": ["X-Signature"],
        },
        "format": {
            "type": "string",
            "pattern": "^[ -~]*$",
            "description": (
                "The value of the header, with `{signature}`, `{timestamp}` or `{id}` in it. Text in brackets is "
                "repeated for each further signature. Without a preset: `{signature}`."
            ),
            "examples": ["sha256={signature}", "t={timestamp},v1={signature}[,v1={signature}]"],
        },
        "encoding": {
            "enum": ["hex", "base64"],
            "description": "How the signature is written. Without a preset: `hex`.",
        },
        "timestamp_header": {
            **_HEADER,
            "description": "Also send the timestamp in this header. hookctl always sends it as `webhook-timestamp`.",
            "examples": ["X-Signature-Timestamp"],
        },
        "id_header": {
            **_HEADER,
            "description": "Also send the id of the delivery in this header. hookctl always sends it as `webhook-id`.",
            "examples": ["X-Delivery-Id"],
        },
        "body_hash_parameter": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_.~-]+$",
            "description": (
                "Add the SHA-256 of a body that is not a form to the URL, as this query parameter, before signing."
            ),
            "examples": ["bodySHA256"],
        },
    },
}


def signing_types() -> Sequence[AuthType]:
    """The auth types that sign."""
    return (
        AuthType(
            name="standard_webhooks",
            summary="A signature by the Standard Webhooks specification.",
            schema=STANDARD_WEBHOOKS,
            build=_build_standard_webhooks,
            per_attempt=True,
            blocking=False,
            adds=_adds_standard_webhooks,
            warnings=_warnings_standard_webhooks,
        ),
        AuthType(
            name="hmac",
            summary="A signature by HMAC, as GitHub, Stripe, Slack and others make it, or by a recipe of your own.",
            schema=HMAC,
            build=_build_hmac,
            per_attempt=True,
            blocking=False,
            adds=_adds_hmac,
            problems=_problems_hmac,
            expand=_expand_hmac,
            warnings=_warnings_hmac,
        ),
    )


def _build_standard_webhooks(settings: Settings, context: AuthContext) -> AuthBase:  # noqa: ARG001 - as AuthType.build
    from hookctl_plugins.auth.signing import standard_webhooks

    return standard_webhooks(settings)


def _build_hmac(settings: Settings, context: AuthContext) -> AuthBase:  # noqa: ARG001 - as AuthType.build
    from hookctl_plugins.auth.signing import hmac

    return hmac(settings)


def _adds_standard_webhooks(settings: Mapping[str, Json]) -> Mapping[str, str]:
    signatures = [f"{version},***" for name, version in _VERSIONS if name in settings]
    return {"webhook-signature": " ".join(signatures)}


def _warnings_standard_webhooks(settings: Settings) -> Sequence[str]:
    from hookctl_plugins.auth.signing import short_keys

    return short_keys(settings)


def _adds_hmac(settings: Mapping[str, Json]) -> Mapping[str, str]:
    from hookctl_plugins.auth.recipes import headers_of

    return headers_of(settings)


def _problems_hmac(settings: Mapping[str, Json]) -> Mapping[str, Problem]:
    from hookctl_plugins.auth.recipes import problems_of

    return problems_of(settings)


def _expand_hmac(settings: Mapping[str, Json]) -> Mapping[str, Json]:
    from hookctl_plugins.auth.recipes import expanded

    return expanded(settings)


def _warnings_hmac(settings: Settings) -> Sequence[str]:
    from hookctl_plugins.auth.signing import short_keys

    return short_keys(settings) if settings.get("key_encoding") == "whsec" else ()


_VERSIONS = (("secret", "v1"), ("previous_secret", "v1"), ("ed25519_key", "v1a"))
"""The settings that make a signature, and its version."""
