"""The body of a delivery plan: compiled from its template or its form, with the ``Content-Type`` that it has."""

from __future__ import annotations

from collections.abc import Mapping

from hookctl.model import DeliveryPlan
from hookctl.model.problem import Filter
from hookctl.model.secret import Resolve
from hookctl.template.body import compile_body
from hookctl.template.formats.form import FormTemplate, compile_form
from hookctl.template.formats.table import CONTENT_TYPES, FORM_TYPE
from hookctl.template.rendering.body_template import BodyTemplate


def compile_request_body(
    plan: DeliveryPlan, filters: Mapping[str, Filter], resolve: Resolve | None = None
) -> BodyTemplate | FormTemplate | None:
    """What renders the bodies of a delivery plan; None if it sends none.

    Its secrets are those that ``resolve`` gives; without it, each is ``***``. Raises TemplateError, and what
    ``resolve`` raises.
    """
    if plan.form is not None:
        return compile_form(plan.form, filters, resolve)
    return None if plan.body_template is None else compile_body(plan.body_template, filters, plan.body_format, resolve)


def content_type(plan: DeliveryPlan) -> str | None:
    """The ``Content-Type`` of a delivery plan's bodies, unless its author sets one; None if it sends none."""
    if plan.form is not None:
        return FORM_TYPE
    return None if plan.body_template is None else CONTENT_TYPES[plan.body_format]
