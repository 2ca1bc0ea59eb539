"""A page of the documentation for a terminal: links become commands, and text and tables fit its width."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import partial
from itertools import groupby

from hookctl.report.style import heading
from hookctl.report.text.columns import wrap
from hookctl.report.text.table import table

_CODE = re.compile(r"(^ *```.*?^ *```$)", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[((?:`[^`]*`|[^\[\]`])*)\]\(([^()\s]+)\)")
_ITEM = re.compile(r" *(?:- |\d+\. )?")
_BAR = re.compile(r"(?<!\\)\|")


def page_text(markdown: str, topics: Collection[str], *, width: int = 0, color: bool = False) -> str:
    """The page in Markdown, with links to other pages as the commands that show them.

    Args:
        markdown: the page.
        topics: the names of all pages.
        width: the terminal's, in columns, for paragraphs, lists and tables. 0 keeps the lines as they are.
        color: whether to print headings in bold.
    """
    parts = _CODE.split(markdown)  # every second one is code, which stays as it is
    for at in range(0, len(parts), 2):
        prose = _LINK.sub(partial(_shown_link, topics), parts[at])
        parts[at] = "\n".join(_laid_out(prose.split("\n"), width, color)) if width else prose
    return "".join(parts)


def _shown_link(topics: Collection[str], link: re.Match[str]) -> str:
    text, target = link.groups()
    if "://" in target:
        return f"{text} ({target})"
    page, _, section = target.partition("#")
    topic = section if page == "rules.md" and section else page.removesuffix(".md")
    is_shown = topic in topics or topic == section != ""
    return f"{text} (hookctl explain {topic})" if is_shown and page else text


def _laid_out(lines: list[str], width: int, color: bool) -> Iterator[str]:
    """The lines of prose: each paragraph and each item of a list wrapped, each table as wide as the terminal."""
    for is_table, block in groupby(lines, key=lambda line: line.startswith("|")):
        if is_table:
            titles, _, *rows = ([_cell(cell) for cell in _BAR.split(line.strip()[1:-1])] for line in block)
            yield from table(rows, headings=titles, width=width, color=color)
            continue
        paragraph: list[str] = []
        for line in block:
            is_heading, is_item = line.startswith("#"), line.lstrip().startswith("- ") or _is_numbered(line)
            if not line or is_heading or is_item:
                yield from _wrapped(paragraph, width)
                paragraph = []
            if not line or is_heading:
                yield heading(line, color) if line else line
            else:
                paragraph.append(line)
        yield from _wrapped(paragraph, width)


def _is_numbered(line: str) -> bool:
    return re.match(r" *\d+\. ", line) is not None


def _wrapped(paragraph: list[str], width: int) -> Iterator[str]:
    """A paragraph or an item, whose further lines stand below the text of the first."""
    if paragraph:
        first = _ITEM.match(paragraph[0])
        start = first[0] if first else ""
        text = " ".join(line.strip() for line in paragraph).removeprefix(start.lstrip())
        for number, line in enumerate(wrap(text, max(width - len(start), 2))):
            yield (" " * len(start) if number else start) + line


def _cell(text: str) -> str:
    return text.strip().replace("\\|", "|")
