"""Describes the requests of webhooks as an OpenAPI document with ``webhooks``, for those who write receivers."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from urllib.parse import parse_qsl

from hookctl.config.exporting.body_schema import Schema, any_of, infer_schema
from hookctl.delivery.outcomes import TABLE, Decision
from hookctl.errors import HookctlError
from hookctl.model import BodyFormat, DeliveryPlan, Json, canonical_json
from hookctl.model.secret import has_reference
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import EventType
from hookctl.template.request_body import compile_request_body, content_type

OPENAPI = "3.1.0"
_STATUS = re.compile(r"[1-5](?:[0-9]{2}|xx)")
_NOT_PARAMETERS = frozenset({"accept", "content-type", "authorization", "cookie"})
"""Headers that OpenAPI describes elsewhere, or does not allow as parameters."""
_MEANINGS = {
    Decision.DELIVERED: "The event counts as delivered.",
    Decision.RETRY: "hookctl sends the event again later. It respects `Retry-After`, up to an hour.",
    Decision.HOLD: "hookctl holds all deliveries until someone resumes them.",
    Decision.DEAD: "hookctl does not send the event again.",
    Decision.DEAD_AND_HOLD: "hookctl does not send the event again, and holds all others.",
}
_ID: dict[str, Json] = {
    "name": "webhook-id",
    "in": "header",
    "required": True,
    "description": "The id of the delivery: the same in every attempt. A receiver ignores what it has already.",
    "schema": {"type": "string"},
}
_TIMESTAMP: dict[str, Json] = {
    "name": "webhook-timestamp",
    "in": "header",
    "required": True,
    "description": "When this attempt was sent, in whole seconds since 1970-01-01T00:00:00Z.",
    "schema": {"type": "string", "pattern": "^[0-9]+$"},
}


def openapi_document(plans: Iterable[DeliveryPlan], plugins: Plugins) -> dict[str, Json]:
    """The document that describes the webhooks, by name. It holds no secret, and no reference to one."""
    plans = sorted(plans, key=lambda plan: plan.name)
    schemes: dict[str, Json] = {}
    operations: dict[str, Json] = {}
    webhooks: dict[str, Json] = {}
    for plan in plans:
        identity = re.sub(r"[^A-Za-z0-9]+", "_", plan.name)
        while identity in operations:
            identity += "_"
        operation = _operation(plan, plugins, schemes)
        operations[identity] = operation
        webhooks[plan.name] = {plan.method.lower(): {"operationId": identity, **operation}}
    digest = _digest(plans, plugins)
    document: dict[str, Json] = {
        "openapi": OPENAPI,
        "info": {
            "title": "Webhooks",
            "version": digest[:12],
            "description": "What hookctl sends. Each event is delivered at least once, so it may arrive several times.",
        },
        "webhooks": webhooks,
    }
    if schemes:
        document["components"] = {"securitySchemes": schemes}
    return document


def _digest(plans: Iterable[DeliveryPlan], plugins: Plugins) -> str:
    """What everything in the document follows from: the webhooks, and the schemas of their event types."""
    names = sorted({name for plan in plans for name in plan.events if name in plugins.event_types})
    made: dict[str, Json] = {
        "plans": [plan.digest for plan in plans],
        "schemas": [dict(plugins.event_types[name].schema) for name in names],
    }
    return hashlib.sha256(canonical_json(made)).hexdigest()


def _operation(plan: DeliveryPlan, plugins: Plugins, schemes: dict[str, Json]) -> dict[str, Json]:
    summary = f"Events of the {'type' if len(plan.events) == 1 else 'types'} {plan.events_text}"
    lines = [plan.description or "", f"Sent if {plan.when}" if plan.when else ""]
    parameters, security = _security(plan, plugins, schemes)
    operation: dict[str, Json] = {
        "summary": summary,
        "description": "\n\n".join(filter(None, lines)) or summary,
        "parameters": _parameters(plan, parameters),
    }
    if body := _request_body(plan, plugins):
        operation["requestBody"] = body
    operation["responses"] = _responses(plan)
    if security:
        operation["security"] = [security]
    return operation


def _request_body(plan: DeliveryPlan, plugins: Plugins) -> dict[str, Json]:
    """The body's schema with an example for each event type: the body for its mock event."""
    kind = next((value for name, value in plan.headers.items() if name.lower() == "content-type"), content_type(plan))
    if kind is None:
        return {}
    types = [plugins.event_types[name] for name in plan.events if name in plugins.event_types]
    schema: Schema = {"type": "string"}
    if plan.form is not None:
        names: dict[str, Json] = {name: {"type": "string"} for name in plan.form}
        schema = {"type": "object", "properties": names, "required": [*names]}
    elif plan.body_template is not None and plan.body_format is BodyFormat.JSON:
        schemas = [one.schema for one in types] or [{}]
        schema = any_of([infer_schema(plan.body_template, one, plugins.filters) for one in schemas])
    elif plan.body_format is BodyFormat.NDJSON:
        schema = {"type": "string", "description": "One JSON value in each line."}
    content: dict[str, Json] = {"schema": schema}
    if plan.body_format is BodyFormat.JSON and plan.form is None:
        content |= _examples(plan, plugins, types)
    return {"required": True, "content": {kind: content}}


