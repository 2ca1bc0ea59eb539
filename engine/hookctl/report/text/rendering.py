"""The request that a webhook would send for an event, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from hookctl.json.paths import path_text
from hookctl.json.strict import parse
from hookctl.model import DeliveryPlan, Json, PluginBlock, Request
from hookctl.report.style import heading
from hookctl.report.text.invocation import request_json, request_lines
from hookctl.report.text.printable import json_text, printable
from hookctl.template import Decision, describe_body, describe_field


def render_text(
    plan: DeliveryPlan,
    request: Request,
    unsaid: Sequence[PluginBlock],
    *,
    would_be_sent: bool | None,
    tracer: str = "",
    color: bool,
) -> str:
    """The request with its JSON indented, and remarks on JSON in strings, on expressions, and on ``unsaid`` auth.

    ``tracer`` is the name of the observer because of which the request carries ``traceparent``.
    """
    lines = [line.removeprefix("  ") for line in request_lines(request)]
    lines[0] = heading(lines[0], color)
    remarks = list(_remarks(plan, request, unsaid, would_be_sent))
    if tracer:
        remarks.insert(0, f"# traceparent is made when the request is sent, for the observer {printable(tracer)}")
    return "\n".join([*lines, *([""] if remarks else []), *remarks]) + "\n"


def render_json(plan: DeliveryPlan, request: Request, *, would_be_sent: bool | None) -> str:
    """The request as JSON.

    The keys are ``webhook``, ``plan_digest``, ``would_be_sent``, ``auth`` (types in order), ``request``, ``decisions``.
    """
    document: dict[str, Json] = {
        "webhook": plan.name,
        "plan_digest": plan.digest,
        "would_be_sent": would_be_sent,
        "auth": [block.type for block in plan.auth],
        "request": request_json(request),
        "decisions": [*_decision_documents(plan)],
    }
    return json_text(document) + "\n"


def _remarks(
    plan: DeliveryPlan, request: Request, unsaid: Sequence[PluginBlock], would_be_sent: bool | None
) -> Iterator[str]:
    for block in unsaid:
        yield f"# auth {printable(block.type)} adds its part when the request is sent"
    if would_be_sent is False:
        yield f"# `when` does not let this event through, so it would not be sent: {printable(plan.when or '')}"
    for path, value in _json_in_strings(_parsed(request.body), "$"):
        yield f"# the string at {printable(path)} contains JSON:"
        yield from (f"#   {printable(line)}" for line in json.dumps(value, ensure_ascii=False, indent=2).split("\n"))
    inner = [decision for decision in _decisions(plan) if _is_inner(decision)]
    if inner:
        yield "# how each expression in that JSON is written, by its position:"
    for decision in inner:
        line = _line(plan.body_template or "", decision)
        yield f"#   line {line}: {{{{ {printable(decision.expression)} }}}} is {decision.position}"


def _decisions(plan: DeliveryPlan) -> Sequence[Decision]:
    return describe_body(plan.body_template, plan.body_format) if plan.body_template else ()


def _decision_documents(plan: DeliveryPlan) -> Iterator[Json]:
    yield from (_decision_document(plan.body_template or "", decision) for decision in _decisions(plan))
    for name, value in (plan.form or {}).items():
        for decision in describe_field(value):
            yield {"field": name, **_decision_document(value, decision)}


def _is_inner(decision: Decision) -> bool:
    """Whether an expression is inside the JSON text of a string; a string around a text or a key does not count."""
    return decision.position.depth > (decision.position.form != "value")


def _line(template: str, decision: Decision) -> int:
    return template.count("\n", 0, decision.start) + 1


def _decision_document(template: str, decision: Decision) -> dict[str, Json]:
    return {
        "expression": decision.expression,
        "line": _line(template, decision),
        "column": decision.start - (template.rfind("\n", 0, decision.start) + 1) + 1,
        "form": decision.position.form,
        "depth": decision.position.depth,
        "in_json_text": _is_inner(decision),
    }


def _parsed(body: bytes | None) -> Json:
    try:
        return parse(body.decode(), any_integer=True) if body else None
    except ValueError:
        return None


def _json_in_strings(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _json_in_strings(item, path_text(path, (key,)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _json_in_strings(item, path_text(path, (index,)))
    elif isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        inner = _parsed(value.encode("utf-8", "replace"))
        if isinstance(inner, dict | list):
            yield path, inner
