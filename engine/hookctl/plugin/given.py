"""Checks and copies values that plugins return. Functions raise BrokenContractError for unusable values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hookctl.json.kinds import DESCRIBED, described, is_of_type
from hookctl.model import Finding, Json, Mismatch, Problem, Severity
from hookctl.plugin.contain import BrokenContractError

MAX_DEPTH = 64
MAX_VALUES = 100_000
"""The maximum number of values inside one JSON value from a plugin."""
MAX_GIVEN = 10_000
"""The maximum number of findings, mismatches or problems from one call."""
MAX_REPORT = 100_000_000
"""The maximum length of one report, in characters."""
BY_NAME = ("properties", "patternProperties", "$defs", "dependentSchemas")
"""Keywords of JSON Schema that contain schemas by name."""
IN_LIST = ("anyOf", "oneOf", "allOf", "prefixItems")
"""Keywords that contain a list of schemas."""
ONE = ("items", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else")
"""Keywords that contain one schema."""
LISTS = ("enum", "required", "examples")


def kind(value: object) -> str:
    """The kind of a value, for messages: ``a list``, ``an int``, ``None``."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[:1] in 'aeiouAEIOU' else 'a'} {name}"


def plain_json(value: object, depth: int = MAX_DEPTH) -> Json:
    """The value as ``json.loads`` would return it, with copied mappings and sequences.

    Raises BrokenContractError for anything else.
    """
    return _plain(value, depth, [MAX_VALUES])


def _plain(value: object, depth: int, left: list[int]) -> Json:
    left[0] -= 1
    if depth < 0 or left[0] < 0:
        raise BrokenContractError(
            "JSON that is nested too deeply" if depth < 0 else f"JSON of more than {MAX_VALUES:,} values"
        )
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if type(value) is int or type(value) is float:
        return value
    if isinstance(value, Mapping):
        return {text(key): _plain(item, depth - 1, left) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth - 1, left) for item in value]
    raise BrokenContractError(f"{kind(value)}, not JSON")


def json_types(value: object, what: str) -> frozenset[str]:
    """The types of JSON Schema that a description declares as ``what``."""
    if not isinstance(value, frozenset | set | list | tuple):
        raise BrokenContractError(f"{what} as {kind(value)}, not a set of types")
    if unknown := sorted({text(name) for name in value} - DESCRIBED.keys()):
        raise BrokenContractError(f"{what} with {unknown[0]!r}; the types are {', '.join(DESCRIBED)}")
    return frozenset(map(text, value))


def json_of_type(value: object, types: frozenset[str]) -> Json:
    """A JSON value, copied, of one of these types of JSON Schema; of any type if there are none."""
    plain = plain_json(value)
    if types and not is_of_type(plain, types):
        raise BrokenContractError(f"{described(plain)}, which is not of a type that it declares in gives")
    return plain


def json_object(value: object) -> dict[str, Json]:
    """A copy of a JSON object."""
    plain = plain_json(value)
    if not isinstance(plain, dict):
        raise BrokenContractError(f"{kind(value)}, not an object")
    return plain


def text(value: object) -> str:
    """Text, as a plain string."""
    if not isinstance(value, str):
        raise BrokenContractError(f"{kind(value)}, not text")
    return str.__str__(value)


def report(value: object) -> str:
    """A report made from text or from pieces of text. Generators run here, so their errors are the plugin's."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return text(value)
    pieces: list[str] = []
    size = 0
    for piece in value:
        pieces.append(text(piece))
        size += len(pieces[-1])
        if size > MAX_REPORT:
            raise BrokenContractError(f"a report of more than {MAX_REPORT:,} characters")
    return "".join(pieces)


def headers(given: Any) -> Mapping[str, str]:
    """Names and values of headers. Raises BrokenContractError for anything else."""
    if not isinstance(given, Mapping):
        raise BrokenContractError(f"{kind(given)}, not a mapping of headers")
    return {text(name): text(value) for name, value in given.items()}


def problems(given: Any) -> Mapping[str, Problem]:
    """The problems of settings, by name. Raises BrokenContractError for anything else."""
    if not isinstance(given, Mapping):
        raise BrokenContractError(f"{kind(given)}, not a mapping of problems")
    return {text(name): one for name, one in zip(given, instances(given.values(), Problem), strict=True)}


def texts(given: Any) -> tuple[str, ...]:
    """A list of texts. Raises BrokenContractError for anything else."""
    if isinstance(given, str):
        raise BrokenContractError("a str, not a list of texts")
    return tuple(map(text, instances(given, str)))


def instances(given: Any, wanted: type) -> tuple[Any, ...]:
    """The items that a call returned, all of the given type. Raises BrokenContractError for anything else."""
    if not isinstance(given, Iterable):
        raise BrokenContractError(f"{kind(given)}, not a list of {wanted.__name__}")
    found: list[Any] = []
    for one in given:
        if not isinstance(one, wanted):
            raise BrokenContractError(f"{kind(one)}, not a {wanted.__name__}")
        if len(found) == MAX_GIVEN:
            raise BrokenContractError(f"more than {MAX_GIVEN:,} of {wanted.__name__}")
        found.append(one)
    return tuple(found)


def mismatches(given: Any) -> tuple[Mismatch, ...]:
    """The mismatches that a validator reports."""
    return tuple(
        Mismatch(text(one.validator), text(one.message), text(one.path), plain_json(one.expected), plain_json(one.got))
        for one in instances(given, Mismatch)
    )


def findings(given: Any) -> tuple[Finding, ...]:
    """The findings of a policy, with only the fields that a policy may set. A policy cannot name another rule."""
    return tuple(
        Finding(
            webhook=text(one.webhook),
            message=text(one.message),
            hint=text(one.hint),
            severity=Severity(one.severity),
            pointer=tuple(one.pointer),
        )
        for one in instances(given, Finding)
    )


def schema(value: object) -> Mapping[str, Json]:
    """A JSON Schema of an object. The parts that hookctl reads have the required form."""
    found = json_object(value)
    _check_schema(found)
    return found


def _check_schema(found: dict[str, Json]) -> None:
    for keyword in LISTS:
        if not isinstance(found.get(keyword, []), list):
            raise BrokenContractError(f"a schema whose {keyword} is {kind(found[keyword])}, not a list")
    for keyword in BY_NAME:
        by_name = found.get(keyword, {})
        if not isinstance(by_name, dict):
            raise BrokenContractError(f"a schema whose {keyword} is {kind(by_name)}, not an object")
        by_name.update({name: _part(part, keyword) for name, part in by_name.items()})
    for keyword in IN_LIST:
        parts = found.get(keyword, [])
        if not isinstance(parts, list):
            raise BrokenContractError(f"a schema whose {keyword} is {kind(parts)}, not a list")
        parts[:] = [_part(part, keyword) for part in parts]
    for keyword in ONE:
        if not isinstance(found.get(keyword, True), bool):
            _part(found[keyword], keyword)


def _part(part: Json, keyword: str) -> Json:
    """A schema inside another schema; true and false become the equivalent objects."""
    if isinstance(part, bool):
        return {} if part else {"not": {}}
    if not isinstance(part, dict):
        raise BrokenContractError(f"a schema with {kind(part)} in its {keyword}, not a schema")
    _check_schema(part)
    return part
