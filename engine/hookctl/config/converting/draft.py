"""A webhook on its way from the file of another tool to a file of hookctl."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from hookctl.config.converting.blocks import Converted
from hookctl.model import Finding, Json
from hookctl.model.finding import brief
from hookctl.model.rules.conversions import IMPORT_LEFT_OUT, IMPORT_UNCONVERTED
from hookctl.model.source import SourceFile, Span

MAX_NAME = 64
"""The characters of a webhook's name."""
SEARCHED = 20_000
"""The characters from the name of a field on in which a part of its value is looked for."""
_FIX = "Write it in the file by hand, with the filters of `hookctl explain templates`."
_NAME = re.compile(r"[A-Za-z0-9]+(?:[ _-][A-Za-z0-9]+)*")


@lru_cache(maxsize=4)
def _starts(text: str) -> list[int]:
    """Where each line begins."""
    return [0, *(found.end() for found in re.finditer("\n", text))]


@dataclass(slots=True)
class Draft:
    """One webhook that was read. Its fields are those of a webhook file, and may still hold secrets."""

    name: str
    """A valid name, made from what the source calls it."""
    source: SourceFile
    span: Span | None = None
    """The webhook in its source; None where it is not known."""
    fields: dict[str, Json] = field(default_factory=dict)
    """The fields of the webhook file, except its name."""
    spans: dict[str, Span] = field(default_factory=dict)
    """Where the source has what a field is made of."""
    notes: list[str] = field(default_factory=list)
    """Sentences for the reader of the file. They are written as comments at its top."""
    findings: list[Finding] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    """Fields that a converter could not convert as a whole. What else is wrong with them follows from that."""

    def put(self, name: str, value: Json, span: Span | None = None) -> None:
        """Set a field, unless the value is None."""
        if value is None:
            return
        self.fields[name] = value
        if span:
            self.spans[name] = span

    def header(self, name: str, value: str, span: Span | None = None) -> None:
        """Add a header."""
        headers = self.fields.setdefault("headers", {})
        if isinstance(headers, dict):
            headers[name] = value
        if span:
            self.spans.setdefault("headers", span)

    def auth(self, span: Span | None = None, /, **block: Json) -> None:
        """Add a block of auth after those that exist."""
        blocks = self.fields.get("auth")
        blocks = [*blocks, block] if isinstance(blocks, list) else [blocks, block] if blocks else block
        self.put("auth", blocks, span)

    def template(self, converted: Converted, field: str) -> None:
        """Report what a converter left as it is in a field, at its place if the source has it once."""
        span = self.spans.get(field, self.span)
        if converted.unknown:
            self.broken.add(field)
        for one in converted.unknown:
            what = f"{brief(one.text)} has no counterpart" if one.text else "a block is not closed, or it is too large"
            self.unconverted(f"the template is not converted as a whole: {what}", _FIX, self._place(one.text, span))

    def _place(self, text: str, around: Span | None) -> Span | None:
        """Where the source has a text of one line, from the beginning of a span on; the span if it is not there once.

        Only so much is searched that the cost of all texts of a source is linear.
        """
        if not text or "\n" in text or around is None:
            return around
        source, starts = self.source.text, _starts(self.source.text)
        first = starts[min(around.line, len(starts)) - 1] + around.column - 1
        end = starts[min(around.end_line, len(starts)) - 1] + around.end_column - 1
        end = end if around.end_line > around.line else max(end, first + SEARCHED)
        if source.count(text, first, end) != 1:
            return around
        at = source.index(text, first, end)
        line = bisect_right(starts, at)
        column = at - starts[line - 1] + 1
        return Span(line, column, line, column + len(text))

    def unconverted(self, what: str, fix: str, span: Span | None = None) -> None:
        """Report an error: the file needs a person's work."""
        self.findings.append(
            IMPORT_UNCONVERTED.finding(what=what, fix=fix, file=self.source, span=span or self.span, webhook=self.name)
        )

    def left_out(self, what: str, fix: str, span: Span | None = None) -> None:
        """Report a warning: the webhook works, but differs."""
        self.findings.append(
            IMPORT_LEFT_OUT.finding(what=what, fix=fix, file=self.source, span=span or self.span, webhook=self.name)
        )


def webhook_name(text: object, fallback: str) -> str:
    """A valid webhook name like ``text``: of other characters, each run becomes one space."""
    words = re.sub(r"[^A-Za-z0-9_ -]+", " ", text if isinstance(text, str) else "")
    words = re.sub(r"([ _-])[ _-]+", r"\1", words).strip(" _-")[:MAX_NAME].rstrip(" _-")
    return words if _NAME.fullmatch(words) else fallback


def without_empty(values: Mapping[str, Json]) -> dict[str, Json]:
    """The entries whose value is not None, an empty text, an empty list or an empty object."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}
