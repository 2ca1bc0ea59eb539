"""The root of the user's repository."""

from __future__ import annotations

from pathlib import Path


def repository_root() -> Path:
    """The nearest directory, from this one upwards, with a ``.git`` in it; without one, this directory."""
    here = Path.cwd()
    return next((directory for directory in (here, *here.parents) if (directory / ".git").exists()), here)
