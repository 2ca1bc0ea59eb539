"""Renders the request for an event from only the delivery plan: resolves no secret and applies no auth."""

from __future__ import annotations

import time
from collections.abc import Mapping

from hookctl._version import __version__
from hookctl.delivery.attempt.head import compile_head, own_headers, static_headers
from hookctl.model import DeliveryPlan, Json, Request
from hookctl.model.secret import mask
from hookctl.plugin.calls import Plugins
from hookctl.template import compile_request_body

USER_AGENT = f"hookctl/{__version__}"


def render_request(
    plan: DeliveryPlan, document: Mapping[str, Json], plugins: Plugins, delivery_id: str, at: float | None = None
) -> Request:
    """The request for an event, with each secret reference shown as ``***`` and without auth.

    Args:
        plan: The webhook's delivery plan; it need not be applied.
        document: The whole event.
        plugins: Provides template filters.
        delivery_id: The value of ``webhook-id``.
        at: The time for ``webhook-timestamp``, in epoch seconds; None: now.

    Raises:
        TemplateError: The body template, the form, or an expression in URL or headers, cannot be compiled.
        RenderError: One of them cannot be rendered for this event.
    """
    body = compile_request_body(plan, plugins.filters)
    content = None if body is None else body.render(document)
    head = compile_head(plan.url, static_headers(plan, USER_AGENT), plugins.filters).with_text(mask)
    url, headers = head.vetted(head.values(document))
    return Request(plan.method, url, headers + own_headers(delivery_id, time.time() if at is None else at), content)
