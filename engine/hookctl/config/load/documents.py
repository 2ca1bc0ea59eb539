"""Splits the text of a file into its documents, so that an error in one document does not hide findings in the others.

A line that begins with ``---`` or ``...`` ends a document, even inside quotes and block scalars, so it is enough to
look at the beginning of each line.
"""

from __future__ import annotations

import re

_START = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_END = re.compile(r"^\.\.\.(?=[ \t\r\n]|\Z)[^\n]*\n?", re.MULTILINE)
_CONTENT = re.compile(r"^[A-Za-z]", re.MULTILINE)
"""Matches in nearly every document that has content, and never in one that has none."""


def split_documents(text: str) -> list[tuple[int, int]]:
    """The start and end of each document, as offsets in characters.

    Comments and directives before a ``---`` belong to the document that it starts.
    """
    if "---" not in text and "..." not in text:
        return [(0, len(text))] if _CONTENT.search(text) or not _has_no_content(text) else []
    cuts = {0, len(text)}
    if "---" in text:
        cuts.update(match.start() for match in _START.finditer(text))
    if "..." in text:
        cuts.update(match.end() for match in _END.finditer(text))
    documents: list[tuple[int, int]] = []
    start, *ends = sorted(cuts)
    for end in ends:
        if not _has_no_content(text[start:end]):
            documents.append((start, end))
        elif text.startswith("---", end):
            continue  # comments and directives of the next document
        start = end
    return documents


def _has_no_content(text: str) -> bool:
    return all(
        line.startswith("%") or line.rstrip() == "..." or line.lstrip(" \t\r")[:1] in ("", "#")
        for line in text.split("\n")
    )