def _examples(plan: DeliveryPlan, plugins: Plugins, types: Sequence[EventType]) -> dict[str, Json]:
    """The body for each mock event that has one: a template may need what the mock event lacks."""
    found: dict[str, Json] = {}
    for one in types:
        with suppress(HookctlError, ValueError):
            template = compile_request_body(plan, plugins.filters)
            if template:
                found[one.name] = json.loads(template.render(one.mock))
    if not found:
        return {}
    if len(types) == 1:
        return {"example": next(iter(found.values()))}
    return {"examples": {name: {"value": body} for name, body in found.items()}}


def _parameters(plan: DeliveryPlan, of_auth: list[Json]) -> list[Json]:
    """The headers and query parameters of each request."""
    query = plan.url.partition("?")[2]
    fixed = [*plan.headers.items()]
    parameters: list[Json] = [_ID, _TIMESTAMP]
    parameters += [_parameter(name, "header", value) for name, value in fixed if name.lower() not in _NOT_PARAMETERS]
    for name in dict.fromkeys(name for name, _ in parse_qsl(query, keep_blank_values=True)):
        if "{{" not in name and "${" not in name:
            parameters.append(_parameter(name, "query", "{{ }}"))
    known = {(str(one["name"]).lower(), one["in"]) for one in parameters if isinstance(one, dict)}
    parameters += [
        one for one in of_auth if isinstance(one, dict) and (str(one["name"]).lower(), one["in"]) not in known
    ]
    return parameters


def _parameter(name: str, where: str, value: str) -> dict[str, Json]:
    is_fixed = "{" not in value and not has_reference(value)
    schema: dict[str, Json] = {"const": value} if is_fixed else {"type": "string"}
    return {"name": name, "in": where, "required": True, "schema": schema}


def _security(plan: DeliveryPlan, plugins: Plugins, schemes: dict[str, Json]) -> tuple[list[Json], dict[str, Json]]:
    """The headers that auth adds, apart from those of security schemes, and the schemes that a request fulfils."""
    parameters: list[Json] = []
    security: dict[str, Json] = {}
    for block in plan.auth:
        settings = block.settings
        made: list[dict[str, Json]] = []
        if block.type in {"bearer", "jwt_bearer"}:
            made = [{"type": "http", "scheme": "bearer"}]
        elif block.type in {"basic", "digest"}:
            made = [{"type": "http", "scheme": block.type}]
        elif block.type == "oauth2":
            made = [{"type": "http", "scheme": "bearer", "description": "A token of an OAuth 2.0 server."}]
        elif block.type == "mtls":
            made = [{"type": "mutualTLS"}]
        elif block.type == "api_key_query":
            made = [{"type": "apiKey", "in": "query", "name": settings["parameter"]}]
        elif block.type == "headers" and isinstance(headers := settings["headers"], dict):
            made = [{"type": "apiKey", "in": "header", "name": name} for name in headers]
        else:
            auth = plugins.auth.get(block.type)
            names = auth.adds(settings) if auth and auth.adds else {}
            described = auth.summary if auth else ""
            parameters += [
                {**_parameter(name, "header", "${}{"), "description": described}
                for name in names
                if name.lower() not in _NOT_PARAMETERS
            ]
        for scheme in made:
            security[_scheme(scheme, schemes)] = []
    return parameters, security


def _scheme(scheme: dict[str, Json], schemes: dict[str, Json]) -> str:
    """The name of a security scheme in the document, which webhooks share."""
    words = re.sub(r"[^A-Za-z0-9._-]+", "_", str(scheme.get("name") or scheme.get("scheme") or scheme["type"]))
    name, number = words, 1
    while schemes.setdefault(name, scheme) != scheme:
        number += 1
        name = f"{words}_{number}"
    return name


def _responses(plan: DeliveryPlan) -> dict[str, Json]:
    """What each status means: what the webhook's ``outcomes`` say, and the defaults for all others."""
    decisions = {result: row.decision for row in TABLE for result in row.results if _STATUS.fullmatch(result)}
    decisions |= {str(key): Decision(value) for key, value in plan.outcomes.items() if key != "mismatch"}
    responses: dict[str, Json] = {}
    for result, decision in sorted(decisions.items()):
        text = _MEANINGS[decision]
        if result == "2xx" and plan.response_validators:
            checks = "; ".join(_validator(block.type, block.settings) for block in plan.response_validators)
            text = f"{text} The response must also pass these checks: {checks}."
        responses[result.upper()] = {"description": text}
    return responses


def _validator(kind: str, settings: Mapping[str, Json]) -> str:
    if kind == "json_path" and "json_path" in settings:
        values = ", ".join(json.dumps(value, ensure_ascii=False) for value in _list(settings.get("expected_values")))
        return f"{settings['json_path']} is {values}"
    return f"{kind} {json.dumps(settings, ensure_ascii=False)}"


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]
