"""Reads Terraform's HCL: the resources of a file, with variables and locals whose values are in the same files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hookctl.config.converting.source_tree import SourceError
from hookctl.errors import SettingsError
from hookctl.model import Json, Pointer
from hookctl.model.source import SourceFile, Span

MAX_BYTES = 256 * 1024
"""The size of a file of Terraform. Larger ones take the parser many seconds."""
MAX_NESTING = 50
_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(["\\nrt]))')
_PLAIN = {"n": "\n", "r": "\r", "t": "\t"}
_HEREDOC = re.compile(r"\A<<(?P<indented>-)?\s*(?P<word>[\w.-]+)\n(?P<text>.*?)\n?[ \t]*(?P=word)\s*\Z", re.DOTALL)
_REFERENCE = re.compile(r"(?P<kind>var|local)\.(?P<name>[A-Za-z_][\w-]*)")
_TEMPLATE = re.compile(r"(?P<escape>\$\$\{|%%\{)|\$\{(?P<code>[^{}]{0,1000})\}")
_CALL = re.compile(r"(?P<name>jsonencode|trimspace|chomp|sensitive|nonsensitive|tostring)\((?P<inner>.*)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that only Terraform knows."""

    code: str
    """Its expression."""
    variable: str = ""
    """The name of the variable, if the expression is one."""


@dataclass(slots=True)
class Resource:
    """A resource with the values of its attributes. A value of type :class:`Unknown` is not known here."""

    type: str
    name: str
    values: Any
    source: SourceFile
    spans: dict[Pointer, Span] = field(default_factory=dict)

    def span(self, *pointer: str | int) -> Span | None:
        """The place of an attribute, or of the nearest one around it."""
        for length in range(len(pointer), -1, -1):
            if found := self.spans.get(pointer[:length]):
                return found
        return None


def read_terraform(sources: Sequence[SourceFile]) -> list[Resource]:
    """The resources of files that make up one module. Raises SourceError, SettingsError without python-hcl2."""
    documents = [(source, _document(source)) for source in sources]
    known: dict[str, Any] = {}
    for _, document in documents:
        for block in document.get("variable", ()):
            for name, body in block.items():
                if isinstance(body, dict) and "default" in body:
                    known[f"var.{_unquoted(name)}"] = body["default"]
        for block in document.get("locals", ()):
            known |= {f"local.{_unquoted(name)}": value for name, value in block.items() if not name.startswith("__")}
    values = _Values(known)
    resources: list[Resource] = []
    for source, document in documents:
        places = _places(source)
        for block in document.get("resource", ()):
            for kind, inner in block.items():
                for name, body in inner.items() if isinstance(inner, dict) else ():
                    key = _unquoted(kind), _unquoted(name)
                    resources.append(Resource(*key, values.of(body), source, places.get(key, {})))
    return resources


def _hcl() -> Any:
    try:
        import hcl2
    except ImportError as error:
        raise SettingsError(
            "to read Terraform files, hookctl needs python-hcl2", hint="Install it: pip install 'hookctl[import]'."
        ) from error
    return hcl2


def _document(source: SourceFile) -> Mapping[str, Any]:
    try:
        return _parse(source)
    except SourceError as error:
        error.source = source
        raise


def _parse(source: SourceFile) -> Mapping[str, Any]:
    _refuse_deep(source.text)
    hcl2 = _hcl()
    try:
        document: Mapping[str, Any] = hcl2.loads(f"{source.text}\n")
    except RecursionError:
        raise SourceError("the file is nested too deeply", "Split it.") from None
    except Exception as error:  # the parser raises errors of several libraries
        line, column = getattr(error, "line", 1), getattr(error, "column", 1)
        line, column = (max(one, 1) if isinstance(one, int) else 1 for one in (line, column))
        raise SourceError(
            "the file is not valid Terraform", "Run `terraform validate`.", Span(line, column, line, column + 1)
        ) from error
    return document


def _refuse_deep(text: str) -> None:
    """Raise SourceError for a text that is too large or nested too deeply for the parser."""
    if len(text.encode()) > MAX_BYTES:
        raise SourceError(f"the file is larger than {MAX_BYTES:,} bytes", "Split it into several files.")
    depth = 0
    for match in re.finditer(r"[({\[]|[)}\]]", text):
        depth = depth + 1 if match[0] in "({[" else max(depth - 1, 0)
        if depth > MAX_NESTING:
            raise SourceError(f"the file is nested more than {MAX_NESTING} levels deep", "Write it with less nesting.")


