"""Where the user's repository begins, and where results are cached outside it."""

from __future__ import annotations

import os
from pathlib import Path


def repository_root() -> Path:
    """The nearest directory, from this one upwards, with a ``.git`` in it; without one, this directory."""
    here = Path.cwd()
    return next((directory for directory in (here, *here.parents) if (directory / ".git").exists()), here)


def cache_folder() -> Path | None:
    """``$XDG_CACHE_HOME/hookctl``, or ``~/.cache/hookctl``; None without such a place, or if it is in the repository.

    The author of a repository could forge the results in it.
    """
    caches, home = os.environ.get("XDG_CACHE_HOME", ""), os.environ.get("HOME", "")
    if not caches.startswith("/"):  # the XDG standard says to ignore relative paths
        if not home.startswith("/"):
            return None
        caches = f"{home}/.cache"
    folder = Path(os.path.realpath(f"{caches}/hookctl"))
    return None if folder.is_relative_to(os.path.realpath(repository_root())) else folder
