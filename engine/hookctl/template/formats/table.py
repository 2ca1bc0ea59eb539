"""What each body format does with a template: where its expressions are, its proof, and how it is rendered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hookctl.model import BodyFormat
from hookctl.model.problem import Filter
from hookctl.model.secret import Resolve
from hookctl.template.language.expressions import Node
from hookctl.template.proof.positions import Layout, Position, lay_out
from hookctl.template.proof.references import split_references
from hookctl.template.rendering.body_template import BodyTemplate, compile_nodes

FORM_TYPE = "application/x-www-form-urlencoded"
"""The ``Content-Type`` of a form."""


CONTENT_TYPES: Mapping[BodyFormat, str] = {
    BodyFormat.JSON: "application/json",
    BodyFormat.NDJSON: "application/x-ndjson",
    BodyFormat.TEXT: "text/plain; charset=utf-8",
    BodyFormat.XML: "application/xml",
}
"""The ``Content-Type`` of each format."""


Compile = Callable[[Sequence[Node], Mapping[int, Position], str, Mapping[str, Filter], Resolve | None], BodyTemplate]
"""Nodes, their positions, the text, the filters, and what resolves secret references; without it, each is ``***``."""


@dataclass(frozen=True, slots=True)
class Format:
    """One body format."""

    lay_out: Callable[[Sequence[Node], str], Layout]
    """The positions and problems of a template. Raises TemplateError for one that cannot be read in this format."""
    compile: Compile = compile_nodes
    """The body template of nodes that passed every check."""
    split: Callable[[Sequence[Node]], tuple[Node, ...]] = split_references
    """The nodes with each secret reference as an output, wherever an expression can be."""


_JSON = Format(lay_out)


def format_of(body_format: BodyFormat) -> Format:
    """The format of that name. What only some webhooks need is imported here, because it takes milliseconds."""
    if body_format is BodyFormat.JSON:
        return _JSON
    if body_format is BodyFormat.NDJSON:
        from hookctl.template.formats.ndjson import compile_lines, lay_out_lines

        return Format(lay_out_lines, compile_lines)
    if body_format is BodyFormat.XML:
        from hookctl.template.formats.xml import lay_out_xml, split_outside_markup

        return Format(lay_out_xml, split=split_outside_markup)
    from hookctl.template.formats.text import lay_out_text

    return Format(lay_out_text)
