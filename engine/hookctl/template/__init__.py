"""Templates: JSON bodies, headers and URLs in Jinja's syntax, and ``when`` in JMESPath, checked against the event's schema.

An event's value can never change the structure of the JSON around it; see docs/templates.md.
"""

from hookctl.template.body import Decision, check_body, compile_body, describe_body
from hookctl.template.line import TextTemplate, compile_text
from hookctl.template.line_check import check_text
from hookctl.template.line_syntax import blanked, has_expression
from hookctl.template.never import why_never
from hookctl.template.positions import Position
from hookctl.template.problems import Filter, TemplateProblem
from hookctl.template.reach import Reach
from hookctl.template.reads import EventFields, paths_of
from hookctl.template.rendering import BodyTemplate
from hookctl.template.when import When, check_when, compile_when, when_outline

__all__ = [
    "BodyTemplate",
    "Decision",
    "EventFields",
    "Filter",
    "Position",
    "Reach",
    "TemplateProblem",
    "TextTemplate",
    "When",
    "blanked",
    "check_body",
    "check_text",
    "check_when",
    "compile_body",
    "compile_text",
    "compile_when",
    "describe_body",
    "has_expression",
    "paths_of",
    "when_outline",
    "why_never",
]
