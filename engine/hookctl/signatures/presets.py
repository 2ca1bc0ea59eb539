"""The recipes of well-known systems."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hookctl.signatures.recipe import Recipe

STANDARD_WEBHOOKS = Recipe(
    header="webhook-signature",
    key="whsec",
    content="{id}.{timestamp}.{body}",
    format="v1,{signature}[ v1,{signature}]",
    encoding="base64",
    timestamp_header="webhook-timestamp",
    id_header="webhook-id",
)
"""Version v1 of the Standard Webhooks specification."""
STANDARD_WEBHOOKS_ED25519 = Recipe(
    header="webhook-signature",
    algorithm="ed25519",
    key="whsk",
    content="{id}.{timestamp}.{body}",
    format="v1a,{signature}[ v1a,{signature}]",
    encoding="base64",
    timestamp_header="webhook-timestamp",
    id_header="webhook-id",
)
"""Version v1a. To verify, use the key decoding ``whpk``."""
PRESETS: Mapping[str, Recipe] = MappingProxyType(
    {
        "github": Recipe(header="X-Hub-Signature-256", format="sha256={signature}"),
        "stripe": Recipe(
            header="Stripe-Signature",
            content="{timestamp}.{body}",
            format="t={timestamp},v1={signature}[,v1={signature}]",
        ),
        "slack": Recipe(
            header="X-Slack-Signature",
            content="v0:{timestamp}:{body}",
            format="v0={signature}",
            timestamp_header="X-Slack-Request-Timestamp",
        ),
        "shopify": Recipe(header="X-Shopify-Hmac-Sha256", encoding="base64"),
        "twilio": Recipe(
            header="X-Twilio-Signature",
            algorithm="sha1",
            content="{url}{parameters}",
            encoding="base64",
            body_hash_parameter="bodySHA256",
        ),
        "convoy": Recipe(
            header="X-Convoy-Signature",
            content="{timestamp},{body}",
            format="t={timestamp},v1={signature}[,v1={signature}]",
        ),
        "outpost": Recipe(header="x-outpost-signature", format="v0={signature}[,{signature}]"),
        "grafana": Recipe(header="X-Grafana-Alerting-Signature"),
    }
)
"""By the name that the setting ``preset`` of the auth ``hmac`` takes."""
