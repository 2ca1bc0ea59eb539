"""The operations of the API: what each one takes, and each status with which it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hookctl.model import Json
from hookctl.serve.access import Scope
from hookctl.serve.access.signed import PREFIX
from hookctl.serve.intake.intake import MAX_BATCH_EVENTS, MAX_KEY_LENGTH

ACCESS = (
    *("token-missing", "token-refused", "scope-missing", "host-unknown", "too-many-failures", "access-unavailable"),
    *("signature-refused", "payload-invalid", "body-too-large"),
)
"""The problems of every request, which come before its endpoint; the last three if the token requires signatures."""
STORE = ("store-busy", "store-unavailable")
TAKING_IN = (
    *("event-type-forbidden", "too-large", "unsupported-media-type", "event-changed", "event-invalid", "rate-limited"),
    *("server-busy", "store-full", *STORE),
)
JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    id: str
    summary: str
    description: str
    scope: Scope | None
    """None: a signature takes the place of a token."""
    answers: Mapping[int, tuple[str, str]]
    """The description and the name of the schema of each answer that is not a problem."""
    problems: Sequence[str]
    """The ids of those with which it answers."""
    parameters: Sequence[Json] = ()
    content: Mapping[str, str] = field(default_factory=dict)
    """The schema of the body by media type; empty: there is no body."""


def _flag(name: str, description: str) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": {"type": "boolean", "default": False}}


def _in_path(description: str) -> Json:
    return {
        "name": "id",
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", "minLength": 1},
    }


BODIES = {
    JSON: "EventOrEvents",
    "application/x-ndjson": "EventLines",
    "application/cloudevents+json": "CloudEvent",
    "application/cloudevents-batch+json": "CloudEvents",
}
TRACE: Sequence[Json] = (
    {
        "name": "traceparent",
        "in": "header",
        "description": "The span in which the events were made, as in W3C Trace Context. It is stored with each event.",
        "schema": {"type": "string"},
    },
    {
        "name": "tracestate",
        "in": "header",
        "description": "Is stored with a valid `traceparent`.",
        "schema": {"type": "string"},
    },
)
STORED = ("Every event is on disk.", "ResultOrResults")

OPERATIONS: Sequence[Operation] = (
    Operation(
        method="post",
        path="/v1/events",
        id="post_events",
        summary="Send events",
        description=(
            "The answer comes once the events are on disk. Nothing of a request is stored if an event of it cannot be "
            "accepted, unless `partial` is true. An event whose id was stored before is a duplicate, and is not sent "
            "again.\n\n"
            "A CloudEvent in binary mode has its attributes in `ce-` headers, and its data as the body with any "
            "`Content-Type`. JSON lines may also have the types `application/ndjson`, `application/jsonl` and "
            f"`application/jsonlines`. With `partial`, they are stored while they arrive, however many they are; "
            f"otherwise a request has at most {MAX_BATCH_EVENTS:,} events."
        ),
        scope=Scope.INTAKE,
        parameters=(
            _flag("partial", "Store the events that can be accepted, whatever the others are."),
            _flag("dry_run", "Report what would be sent to whom, and store nothing."),
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": (
                    "Repeats of a request with the same key and body get the same results. A key belongs to its token. "
                    "It cannot be used with `partial`."
                ),
                "schema": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": MAX_KEY_LENGTH,
                    "pattern": "^[!-~]([ -~]*[!-~])?$",
                },
            },
            *TRACE,
        ),
        content=BODIES,
        answers={
            200: ("With `dry_run`: what would be sent to whom.", "DryRunOrRuns"),
            202: STORED,
            207: ("With `partial`: some events are on disk, and others were rejected.", "Results"),
            422: ("With `partial`: every event was rejected.", "Results"),
        },
        problems=(
            *ACCESS,
            *TAKING_IN,
            *("parameter-invalid", "idempotency-key-invalid", "idempotency-key-reused"),
            *("cross-site-write", "form-invalid"),
        ),
    ),
    Operation(
        method="get",
        path="/v1/events/{id}",
        id="get_event",
        summary="Show an event",
        description="The event, its deliveries, and why each other webhook has none. Write `/` in the id as `%2F`.",
        scope=Scope.READ,
        parameters=(_in_path("Id of the event."),),
        answers={200: ("The event.", "StoredEvent")},
        problems=(*ACCESS, "event-unknown", *STORE),
    ),
    Operation(
        method="post",
        path=f"{PREFIX}{{id}}",
        id="post_inbound",
        summary="Send a signed request of a provider",
        description=(
            "For a token that requires signatures. The signature is the proof, so there is no bearer token. The body "
            "is what the provider sends. It becomes the data of an event; if the token does not wrap it, it contains "
            "events as for `/v1/events`."
        ),
        scope=None,
        parameters=(_in_path("Id of the token, as `hookctl tokens create` prints it."), *TRACE),
        content={JSON: "Payload"},
        answers={202: STORED},
        problems=(
            *(one for one in ACCESS if one != "token-missing"),
            *TAKING_IN,
            "not-found",
        ),
    ),
    Operation(
        method="get",
        path="/v1/openapi.json",
        id="get_openapi",
        summary="Show this document",
        description="It contains the schemas of the event types that are installed.",
        scope=Scope.READ,
        answers={200: ("This document.", "Document")},
        problems=ACCESS,
    ),
)
