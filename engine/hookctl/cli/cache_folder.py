"""Where results of checks are kept: in the user's cache, and never in a repository, whose author could forge them."""

from __future__ import annotations

import os
from pathlib import Path

from hookctl.cli.repository import repository_root


def cache_folder() -> Path | None:
    """``$XDG_CACHE_HOME/hookctl``, or ``~/.cache/hookctl``; None if neither is set, or if it is in the repository."""
    caches, home = os.environ.get("XDG_CACHE_HOME", ""), os.environ.get("HOME", "")
    if not caches.startswith("/"):  # the XDG standard says to ignore relative paths
        if not home.startswith("/"):
            return None
        caches = f"{home}/.cache"
    folder = Path(os.path.realpath(f"{caches}/hookctl"))
    return None if folder.is_relative_to(os.path.realpath(repository_root())) else folder
