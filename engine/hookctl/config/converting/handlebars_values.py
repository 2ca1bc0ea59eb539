"""Writes the values of Handlebars in the syntax of hookctl's templates."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_WORDS = 500
"""The words of one action."""
_KEY = r"(?:\[[^\]]*\]|[^\s!\"#%&'()*+,./;<=>@\[\\\]^`{|}~]+)"
_WORD = re.compile(
    rf"""\s*(?:(?P<text>"[^"]*"|'[^']*')|(?P<number>-?[0-9]+(?:\.[0-9]+)?)(?![\w.\[])
    |(?P<path>@?(?:\.\./)*(?:\.\.|\.|{_KEY}(?:[./]{_KEY})*))(?P<named>=)?|(?P<sign>[()]))""",
    re.VERBOSE,
)
_NAME = re.compile(r"[A-Za-z_]\w*")
_CONSTANTS = {"true": "true", "false": "false", "null": "none", "undefined": "none"}
_LOOP = {"index": "loop.index0", "first": "loop.first", "last": "loop.last"}
_FILTERS = {
    "json": "tojson", "toJSON": "tojson", "tojson": "tojson", "stringify": "tojson", "JSONstringify": "tojson",
    "jsonStringify": "tojson", "toJson": "tojson", "to_json": "tojson", "jsonEncode": "tojson",
    "uppercase": "upper", "upper": "upper", "toUpperCase": "upper", "upcase": "upper", "toUpper": "upper",
    "lowercase": "lower", "lower": "lower", "toLowerCase": "lower", "downcase": "lower", "toLower": "lower",
    "capitalize": "capitalize", "capitalizeFirst": "capitalize", "titleize": "title", "capitalizeAll": "title",
    "trim": "trim", "length": "length", "size": "length", "first": "first", "last": "last", "reverse": "reverse",
    "encodeURI": "urlencode", "encodeURIComponent": "urlencode", "urlEncode": "urlencode", "striptags": "striptags",
    "sanitize": "striptags", "stripHtml": "striptags", "toString": "string", "int": "int", "toInt": "int",
    "toFloat": "float",
    "abs": "abs", "round": "round", "sort": "sort", "unique": "unique", "base64": "b64encode", "escape": "",
}  # fmt: skip
"""Helpers of one value, and the filter of each; an empty name where hookctl encodes the value anyway."""
_OPERATORS = {
    "eq": "==", "equals": "==", "is": "==", "ifEquals": "==", "ifEq": "==", "if_eq": "==", "compare": "==",
    "ne": "!=", "neq": "!=", "isnt": "!=", "notEquals": "!=", "ifNotEquals": "!=", "unlessEq": "!=",
    "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "add": "+", "plus": "+", "subtract": "-", "minus": "-",
    "multiply": "*", "times": "*", "divide": "/", "in": "in",
}  # fmt: skip
_SECOND = {
    "default": "{0} | default({1}, true)",
    "defaultTo": "{0} | default({1}, true)",
    "coalesce": "{0} | default({1}, true)",
    "lookup": "{0}[{1}]",
    "join": "{0} | join({1})",
    "truncate": "{0} | truncate({1}, true, '', 0)",
    "includes": "{1} in {0}",
    "contains": "{1} in {0}",
    "inArray": "{1} in {0}",
    "itemAt": "{0}[{1}]",
    "pluck": "{0} | map(attribute={1}) | list",
    "remove": "{0} | replace({1}, '')",
}


class UnknownActionError(ValueError):
    """What hookctl's templates have no counterpart for."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a name means at a place of a template."""

    this: str
    """The path of ``this``; empty at the root, where a name is a field of the event."""
    outer: Scope | None = None
    names: dict[str, str] = field(default_factory=dict)
    """What ``as |name|`` declares."""
    key: str = ""
    """What ``@key`` is; empty outside of a loop over an object."""
    is_loop: bool = False


def value(text: str, scope: Scope) -> str:
    """The expression of an action's text, with a helper or without. Raises UnknownActionError."""
    found, rest = _helper(_words(text), scope, 0)
    if rest:
        raise UnknownActionError(text)
    return found


