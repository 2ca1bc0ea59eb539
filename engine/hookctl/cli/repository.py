"""Where the user's repository begins."""

from __future__ import annotations

from pathlib import Path


def repository_root() -> Path:
    """The nearest directory, here or above, that git keeps; without one, this directory."""
    here = Path.cwd()
    return next((directory for directory in (here, *here.parents) if (directory / ".git").exists()), here)
