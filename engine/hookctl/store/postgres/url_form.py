"""The form of a store's URL. It is checked before anything takes the URL apart.

A password with an unescaped special character moves into the host, the database or a parameter, which messages of
hookctl and of libpq name.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from hookctl.errors import SettingsError

_HOST = r"(?:\[[^\]/?@]*\]|[\w.~%-]*)(?::\d*)?"
FORM = re.compile(rf"\w+://(?:[^/?@]*@)?{_HOST}(?:,{_HOST})*(?:/[^?@]*)?(?:\?(?:\w*(?:=[^&]*)?(?:&|$))*)?")
SEPARATORS = re.compile(r"[\s#]")


def refuse_special(url: str) -> None:
    """Raise SettingsError, which names no part of the URL, if a character in it must be percent-encoded."""
    if FORM.fullmatch(url) and not SEPARATORS.search(url):
        try:
            urlsplit(url)
        except ValueError:
            pass  # a character that could be taken for another one
        else:
            return
    raise SettingsError(
        "the store's URL cannot be read",
        hint="Write postgresql://USER@HOST/DATABASE, and percent-encode what is special in the user, the password and "
        "the values of parameters: %2F for /, %40 for @, %23 for #, %3F for ?.",
    )
