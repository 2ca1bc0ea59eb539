"""Masks secrets in text from outside, in every encoding that may repeat them."""

from __future__ import annotations

from collections.abc import Iterable


def mask_secrets(text: str, secrets: Iterable[str]) -> str:
    """``text`` with ``secrets`` shown as ``***``, in any encoding that may repeat them.

    Call it before you shorten the text. Secrets of fewer than six characters are not masked.
    """
    # imported here, because its patterns take a while to compile, and most commands mask nothing
    from hookctl.masking.masker import Masker

    return Masker(secrets).text(text)
