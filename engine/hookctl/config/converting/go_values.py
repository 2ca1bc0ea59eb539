"""Writes the values of Go templates in the syntax of hookctl's templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_PARTS = 500
"""The words of one action."""
_WORD = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<number>-?[0-9]+(?:\.[0-9]+)?)(?![\w.])
    |(?P<path>\$\w*(?:\.\w+)*|\.(?:\w+(?:\.\w+)*)?)|(?P<name>[A-Za-z_][\w.]*)|(?P<sign>[()|]|:=|=|,))""",
    re.VERBOSE,
)
_OPERATORS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_FILTERS = {
    "toUpper": "upper", "upper": "upper", "toLower": "lower", "lower": "lower", "title": "title", "trimSpace": "trim",
    "trim": "trim", "len": "length", "toJson": "tojson", "toJSON": "tojson", "urlquery": "urlencode", "urlUnescape": "",
    "urlQueryEscape": "urlencode", "safeHtml": "", "safeUrl": "", "html": "html", "js": "", "quote": "",
    "b64enc": "b64encode",
    "stripHTML": "striptags",
}  # fmt: skip
"""Functions of one value, and the filter of each; an empty name where hookctl encodes the value anyway."""
_LISTS = {"Firing": "firing", "Resolved": "resolved"}
PAIR = "a pair of a key and its value"
"""What ``.`` is in a loop over ``.SortedPairs``."""
_PAIR = {"Name": "key", "Value": "value"}
_CONSTANTS = {"true": "true", "false": "false", "nil": "none"}


class UnknownActionError(ValueError):
    """What hookctl's templates have no counterpart for."""


@dataclass(slots=True)
class Scope:
    """What ``.`` and variables mean at a place of a template."""

    dot: str
    """The path that ``.`` is."""
    variables: dict[str, str] = field(default_factory=dict)
    """The path or name of each variable, without its ``$``."""
    root: str = "data"
    """The path that ``$`` is."""

    def inner(self, dot: str, **variables: str) -> Scope:
        """The scope inside of a block."""
        return Scope(dot, {**self.variables, **variables}, self.root)


def pipeline(text: str, scope: Scope) -> str:
    """The expression of a pipeline such as ``.Labels.team | toUpper``. Raises UnknownActionError."""
    words: list[tuple[str, str]] = []
    at = 0
    text = text.strip()
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None or len(words) >= MAX_PARTS:
            raise UnknownActionError(text)
        words.append((match.lastgroup or "", match[0].strip()))
        at = match.end()
    value, rest = _pipe(words, scope, 0)
    if rest:
        raise UnknownActionError(text)
    return value


def _pipe(words: list[tuple[str, str]], scope: Scope, depth: int) -> tuple[str, list[tuple[str, str]]]:
    """The expression at the beginning of the words, up to a closing bracket, and the words after it."""
    if depth > 20:
        raise UnknownActionError("nested too deeply")
    value: str | None = None
    while True:
        operands: list[str] = []
        name = ""
        if words and words[0][0] == "name" and words[0][1] not in _CONSTANTS:
            name, words = words[0][1], words[1:]
        while words and words[0][1] not in {")", "|"}:
            operand, words = _operand(words, scope, depth)
            operands.append(operand)
        if value is not None:
            operands.append(value)
        value = _call(name, operands)
        if not words or words[0][1] == ")":
            return value, words
        words = words[1:]


def _operand(words: list[tuple[str, str]], scope: Scope, depth: int) -> tuple[str, list[tuple[str, str]]]:
    (kind, word), rest = words[0], words[1:]
    if word == "(":
        value, rest = _pipe(rest, scope, depth + 1)
        if not rest:
            raise UnknownActionError("a bracket is not closed")
        value = f"({value})" if " " in value else value
        rest = rest[1:]
        if rest and rest[0][0] == "path" and rest[0][1].startswith("."):  # (index .Alerts 0).Labels
            value, rest = steps(value, rest[0][1].split(".")[1:]), rest[1:]
        return value, rest
    if kind == "path":
        return path(word, scope), rest
    if kind == "text":
        return _string(word), rest
    if kind == "number" or word in _CONSTANTS:
        return _CONSTANTS.get(word, word), rest
    if kind == "name":  # a function without arguments
        return _call(word, []), rest
    raise UnknownActionError(word)


