"""``SSLKEYLOGFILE`` is ignored: whoever has the session keys in that file can read credentials in recorded traffic."""

from __future__ import annotations

import os


def ignore_key_log() -> None:
    """Take the variable out of this process's environment: libcurl has no option to ignore it.

    To be called before libcurl is loaded, since some versions look at it then, and others at the first connection.
    """
    os.environ.pop("SSLKEYLOGFILE", None)
