"""XML: each expression is escaped as text or as an attribute's value, and the document is proved to be well-formed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hookctl.template.language.expressions import Node
from hookctl.template.proof.conditions import tracked_atoms
from hookctl.template.proof.positions import Layout, located
from hookctl.template.proof.references import split_references
from hookctl.template.proof.structure import ProofBudget
from hookctl.template.proof.xml_structure import XmlProver
from hookctl.template.proof.xml_tokens import XmlReader

_WHOLE = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)", re.DOTALL)
"""Also without an end, which is an error: so that none is looked for again from each of many beginnings."""


def lay_out_xml(nodes: Sequence[Node], text: str) -> Layout:
    """Decide every position, and prove that the template gives well-formed XML on every way through it.

    Raises:
        TemplateError: its text is not XML, a start tag begins in a branch and ends outside, or there are too many ways
            through the template to follow them all.
    """
    reader = XmlReader()
    tokens = reader.read(nodes)
    prover = XmlProver(tracked_atoms(nodes), text, ProofBudget(text), reader.elements)
    prover.run(tokens, len(text))
    problems = [located(failure, way, never=False) for failure, way in prover.failures]
    return Layout(reader.positions, problems)


def split_outside_markup(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """As :func:`split_references`, without those in comments and CDATA, which are one piece of text without escapes."""
    return split_references(nodes, _WHOLE)
