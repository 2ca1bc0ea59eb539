"""Ignores ``SSLKEYLOGFILE``: a reader of that file could decrypt credentials in recorded traffic."""

from __future__ import annotations

import os


def ignore_key_log() -> None:
    """Remove the variable from this process's environment, because libcurl has no option to ignore it.

    Call this before libcurl is loaded: some versions read the variable then, others at the first connection.
    """
    os.environ.pop("SSLKEYLOGFILE", None)
