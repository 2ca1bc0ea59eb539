"""Filters on deliveries, as the options of commands."""

from __future__ import annotations

from dataclasses import fields
from shlex import quote

from hookctl.delivery.past.selection import Selection
from hookctl.report.text.moments import iso


def options_text(selection: Selection) -> str:
    """The filters that were given, as options: for a command, and for the audit log."""
    given = {one.name.replace("_", "-"): getattr(selection, one.name) for one in fields(selection)}
    texts = {name: iso(value) if isinstance(value, float) else str(value) for name, value in given.items()}
    return " ".join(f"--{name} {quoted(texts[name])}" for name, value in given.items() if value is not None)


def quoted(text: str) -> str:
    """A word of a command line as people write it: in double quotes if it needs quotes and a shell keeps all of it."""
    plain = quote(text)
    return plain if plain == text or any(one in text for one in '"$`\\!') else f'"{text}"'
