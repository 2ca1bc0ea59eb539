"""The text of a schema, and findings about its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hookctl.config.load.positions import Lines
from hookctl.json.positions import locate
from hookctl.model import Finding, Json, Pointer, SourceFile, Span
from hookctl.model.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class SchemaText:
    """A file, and the schema in it."""

    file: SourceFile
    schema: Mapping[str, Json]
    lines: Lines = field(init=False)

    def __post_init__(self) -> None:
        """Prepare the lines, which are found when a finding needs them."""
        object.__setattr__(self, "lines", Lines(self.file))

    def span_at(self, offset: int) -> Span:
        """The span of one character."""
        return self.lines.span(offset, offset + 1)

    def finding(
        self, rule: Rule, pointer: Pointer, variant: str = "", *, at_key: bool = False, **fields: object
    ) -> Finding:
        """The finding of a rule about the value, or the key, at a place in the schema."""
        place = locate(self.file.text, pointer)
        if at_key:
            span = self.lines.span(place.key_start, place.key_end)
        else:
            first_line = self.file.text.find("\n", place.start)
            end = place.end if first_line < 0 else min(place.end, max(first_line, place.start + 1))
            span = self.lines.span(place.start, end)
        return rule.finding(variant, file=self.file, span=span, **fields)  # type: ignore[arg-type]  # the fields of its message
