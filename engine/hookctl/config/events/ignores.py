"""Finds the ``$comment`` keywords in which authors of event types ignore warnings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from hookctl.config.events.subschemas import parts_of
from hookctl.config.events.text import SchemaText
from hookctl.config.load.ignores import MAX_IGNORES, read_comment
from hookctl.json.positions import locate
from hookctl.json.strict import parse
from hookctl.model import Ignore, SourceFile

_COMMENT = re.compile(r"[ \t]*hookctl:[ \t]*ignore(?![\w-])")


def find_ignores(path: str, content: bytes) -> tuple[SourceFile, tuple[Ignore, ...]]:
    """A file without errors, and its comments, each of which covers the schema that it is in.

    The comments are in no order; there is one more than ``MAX_IGNORES`` at most.
    """
    text = content.decode()
    value = parse(text)
    schema = SchemaText(SourceFile(path, text), value if isinstance(value, dict) else {})
    return schema.file, tuple(islice(_ignores(schema), MAX_IGNORES + 1))


def _ignores(schema: SchemaText) -> Iterator[Ignore]:
    text, lines = schema.file.text, schema.lines
    for pointer, part in parts_of(schema).items():
        comment = part.get("$comment")
        if not isinstance(comment, str) or not _COMMENT.match(comment):
            continue
        place, whole = locate(text, (*pointer, "$comment")), locate(text, pointer)
        span = lines.span(place.start, place.end)
        first, last = lines.span(whole.key_start, whole.key_end).line, lines.span(whole.end, whole.end).line
        names, reason = read_comment(f"# {comment.strip()}")
        yield Ignore(tuple((name, span) for name in names), reason, span, first, last)