class _Values:
    """Evaluates what hcl2 returns: strings as they are written, and expressions as text in ``${ }``."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known = known
        self._left = 20_000

    def of(self, value: Any, depth: int = 0) -> Any:  # noqa: PLR0911 - one for each kind
        """The value of an attribute, or :class:`Unknown` in its place."""
        self._left -= 1
        if depth > MAX_NESTING or self._left < 0:
            return Unknown("...")
        if isinstance(value, dict):
            return {_unquoted(key): self.of(one, depth + 1) for key, one in value.items() if not key.startswith("__")}
        if isinstance(value, list):
            return [self.of(one, depth + 1) for one in value]
        if not isinstance(value, str):
            return value
        text = value.strip()
        if text.startswith("${") and text.endswith("}"):
            return self._expression(text[2:-1].strip(), depth)
        if text.startswith(('"<<', "<<")):
            return self._template(_heredoc(text.strip('"') if text.startswith('"') else text), depth)
        if len(text) >= 2 and text[0] == text[-1] == '"':
            return self._template(_unescaped(text[1:-1]), depth)
        if text in {"true", "false", "null"}:
            return {"true": True, "false": False, "null": None}[text]
        return self._expression(text, depth)

    def _expression(self, code: str, depth: int) -> Any:
        if found := _REFERENCE.fullmatch(code):
            if code in self._known and depth < MAX_NESTING:
                return self.of(self._known[code], depth + 5)
            return Unknown(code, found["name"])
        if call := _CALL.fullmatch(code):
            inner = self._literal(call["inner"].strip().rstrip(","), depth)
            if call["name"] != "jsonencode" or isinstance(inner, Unknown):
                return inner.strip() if isinstance(inner, str) and call["name"] in {"trimspace", "chomp"} else inner
            return Unknown(code) if _has_unknown(inner) else json.dumps(inner, indent=2, ensure_ascii=False) + "\n"
        return Unknown(code)

    def _literal(self, code: str, depth: int) -> Any:
        """The value of an argument, which is parsed as an attribute of its own."""
        if depth > 10:
            return Unknown(code)
        try:
            value = _hcl().loads(f"value = {code}\n")["value"]
        except Exception:  # noqa: BLE001 - as above
            return Unknown(code)
        return self.of(value, depth + 5)

    def _template(self, text: str, depth: int) -> Any:
        """A text with the values of its interpolations; :class:`Unknown` if one is not known."""
        unknown: list[Unknown] = []

        def one(match: re.Match[str]) -> str:
            if match["escape"]:
                return match["escape"][1:]
            value = self._expression(match["code"].strip(), depth + 1)
            if isinstance(value, Unknown):
                unknown.append(value)
                return f"${{env:{variable_of(value)}}}"
            return value if isinstance(value, str) else json.dumps(value)

        result = _TEMPLATE.sub(one, text)
        return Partly(result, tuple(unknown)) if unknown else result


@dataclass(frozen=True, slots=True)
class Partly:
    """A text with a reference in place of each interpolation that only Terraform knows."""

    text: str
    unknown: tuple[Unknown, ...]


def variable_of(unknown: Unknown) -> str:
    """The name of an environment variable for a value that only Terraform knows."""
    words = (
        re.sub(r"[^A-Z0-9]+", "_", (unknown.variable or unknown.code).upper()).strip("_")[:60].rstrip("_") or "VALUE"
    )
    return f"_{words}" if words[0].isdigit() else words


def _has_unknown(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(_has_unknown(one) for one in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, Unknown | Partly)


def _unquoted(key: str) -> str:
    return _unescaped(key[1:-1]) if len(key) >= 2 and key[0] == key[-1] == '"' else key


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        if match[3]:
            return _PLAIN.get(match[3], match[3])
        number = int(match[1] or match[2], 16)
        return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"

    return _ESCAPE.sub(one, text)


def _heredoc(text: str) -> str:
    """The text of a heredoc; with ``<<-`` without the white space that all its lines begin with."""
    match = _HEREDOC.match(text)
    if match is None:
        return text
    lines = match["text"].split("\n")
    if match["indented"]:
        indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
        lines = [line[min(indents, default=0) :] for line in lines]
    return "\n".join([*lines, ""])


def _places(source: SourceFile) -> dict[tuple[str, str], dict[Pointer, Span]]:
    """Where the attributes of each resource are, found by the names at the beginning of their lines."""
    found: dict[tuple[str, str], dict[Pointer, Span]] = {}
    spans: dict[Pointer, Span] | None = None
    path: list[str] = []
    for number, line in enumerate(source.text.split("\n"), 1):
        if head := re.match(r'resource\s+"?([\w-]+)"?\s+"?([\w-]+)"?\s*\{', line):
            spans = found.setdefault((head[1], head[2]), {(): Span(number, 1, number, len(line) + 1)})
            path = []
            continue
        if spans is None:
            continue
        for name, column in _names(line):
            spans.setdefault((*path, name), Span(number, column, number, column + len(name)))
        if opened := re.search(r'"?([\w-]+)"?\s*[=:]\s*\{\s*$', line):
            path.append(opened[1])
        elif re.match(r"\s*\}", line) and path:
            path.pop()
    return found


def _names(line: str) -> Iterator[tuple[str, int]]:
    if match := re.match(r'\s*"?([\w-]+)"?\s*[=:](?!=)', line):
        yield match[1], match.start(1) + 1


JsonOrUnknown = Json | Unknown | Partly
