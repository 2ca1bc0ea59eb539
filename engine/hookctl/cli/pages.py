"""The documentation's pages that hookctl ships: in a wheel inside the package, in a checkout at the top level."""

from __future__ import annotations

from pathlib import Path


def topics() -> list[str]:
    """The names of the pages, such as ``settings`` for ``settings.md``."""
    folder = _folder()
    return sorted(path.stem for path in folder.glob("*.md")) if folder else []


def page(topic: str) -> str:
    """The page of a topic, in Markdown. ``topic`` is one of :func:`topics`."""
    folder = _folder()
    if folder is None:
        raise FileNotFoundError(f"hookctl ships no page {topic}")
    return (folder / f"{topic}.md").read_text(encoding="utf-8")


def _folder() -> Path | None:
    package = Path(__file__).parents[1]
    places = (package / "docs", package.parents[1] / "docs")
    return next((place for place in places if (place / "settings.md").is_file()), None)
