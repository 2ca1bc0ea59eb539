"""Finds the events that an OpenAPI or AsyncAPI file describes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hookctl.config.importing.api_document import ApiDocument
from hookctl.model import Finding, Json, Pointer
from hookctl.model.rules.imports import IMPORT_SKIPPED, IMPORT_UNREADABLE

METHODS = ("post", "put", "patch", "get", "delete")


@dataclass(frozen=True, slots=True)
class Message:
    """An event that a file describes."""

    name: str
    summary: str
    place: Pointer
    """Where its name stands."""
    schema: Any
    """The schema of what is sent, as the file has it."""
    examples: tuple[Json, ...] = ()
    """Examples of what is sent."""


def find_messages(document: ApiDocument) -> Iterator[Message | Finding]:
    """The events of a file, in order, and a finding for each that has no usable schema."""
    content = document.content
    if isinstance(content.get("asyncapi"), str):
        yield from _of_asyncapi(document)
    elif str(content.get("openapi", "")).startswith("3.1") or isinstance(content.get("webhooks"), dict):
        if not isinstance(content.get("webhooks"), dict):
            why = "the OpenAPI file has no `webhooks` section"
            yield IMPORT_UNREADABLE.finding(file=document.file, why=why)
            return
        for name in content["webhooks"]:
            yield _of_webhook(document, name)
    else:
        why = "the file is neither OpenAPI 3.1 with `webhooks` nor AsyncAPI"
        yield IMPORT_UNREADABLE.finding(file=document.file, why=why)


def _of_webhook(document: ApiDocument, name: str) -> Message | Finding:
    """The event of one webhook of an OpenAPI file: the body of its first operation that has one."""
    place: Pointer = ("webhooks", name)
    at, item = document.resolved(place)
    for method in METHODS:
        operation = item.get(method) if isinstance(item, dict) else None
        if not isinstance(operation, dict) or "requestBody" not in operation:
            continue
        body_at, _ = document.resolved((*at, method, "requestBody"))
        contents = document.at((*body_at, "content"))
        media = _json_media(contents)
        if media is None:
            break
        found = contents[media]
        words = operation.get("summary") or operation.get("description") or item.get("summary") or ""
        return Message(name, str(words), place, found.get("schema", {}), tuple(_media_examples(document, found)))
    return document.finding(IMPORT_SKIPPED, place, name=name, why="it has no body that is JSON")


def _json_media(contents: Any) -> str | None:
    if not isinstance(contents, dict):
        return None
    types = [name for name in contents if name.partition(";")[0].strip().endswith(("/json", "+json"))]
    return next((name for name in types if isinstance(contents[name], dict)), None)


def _media_examples(document: ApiDocument, media: Any) -> Iterator[Json]:
    if "example" in media:
        yield media["example"]
    examples = media.get("examples")
    for one in examples.values() if isinstance(examples, dict) else ():
        found = one
        if isinstance(one, dict) and isinstance(one.get("$ref"), str) and one["$ref"].startswith("#/"):
            found = document.at(tuple(one["$ref"][2:].split("/")))
        if isinstance(found, dict) and "value" in found:
            yield found["value"]


def _of_asyncapi(document: ApiDocument) -> Iterator[Message | Finding]:
    channels = document.content.get("channels")
    seen: set[Pointer] = set()
    for place, fallback in _message_places(document, channels if isinstance(channels, dict) else {}):
        at, message = document.resolved(place)
        if at in seen:
            continue
        seen.add(at)
        name = _message_name(message, at, fallback)
        if not isinstance(message, dict) or "payload" not in message:
            yield document.finding(IMPORT_SKIPPED, place, name=name, why="it has no payload in this file")
            continue
        yield from _payload(document, message, name, at)
    if not seen:
        yield IMPORT_UNREADABLE.finding(file=document.file, why="the AsyncAPI file describes no message")


def _payload(document: ApiDocument, message: Any, name: str, at: Pointer) -> Iterator[Message | Finding]:
    payload, form = message["payload"], str(message.get("schemaFormat", ""))
    if isinstance(payload, dict) and "schemaFormat" in payload:  # version 3
        form, payload = str(payload["schemaFormat"]), payload.get("schema", {})
    if form and not any(word in form for word in ("asyncapi", "schema+json", "schema+yaml", "openapi")):
        yield document.finding(
            IMPORT_SKIPPED, at, name=name, why=f"its payload is described in another language: {form}"
        )
        return
    examples = message.get("examples")
    given = (
        [one["payload"] for one in examples if isinstance(one, dict) and "payload" in one]
        if isinstance(examples, list)
        else []
    )
    words = message.get("summary") or message.get("description") or message.get("title") or ""
    yield Message(name, str(words), at, payload, tuple(given))


def _message_places(document: ApiDocument, channels: dict[str, Any]) -> Iterator[tuple[Pointer, str]]:
    """The places of the messages of all channels, and the name of each where it has none itself."""
    for channel in channels:
        at, item = document.resolved(("channels", channel))
        if not isinstance(item, dict):
            continue
        messages = item.get("messages")
        if isinstance(messages, dict):  # version 3
            yield from (((*at, "messages", name), name) for name in messages)
        for direction in ("publish", "subscribe"):  # version 2
            operation = item.get(direction)
            if not isinstance(operation, dict) or "message" not in operation:
                continue
            place = (*at, direction, "message")
            several = operation["message"].get("oneOf") if isinstance(operation["message"], dict) else None
            if isinstance(several, list):
                yield from (((*place, "oneOf", number), channel) for number in range(len(several)))
            else:
                yield place, channel
    if not channels:
        named = document.at(("components", "messages"))
        yield from ((("components", "messages", name), name) for name in (named if isinstance(named, dict) else ()))


def _message_name(message: Any, at: Pointer, fallback: str) -> str:
    """Its own name, or else that by which it is referred to, or that of its channel."""
    if isinstance(message, dict):
        for key in ("name", "messageId"):
            if isinstance(message.get(key), str) and message[key]:
                return str(message[key])
    return str(at[-1]) if at[:-1] == ("components", "messages") else fallback
