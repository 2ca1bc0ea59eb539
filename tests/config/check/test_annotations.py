"""Annotations of plugins' schemas are seen wherever they stand, on the short way and on the long one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from hookctl.config.check.notes import Notes
from hookctl.config.check.schemas import Schema
from hookctl.model import Json, Pointer, SourceFile, Span, Webhook

SECRET: dict[str, Json] = {"type": "string", "x-secret": True}
BLOCK: dict[str, Json] = {"type": "object", "additionalProperties": False}
SHORT: dict[str, Json] = {
    **BLOCK,
    "properties": {"token": SECRET, "plain": {"type": "string", "x-secret": False}, "any": True},
}
BY_REFERENCE: dict[str, Json] = {**BLOCK, "properties": {"token": SECRET, "plain": {"$ref": "#/properties/token"}}}
BELOW: dict[str, Json] = {
    **BLOCK,
    "properties": {"token": SECRET, "more": {"type": "object", "additionalProperties": SECRET}},
}
ONE_OF: dict[str, Json] = {
    **BLOCK,
    "properties": {"token": {}, "plain": {}},
    "anyOf": [{"properties": {"token": SECRET}}],
}


@dataclass
class Nowhere:
    def key(self, pointer: Pointer) -> Span:
        return self.value(pointer)

    def value(self, pointer: Pointer) -> Span:
        return Span(1, len(pointer) + 1, 1, len(pointer) + 2)

    def within(self, pointer: Pointer, start: int, end: int) -> Span:  # noqa: ARG002 - all are one
        return self.value(pointer)


@pytest.mark.parametrize(
    ("schema", "value", "places"),
    [
        (SHORT, {"token": "a", "plain": "b", "any": 1}, {("auth", "token")}),
        (SHORT, {"plain": "b"}, set()),
        (SHORT, {"token": "a", "plain": 1}, {("auth", "token")}),
        (BY_REFERENCE, {"token": "a", "plain": "b"}, {("auth", "token"), ("auth", "plain")}),
        (BELOW, {"token": "a", "more": {"b": "c"}}, {("auth", "token"), ("auth", "more", "b")}),
        (ONE_OF, {"token": "a", "plain": "b"}, {("auth", "token")}),
        ({"type": "object", "properties": {"x-secret": {"type": "string"}}}, {"x-secret": "a"}, set()),
        ({"type": "string", "x-secret": True}, "a", {("auth",)}),
    ],
)
def test_every_marked_value_is_looked_at_once(schema: dict[str, Json], value: Any, places: set[Pointer]) -> None:
    seen: list[Pointer] = []
    notes = Notes(Webhook(SourceFile("a.yaml", ""), 1, {}, Nowhere()))
    Schema(schema, {"x-secret": lambda _notes, pointer, _value: seen.append(pointer), "x-url": lambda *_: None}).check(
        notes, value, ("auth",)
    )
    assert len(seen) == len(set(seen))
    assert set(seen) == places
