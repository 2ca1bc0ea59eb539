"""The schemes by which a receiver can verify: those that hookctl signs by, and how to recognize them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from hookctl.signatures.presets import PRESETS, STANDARD_WEBHOOKS, STANDARD_WEBHOOKS_ED25519
from hookctl.signatures.recipe import Recipe

SCHEMES: Mapping[str, Recipe] = MappingProxyType(
    {
        "standard_webhooks": STANDARD_WEBHOOKS,
        "svix": replace(
            STANDARD_WEBHOOKS, header="svix-signature", timestamp_header="svix-timestamp", id_header="svix-id"
        ),
        **PRESETS,
    }
)
"""The recipes by the names that ``hookctl verify --scheme`` takes."""


def scheme_of(header_names: Iterable[str]) -> str:
    """The scheme whose signature header is among ``header_names``; empty if none or several are."""
    present = {name.lower() for name in header_names}
    found = [name for name, recipe in SCHEMES.items() if recipe.header.lower() in present]
    return found[0] if len(found) == 1 else ""


def with_public_key(recipe: Recipe, secret: str) -> Recipe:
    """The recipe for ``secret``: that of ed25519 if the secret is such a key of Standard Webhooks."""
    if recipe.content != STANDARD_WEBHOOKS.content or recipe.key != "whsec" or secret[:5] not in {"whpk_", "whsk_"}:
        return recipe
    return replace(
        STANDARD_WEBHOOKS_ED25519,
        key="whpk" if secret.startswith("whpk_") else "whsk",
        header=recipe.header,
        timestamp_header=recipe.timestamp_header,
        id_header=recipe.id_header,
    )
