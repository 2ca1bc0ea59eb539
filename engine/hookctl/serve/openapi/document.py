"""The OpenAPI document, made from the operations, the problems and the installed event types."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from http import HTTPStatus

from hookctl import __version__
from hookctl.model import Json
from hookctl.model.api_problems import PREFIX, PROBLEMS
from hookctl.serve.access.cookies import NAME
from hookctl.serve.access.signed import SCHEMES
from hookctl.serve.openapi.operations import JSON, OPERATIONS, Operation
from hookctl.serve.openapi.schemas import components, problem_schema, ref
from hookctl.serve.problems import MEDIA_TYPE

INTRODUCTION = (
    "The API of `hookctl serve`. An error is a problem (RFC 9457) whose `type` begins with `urn:hookctl:problem:`. "
    "Any path answers 405 to a method that it does not have. A request that is not proper HTTP, or comes on a "
    "connection too many, never reaches the API: the answer is 400, 431 or 503 in text/plain."
)
RETRY_AFTER: dict[str, Json] = {
    "description": "Seconds after which to send the request again.",
    "required": True,
    "schema": {"type": "integer", "minimum": 0},
}
HEADERS: Mapping[int, Mapping[str, Json]] = {
    401: {
        "WWW-Authenticate": {
            "description": "How to authenticate.",
            "required": True,
            "schema": {"type": "string"},
        }
    },
    429: {"Retry-After": RETRY_AFTER},
    503: {"Retry-After": RETRY_AFTER},
}
LOCATION: Mapping[str, Json] = {
    "Location": {
        "description": "The path of the event, if the request has one event and not a list.",
        "schema": {"type": "string", "format": "uri-reference"},
    }
}


def make_document(event_types: Mapping[str, Mapping[str, Json]]) -> dict[str, Json]:
    """The document. ``event_types``: the schema of each installed event type by its name."""
    paths: dict[str, dict[str, Json]] = defaultdict(dict)
    for operation in OPERATIONS:
        paths[operation.path][operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "hookctl",
            "version": __version__,
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": {**paths},
        "components": {"schemas": components(event_types), "securitySchemes": _security_schemes()},
    }


def statuses(operation: Operation) -> dict[int, tuple[str, list[str]]]:
    """For each status of an operation, in order, what it means and the ids of its problems."""
    problems: dict[int, list[str]] = defaultdict(list)
    for name in sorted(operation.problems):
        problems[PROBLEMS[name][0]].append(name)
    return {
        status: (
            operation.answers[status][0] if status in operation.answers else HTTPStatus(status).phrase,
            problems.get(status, []),
        )
        for status in sorted({*operation.answers, *problems})
    }


def _operation(operation: Operation) -> Json:
    answers = {
        str(status): _response(operation, status, text, names) for status, (text, names) in statuses(operation).items()
    }
    document: dict[str, Json] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.description + (f"\n\nRequires the scope `{operation.scope}`." * bool(operation.scope)),
        "security": _security(operation),
        "responses": answers,
    }
    if operation.parameters:
        document["parameters"] = [*operation.parameters]
    if operation.content:
        content: Json = {media: {"schema": ref(name)} for media, name in operation.content.items()}
        document["requestBody"] = {"required": True, "content": content}
    return document


def _response(operation: Operation, status: int, text: str, problems: list[str]) -> Json:
    content: dict[str, Json] = {}
    if status in operation.answers:
        content[JSON] = {"schema": ref(operation.answers[status][1])}
    if problems:
        text += "\n\n" + "\n".join(f"- `{name}`: {PROBLEMS[name][1]}" for name in problems)
        content[MEDIA_TYPE] = {"schema": problem_schema(status, [PREFIX + name for name in problems])}
    response: dict[str, Json] = {"description": text, "content": content}
    is_stored = status == HTTPStatus.ACCEPTED
    headers = {**HEADERS.get(status, {}), **(LOCATION if is_stored else {})}
    if headers:
        response["headers"] = headers
    return response


def _security(operation: Operation) -> Json:
    if operation.scope is None:
        return [{name: []} for name in SCHEMES]
    return [{"bearer": []}, {"session": []}] if operation.method == "get" else [{"bearer": []}]


def _security_schemes() -> Json:
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of `hookctl tokens create`. If the token requires signatures, the request needs "
            "one as well.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": NAME,
            "description": "A browser that is signed in.",
        },
        **{
            name: {
                "type": "apiKey",
                "in": "header",
                "name": scheme.recipe.header,
                "description": f"A signature as of `hookctl tokens create --signature {name}`.",
            }
            for name, scheme in SCHEMES.items()
        },
    }
