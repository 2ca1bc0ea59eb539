"""Templates: bodies, headers and URLs in Jinja's syntax, checked against the event's schema.

A value of an event can never change the structure of the request around it; see docs/templates.md.
"""

from hookctl.model.problem import Filter, Problem
from hookctl.template.body import Decision, check_body, compile_body, describe_body, describe_field
from hookctl.template.fields.line_check import check_text
from hookctl.template.fields.reads import EventFields, paths_of
from hookctl.template.formats.form import FormTemplate
from hookctl.template.formats.table import CONTENT_TYPES, FORM_TYPE
from hookctl.template.language.line_syntax import blanked, has_expression
from hookctl.template.proof.positions import Position
from hookctl.template.rendering.body_template import BodyTemplate
from hookctl.template.rendering.line import TextTemplate, compile_text
from hookctl.template.request_body import compile_request_body, content_type

__all__ = [
    "CONTENT_TYPES",
    "FORM_TYPE",
    "BodyTemplate",
    "Decision",
    "EventFields",
    "Filter",
    "FormTemplate",
    "Position",
    "Problem",
    "TextTemplate",
    "blanked",
    "check_body",
    "check_text",
    "compile_body",
    "compile_request_body",
    "compile_text",
    "content_type",
    "describe_body",
    "describe_field",
    "has_expression",
    "paths_of",
]