def _words(text: str) -> list[tuple[str, str]]:
    words: list[tuple[str, str]] = []
    at, text = 0, text.strip()
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None or match["named"] or len(words) >= MAX_WORDS:
            raise UnknownActionError(text)
        words.append((match.lastgroup or "", match[0].strip()))
        at = match.end()
    return words


def _helper(words: list[tuple[str, str]], scope: Scope, depth: int) -> tuple[str, list[tuple[str, str]]]:
    """The expression up to a closing bracket, and the words after it."""
    if depth > 20 or not words:
        raise UnknownActionError("nothing")
    if words[0][0] != "path" or len(words) == 1 or words[1][1] == ")":
        return _operand(words, scope, depth)
    name, rest = words[0][1], words[1:]
    operands: list[str] = []
    while rest and rest[0][1] != ")":
        operand, rest = _operand(rest, scope, depth)
        operands.append(operand)
    return _call(name, operands), rest


def _operand(words: list[tuple[str, str]], scope: Scope, depth: int) -> tuple[str, list[tuple[str, str]]]:
    (kind, word), rest = words[0], words[1:]
    if word == "(":
        inner, rest = _helper(rest, scope, depth + 1)
        if not rest or rest[0][1] != ")":
            raise UnknownActionError("a bracket is not closed")
        return f"({inner})" if " " in inner else inner, rest[1:]
    if kind == "text":
        return _string(word[1:-1]), rest
    if kind == "number":
        return word, rest
    if kind == "path":
        return path(word, scope), rest
    raise UnknownActionError(word)


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def _call(name: str, operands: list[str]) -> str:  # noqa: PLR0911 - one for each kind
    count = len(operands)
    if name in _FILTERS and count == 1:
        return f"{operands[0]} | {_FILTERS[name]}" if _FILTERS[name] else operands[0]
    if name in _OPERATORS and count == 2:
        return f"{operands[0]} {_OPERATORS[name]} {operands[1]}"
    if name in {"and", "or"} and count >= 2:
        return f" {name} ".join(operands)
    if name == "not" and count == 1:
        return f"not {operands[0]}"
    if name == "concat" and count >= 2:
        return " ~ ".join(operands)
    if name in _SECOND and count == 2:
        return _SECOND[name].format(*operands)
    if name == "replace" and count == 3:
        return f"{operands[0]} | replace({operands[1]}, {operands[2]})"
    if name in {"ifThenElse", "ternary", "iif"} and count == 3:
        return f"{operands[1]} if {operands[0]} else {operands[2]}"
    raise UnknownActionError(name)


def path(word: str, scope: Scope) -> str:
    """A path such as ``data.groups.[0].name``, ``this.name``, ``../id`` or ``@root.data.id``."""
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    if word.startswith("@"):
        return _data_variable(word[1:], scope)
    while word.startswith("..") and (word[2:3] in {"", "/"}):
        if scope.outer is None:
            raise UnknownActionError(word)
        scope, word = scope.outer, word[3:]
    keys = [one.strip("[]") if one.startswith("[") else one for one in re.findall(_KEY, word)]
    if keys and keys[0] == "this":
        keys = keys[1:]
    elif keys and (start := _declared(keys[0], scope)):
        return _steps(start, keys[1:])
    if not keys and not scope.this:
        raise UnknownActionError("this")  # the whole event has no name
    return _steps(scope.this, keys)


def _declared(name: str, scope: Scope | None) -> str:
    while scope is not None:
        if name in scope.names:
            return scope.names[name]
        scope = scope.outer
    return ""


def _data_variable(word: str, scope: Scope) -> str:
    name, _, rest = word.partition(".")
    if name == "root" and rest:
        while scope.outer is not None:
            scope = scope.outer
        return path(rest, scope)
    if not rest and scope.is_loop:
        if name == "key" and scope.key:
            return scope.key
        if name in _LOOP:
            return _LOOP[name]
    raise UnknownActionError(word)


def _steps(start: str, keys: list[str]) -> str:
    for key in keys:
        if key.isdecimal():
            start = f"{start}[{key}]"
        elif _NAME.fullmatch(key):
            start = f"{start}.{key}" if start else key
        elif '"' in key or "\\" in key:
            raise UnknownActionError(key)
        else:
            start = f'{start or "data"}["{key}"]'
    return start
