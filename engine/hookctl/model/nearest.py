"""Did you mean: the names that a misspelled one may have been meant for."""

from __future__ import annotations

from collections.abc import Iterable

from hookctl.errors import UnknownWebhookError

ALIKE = 0.6
"""How alike two names must be, from 0 to 1."""
MOST = 3


def nearest(word: object, known: Iterable[str], *, alike: float = ALIKE) -> tuple[str, ...]:
    """Up to three of ``known`` that look like ``word``, nearest first, compared without case.

    ``alike`` is higher where all names are made of a few characters, as ids are, and so look alike by chance.
    """
    from difflib import get_close_matches  # it is needed only once something is misspelled

    by_folded = {name.casefold(): name for name in known}
    return tuple(by_folded[match] for match in get_close_matches(str(word).casefold(), by_folded, n=MOST, cutoff=alike))


def unknown_webhook(name: str, known: Iterable[str]) -> UnknownWebhookError:
    """The error for a name that no webhook has, with the names that it may have been meant for."""
    known = tuple(known)
    near = [other for other in known if other.casefold().startswith(name.casefold())][:MOST] or nearest(name, known)
    hint = f"Did you mean {', '.join(near)}?" if near else "See `hookctl list`."
    return UnknownWebhookError(f"there is no webhook named {name!r}", hint=hint)