def _string(word: str) -> str:
    text = word[1:-1]
    if word[0] == '"':
        text = re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), text)
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t")
    return f"'{escaped}'"


def path(word: str, scope: Scope) -> str:
    """A path such as ``.CommonLabels.alertname`` or ``$alert.Labels``."""
    if word.startswith("$"):
        name, *keys = word[1:].split(".")
        if name and name not in scope.variables:
            raise UnknownActionError(word)
        start = scope.variables[name] if name else scope.root
    else:
        start, keys = scope.dot, word[1:].split(".") if word != "." else []
    return steps(start, keys)


def steps(start: str, keys: list[str]) -> str:
    """A path with further keys, which have their names in JSON: ``Alerts.Firing`` are alerts with a status."""
    if start == PAIR:
        if len(keys) != 1 or keys[0] not in _PAIR:
            raise UnknownActionError(".".join(keys))
        return _PAIR[keys[0]]
    value = start
    labels = start.lower().endswith(("labels", "annotations"))
    for number, key in enumerate(keys):
        if key in _LISTS and value.endswith("alerts"):
            value = f"({value} | selectattr('status', 'eq', '{_LISTS[key]}') | list)"
        elif key in {"SortedPairs", "Names", "Values", "Remove"}:
            end = keys[number + 1 :]
            forms = {"SortedPairs": "dictsort", "Names": "jmespath('keys(@)')", "Values": "jmespath('values(@)')"}
            if key not in forms or end:
                raise UnknownActionError(key)
            value = f"{value} | {forms[key]}"
        else:
            plain = key if labels or not key[:1].isupper() else _json_name(key)
            value = f"{value}.{plain}"
            labels = labels or plain.lower().endswith(("labels", "annotations"))
    return value


def _json_name(key: str) -> str:
    return "externalURL" if key == "ExternalURL" else f"{key[0].lower()}{key[1:]}"


def _call(name: str, operands: list[str]) -> str:  # noqa: PLR0911 - one for each kind
    """What a function gives for its operands, of which a pipe adds the last."""
    count = len(operands)
    if not name:
        if count != 1:
            raise UnknownActionError(" ".join(operands))
        return operands[0]
    if name in _FILTERS and count == 1:
        return f"{operands[0]} | {_FILTERS[name]}" if _FILTERS[name] else operands[0]
    if name in _OPERATORS and count >= 2:
        first, *others = operands
        pairs = [f"{first} {_OPERATORS[name]} {other}" for other in others]
        return pairs[0] if len(pairs) == 1 else f"({' or '.join(pairs)})"
    if name in {"and", "or"} and count >= 2:
        return f"({f' {name} '.join(operands)})"
    if name == "not" and count == 1:
        return f"not {operands[0]}" if " " not in operands[0] else f"not ({operands[0]})"
    two: Mapping[str, str] = {
        "join": "{1} | join({0})",
        "default": "{1} | default({0}, true)",
        "contains": "{0} in {1}",
        "index": "{0}[{1}]",
        "trunc": "({1})[:{0}]",
    }
    if name in two and count == 2:
        return two[name].format(*operands)
    if name == "printf" and count >= 2:
        return _printf(*operands)
    raise UnknownActionError(name)


def _printf(form: str, *values: str) -> str:
    pieces = re.split(r"%[sdv]", form[1:-1])
    if form[:1] != "'" or len(pieces) != len(values) + 1 or "%" in "".join(pieces):
        raise UnknownActionError("printf")
    parts = [f"'{pieces[0]}'"] if pieces[0] else []
    for value, piece in zip(values, pieces[1:], strict=True):
        parts += [f"({value})" if " " in value else value, *([f"'{piece}'"] if piece else [])]
    return f"({' ~ '.join(parts)})"
