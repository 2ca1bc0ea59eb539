"""Paths into JSON values, as steps and as text."""

from __future__ import annotations

Step = str | int
"""One step of a path: an object's key or a list's index (negative ones count from the end)."""


def path_text(root: str, steps: tuple[Step, ...]) -> str:
    """A path as an author would write it: ``data.groups[0]["a-b"]``."""
    text = root
    for step in steps:
        text += (
            f".{step}"
            if isinstance(step, str) and step.isidentifier()
            else f'["{step}"]'
            if isinstance(step, str)
            else f"[{step}]"
        )
    return text
