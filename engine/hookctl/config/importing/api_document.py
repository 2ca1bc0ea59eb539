"""A description of an API: its content, and the places of its parts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hookctl.config.load.composer import compose
from hookctl.config.load.construct import Construction
from hookctl.config.load.positions import DocumentPositions, Lines
from hookctl.json.paths import pointer_steps
from hookctl.json.positions import locate
from hookctl.json.strict import AmbiguousJsonError, parse
from hookctl.model import Finding, Json, Pointer, Problem, SourceFile, Span
from hookctl.model.rules.imports import IMPORT_UNREADABLE
from hookctl.model.rules.rule import Rule

MAX_BYTES = 16 * 1024 * 1024
MAX_REFERENCES = 20
"""The references that are followed one after the other."""


@dataclass(frozen=True, slots=True)
class ApiDocument:
    """A file that was read."""

    file: SourceFile
    content: Mapping[str, Any]
    is_json: bool
    lines: Lines

    def finding(self, rule: Rule, pointer: Pointer, **fields: str) -> Finding:
        """The finding of a rule about the key at a place."""
        return rule.finding(file=self.file, span=self._span(pointer), **fields)

    def at(self, pointer: Pointer) -> Any:
        """The value at a place; None if there is none."""
        value: Any = self.content
        for step in pointer:
            if isinstance(value, dict):
                value = value.get(str(step))
            elif isinstance(value, list) and str(step).isdecimal() and int(step) < len(value):
                value = value[int(step)]
            else:
                return None
        return value

    def resolved(self, pointer: Pointer) -> tuple[Pointer, Any]:
        """The place and the value that the references at a place lead to; the value is None if they lead nowhere."""
        value = self.at(pointer)
        for _ in range(MAX_REFERENCES):
            reference = value.get("$ref") if isinstance(value, dict) else None
            if not isinstance(reference, str):
                return pointer, value
            if not reference.startswith("#/"):
                return pointer, None
            pointer = tuple(pointer_steps(reference))
            value = self.at(pointer)
        return pointer, None

    def _span(self, pointer: Pointer) -> Span:
        if not self.is_json:
            return DocumentPositions(self.lines, 0, len(self.file.text)).key(pointer)
        place = locate(self.file.text, tuple(int(step) if str(step).isdecimal() else step for step in pointer))
        return self.lines.span(place.key_start, place.key_end)


def read_document(path: str, data: bytes) -> ApiDocument | Finding:
    """The document in a file, JSON or YAML; a finding if it is neither."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return IMPORT_UNREADABLE.finding(file=SourceFile(path, ""), why="the file is not UTF-8 text")
    file = SourceFile(path, text)
    lines = Lines(file)
    is_json = text.lstrip()[:1] == "{"
    try:
        content = parse(text, max_depth=200) if is_json else _yaml(text)
    except json.JSONDecodeError as error:
        span = lines.span(error.pos, error.pos + 1)
        return IMPORT_UNREADABLE.finding(file=file, span=span, why=f"the file is not valid JSON: {error.msg}")
    except AmbiguousJsonError as error:
        return IMPORT_UNREADABLE.finding(file=file, why=f"the file is not valid JSON: {error}")
    if isinstance(content, Problem):
        span = lines.span(content.start, content.end)
        return IMPORT_UNREADABLE.finding(file=file, span=span, why=content.message)
    if not isinstance(content, dict):
        return IMPORT_UNREADABLE.finding(file=file, why="the file is not a description of an API")
    return ApiDocument(file, content, is_json, lines)


def _yaml(text: str) -> Json | Problem:
    """The value of a YAML document. Keys that are numbers, as of responses, and what is ambiguous are left out."""
    root = compose(text)
    if root is None or isinstance(root, Problem):
        return root
    return Construction(text, root, lambda _: 0).value
