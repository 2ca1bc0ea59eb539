"""What each body format does with a template: where its expressions stand, its proof, and how it is rendered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hookctl.model import BodyFormat
from hookctl.model.problem import Filter
from hookctl.template.formats.ndjson import compile_lines, lay_out_lines
from hookctl.template.formats.text import lay_out_text
from hookctl.template.formats.xml import lay_out_xml
from hookctl.template.language.expressions import Node
from hookctl.template.proof.positions import Layout, Position, lay_out
from hookctl.template.rendering.body_template import BodyTemplate, compile_nodes

FORM_TYPE = "application/x-www-form-urlencoded"
"""The ``Content-Type`` of a form."""


@dataclass(frozen=True, slots=True)
class Format:
    """One body format."""

    content_type: str
    """The ``Content-Type`` of its bodies."""
    lay_out: Callable[[Sequence[Node], str], Layout]
    """The positions and problems of a template. Raises TemplateError for one that cannot be read in this format."""
    compile: Callable[[Sequence[Node], Mapping[int, Position], str, Mapping[str, Filter]], BodyTemplate] = compile_nodes
    """The body template of nodes that passed every check."""


FORMATS: Mapping[BodyFormat, Format] = {
    BodyFormat.JSON: Format("application/json", lay_out),
    BodyFormat.NDJSON: Format("application/x-ndjson", lay_out_lines, compile_lines),
    BodyFormat.TEXT: Format("text/plain; charset=utf-8", lay_out_text),
    BodyFormat.XML: Format("application/xml", lay_out_xml),
}
