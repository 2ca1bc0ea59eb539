"""What a schema costs in the worst case: how often a validator may look at one value of an event.

The schemas of a file form a graph, in which an edge leads to each schema that is used for the same value, for a key or
for an item. Schemas that lead back to themselves are one group. A validator that follows every edge of a graph without
such groups takes as many steps as there are ways through the graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hookctl.config.events.subschemas import Parts, children, target_of
from hookctl.config.events.text import SchemaText
from hookctl.model import Finding, Pointer
from hookctl.model.rules.event_types import EVENT_SCHEMA_COST

MAX_COST = 50_000
"""Steps for one event. Large real schemas take a few thousand."""
MAX_PARTS = 10_000
SAME_VALUE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "$ref"})
"""Keywords whose schemas look at the same value again."""
APART = frozenset({"properties", "additionalProperties", "items", "prefixItems"})
"""Keywords whose schemas look at different keys or items, so that each is looked at once."""
UNUSED = frozenset({"$defs", "definitions"})
"""Keywords whose schemas are used only by reference."""

Edges = Mapping[Pointer, Sequence[tuple[str, Pointer]]]


def cost_findings(text: SchemaText, parts: Parts) -> Iterator[Finding]:
    """Whether a schema costs too much. Its references must be valid."""
    if len(parts) > MAX_PARTS:
        yield text.finding(EVENT_SCHEMA_COST, (), "size", limit=MAX_PARTS)
        return
    edges = {pointer: [*_edges(pointer, schema, parts)] for pointer, schema in parts.items()}
    costs: dict[Pointer, int] = {}
    for group in _groups(edges):
        members = frozenset(group)
        within = [keyword for one in group for keyword, target in edges[one] if target in members]
        if any(_repeats(edges[one], members) for one in group) or (within and SAME_VALUE.issuperset(within)):
            yield text.finding(EVENT_SCHEMA_COST, group[-1], "recursion")
            return
        outside = [costs[target] for one in group for _, target in edges[one] if target not in members]
        cost = len(group) + sum(outside)
        costs |= dict.fromkeys(group, cost)
        if cost > MAX_COST:
            yield text.finding(EVENT_SCHEMA_COST, group[-1], cost=cost, limit=MAX_COST)
            return


def _edges(pointer: Pointer, schema: Mapping[str, Any], parts: Parts) -> Iterator[tuple[str, Pointer]]:
    for place, inner in children(schema):
        if isinstance(inner, dict) and place[0] not in UNUSED:
            yield str(place[0]), (*pointer, *place)
    reference = schema.get("$ref")
    target = target_of(reference, parts) if isinstance(reference, str) else None
    if target is not None:
        yield "$ref", target


def _repeats(edges: Sequence[tuple[str, Pointer]], members: frozenset[Pointer]) -> bool:
    """Whether a schema leads back to itself more than once for the same value, or without going into the value."""
    within = [keyword for keyword, target in edges if target in members]
    same = sum(keyword in SAME_VALUE for keyword in within)
    others = sum(keyword not in SAME_VALUE and keyword not in APART for keyword in within)
    return same + others > 1 or bool((same or others) and len(within) > same + others)


def _groups(edges: Edges) -> Iterator[Sequence[Pointer]]:
    """The groups of schemas that lead to one another, each after those that it leads to: Tarjan's algorithm."""
    number: dict[Pointer, int] = {}
    lowest: dict[Pointer, int] = {}
    waiting: list[Pointer] = []
    is_waiting: set[Pointer] = set()
    for start in edges:
        if start in number:
            continue
        path: list[tuple[Pointer, Iterator[tuple[str, Pointer]]]] = [(start, iter(edges[start]))]
        number[start] = lowest[start] = len(number)
        waiting.append(start)
        is_waiting.add(start)
        while path:
            node, left = path[-1]
            following = next(left, None)
            if following is not None:
                target = following[1]
                if target not in number:
                    number[target] = lowest[target] = len(number)
                    waiting.append(target)
                    is_waiting.add(target)
                    path.append((target, iter(edges[target])))
                elif target in is_waiting:
                    lowest[node] = min(lowest[node], number[target])
                continue
            path.pop()
            if path:
                lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[node])
            if lowest[node] == number[node]:
                group = [waiting.pop()]
                while group[-1] != node:
                    group.append(waiting.pop())
                is_waiting.difference_update(group)
                yield group
