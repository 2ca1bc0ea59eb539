"""The fields of an event that a template reads, and that its requests therefore reveal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice

from hookctl.json.paths import ANY, Step, path_text, steps_of
from hookctl.json.schema_paths import EventShape, Shape
from hookctl.model import Json
from hookctl.template.language import filters as built_in
from hookctl.template.language.expressions import (
    Choice,
    Compare,
    Expression,
    Filtered,
    For,
    If,
    Node,
    Not,
    Output,
    Path,
    Test,
    operands,
    walk,
)
from hookctl.template.language.parser import parse
from hookctl.template.language.usage import ROOTS
from hookctl.template.rendering.plain import plain_paths

_Sources = Mapping[str, tuple[tuple[Step, ...], ...]]
"""For each name of a template, the paths (as steps) that its value may come from; empty for ``loop``."""

MAX_DEPTH = 16
"""The depth to which objects are expanded, because a schema may refer to itself."""
MAX_FIELDS = 5_000
"""The fields of one value that are found: a schema that refers to itself may have any number."""


class EventFields:
    """The fields of one event type's schema. It caches expanded objects, so reuse it for many templates."""

    def __init__(self, schema: Mapping[str, Json]) -> None:
        self._event = EventShape(schema)
        self._below: dict[str, frozenset[str]] = {}
        self._all_below: dict[frozenset[str], frozenset[str]] = {}

    def below(self, path: str, steps: tuple[Step, ...]) -> frozenset[str]:
        """The innermost fields of a value; ``path`` itself if the schema describes none."""
        if path not in self._below:
            shape = self._event.root
            for step in steps:
                following = self._event.step(shape, step)
                shape = following if isinstance(following, Shape) else Shape(())
            self._below[path] = frozenset(islice(self._leaves(path, shape, MAX_DEPTH), MAX_FIELDS))
        return self._below[path]

    def has(self, path: str) -> bool:
        """Whether the schema may have a field, which is given as :func:`paths_of` returns it."""
        shape = self._event.root
        for step in steps_of(path):
            following = self._event.items(shape) if step is ANY else self._event.step(shape, step)
            if not isinstance(following, Shape):
                return False
            shape = following
        return True

    def all_below(self, paths: frozenset[str]) -> frozenset[str]:
        """The fields in the values at these paths. Cached, because many templates have the same paths."""
        if paths not in self._all_below:
            self._all_below[paths] = frozenset().union(*(self.below(path, tuple(path.split("."))) for path in paths))
        return self._all_below[paths]

    def _leaves(self, path: str, shape: Shape, left: int) -> Iterator[str]:
        keys = dict.fromkeys(key for schema in shape.schemas for key in schema.get("properties", ()))
        items = self._event.items(shape) if "array" in shape.types else None
        if left == 0 or (not keys and items is None):
            yield path
            return
        for key in keys:
            following = self._event.step(shape, key)
            yield from self._leaves(
                path_text(path, (key,)), following if isinstance(following, Shape) else Shape(()), left - 1
            )
        if items is not None:
            yield from self._leaves(path_text(path, (ANY,)), items, left - 1)


def paths_of(text: str, fields: EventFields) -> frozenset[str]:
    """The fields that a template reads, as paths in the event's schema: ``data.groups[*].name``.

    A field counts if its value is written, and if a condition uses it: either way the target learns about it. If an
    object or a list is written or passed to a filter, all fields in it count. Raises TemplateError for a syntax error.
    """
    plain = plain_paths(text)
    if plain is not None:
        return fields.all_below(frozenset(plain))
    found: set[str] = set()
    for source, is_whole in sources_of(text):
        if is_whole:
            found |= fields.below(_text(source), source)
        else:
            found.add(_text(source))
    return frozenset(found)


@lru_cache(maxsize=4096)  # a check reads every template, and its effects are asked for when all of them are checked
def sources_of(text: str) -> frozenset[tuple[tuple[Step, ...], bool]]:
    """The paths that a template reads, and for each whether all of its value counts: the check keeps them.

    Raises:
        TemplateError: the first error in the template's syntax.
    """
    reader = _Reader()
    reader.nodes(parse(text), {root: ((root,),) for root in ROOTS})
    return frozenset(reader.found)


class _Reader:
    def __init__(self) -> None:
        self.found: set[tuple[tuple[Step, ...], bool]] = set()

    def nodes(self, nodes: Iterable[Node], names: _Sources) -> None:
        for node in nodes:
            if isinstance(node, Output):
                self._written(node.expression, names)
            elif isinstance(node, If):
                for branch in node.branches:
                    if branch.condition is not None:
                        self._asked(branch.condition, names)
                    self.nodes(branch.body, names)
            elif isinstance(node, For):
                self._asked(node.iterable, names)
                paths = [part for part in walk(node.iterable) if isinstance(part, Path)]
                whole = tuple(source for path in paths for source in _sources(path, names))
                item = (
                    tuple((*source, 0) for source in whole)
                    if isinstance(node.iterable, Path) and len(node.targets) == 1
                    else whole
                )
                inside: _Sources = {**names, **dict.fromkeys(node.targets, item), "loop": ()}
                if node.condition is not None:
                    self._asked(node.condition, inside)
                self.nodes(node.body, inside)
                self.nodes(node.otherwise, names)

    def _written(self, expression: Expression, names: _Sources) -> None:
        match expression:
            case Path():
                self.found.update((source, True) for source in _sources(expression, names))
            case Choice():
                self._asked(expression.condition, names)
                self._written(expression.yes, names)
                self._written(expression.no, names)
            case Compare() | Test() | Not():
                self._asked(expression, names)
            case Filtered() if built_in.properties(expression).hides_content:
                self._asked(expression, names)
            case _:
                for part in operands(expression):
                    self._written(part, names)

    def _asked(self, expression: Expression, names: _Sources) -> None:
        """Add the reads of a condition, which reveals something about its values, but not their content."""
        if isinstance(expression, Path):
            self.found.update((source, False) for source in _sources(expression, names))
        elif isinstance(expression, Filtered) and not _asks_only(expression):
            self._written(expression, names)
        else:
            for part in operands(expression):
                self._asked(part, names)


def _asks_only(filtered: Filtered) -> bool:
    """Whether the filter reveals no more to a condition than the truth of its value would."""
    properties = built_in.properties(filtered)
    return properties.accepts_missing or properties.hides_content


def _sources(path: Path, names: _Sources) -> tuple[tuple[Step, ...], ...]:
    return tuple((*source, *path.steps) for source in names.get(path.root, ()))


def _text(source: tuple[Step, ...]) -> str:
    """A source as text. Any index of a list becomes ``[*]``, because it does not matter which item a template uses."""
    return path_text(str(source[0]), (ANY if isinstance(step, int) else step for step in source[1:]))
