"""The request that a webhook would send for an event, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import cast

import click

from hookctl.model import DeliveryPlan, Json, Request
from hookctl.report.invocation import request_json, request_lines
from hookctl.report.printable import printable


def render_text(plan: DeliveryPlan, request: Request, *, would_be_sent: bool | None, color: bool) -> str:
    """The request with its JSON laid out, then what it does not show: what auth adds, and JSON that stands in a string."""
    lines = [line.removeprefix("  ") for line in request_lines(request)]
    lines[0] = click.style(lines[0], bold=True) if color else lines[0]
    remarks = list(_remarks(plan, request, would_be_sent))
    return "\n".join([*lines, *([""] if remarks else []), *remarks]) + "\n"


def render_json(plan: DeliveryPlan, request: Request, *, would_be_sent: bool | None) -> str:
    """The request for a machine: ``webhook``, ``plan_digest``, ``would_be_sent``, ``auth`` (types, in order) and ``request``."""
    document: dict[str, Json] = {
        "webhook": plan.name,
        "plan_digest": plan.digest,
        "would_be_sent": would_be_sent,
        "auth": [block.type for block in plan.auth],
        "request": request_json(request),
    }
    return json.dumps(document, indent=2) + "\n"  # ASCII alone, so that no terminal reads anything into it


def _remarks(plan: DeliveryPlan, request: Request, would_be_sent: bool | None) -> Iterator[str]:
    for block in plan.auth:
        yield f"# auth {printable(block.type)} adds its part when the request is sent"
    if would_be_sent is False:
        yield f"# `when` does not let this event through, so it would not be sent: {printable(plan.when or '')}"
    for path, value in _json_in_strings(_parsed(request.body), "$"):
        yield f"# the string at {printable(path)} holds JSON:"
        yield from (f"#   {printable(line)}" for line in json.dumps(value, ensure_ascii=False, indent=2).split("\n"))


def _parsed(body: bytes | None) -> Json:
    try:
        return cast("Json", json.loads(body)) if body else None
    except (ValueError, RecursionError):
        return None


def _json_in_strings(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _json_in_strings(item, f"{path}.{key}" if key.isidentifier() else f"{path}[{key!r}]")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _json_in_strings(item, f"{path}[{index}]")
    elif isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        inner = _parsed(value.encode("utf-8", "replace"))
        if isinstance(inner, dict | list):
            yield path, inner
