"""Masks secrets in text from outside, in every encoding that repeats them."""

from __future__ import annotations

from collections.abc import Iterable


def mask_secrets(text: str, secrets: Iterable[str]) -> str:
    """``text`` with ``secrets`` shown as ``***``, in whatever encoding it repeats them.

    Call it before you shorten the text.

    Secrets of fewer than six characters are not looked for.
    """
    from hookctl.masking.masker import Masker  # its patterns take a while to compile, and most commands mask nothing

    return Masker(secrets).text(text)
