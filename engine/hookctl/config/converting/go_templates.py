"""Converts Go templates, as Alertmanager has them, to Jinja."""

from __future__ import annotations

import re

from hookctl.config.converting.blocks import Converted, Unknown, literal, too_large
from hookctl.config.converting.go_values import PAIR, Scope, UnknownActionError, pipeline

_ACTION = re.compile(
    r"""\{\{(?P<left>-(?=\s))?(?P<action>\s*+/\*.{0,2000}?\*/(?:(?!\s-\}\})\s)*+
    |(?:"(?:[^"\\{}]|\\.)*+"|`[^`{}]*`|(?!\s-\}\})[^"`{}])*+)
    (?P<right>\s-)?\}\}""",
    re.VERBOSE | re.DOTALL,
)
_RANGE = re.compile(r"range\s+(?:\$(?P<first>\w+)\s*(?:,\s*\$(?P<second>\w+)\s*)?:=\s*)?(?P<list>.+)", re.DOTALL)
_SET = re.compile(r"\$(?P<name>\w+)\s*:=\s*(?P<value>.+)", re.DOTALL)
MAX_VALUE = 1000
"""The characters of a variable's value, which is written wherever the variable is used."""
_NAMES = ("item", "inner", "third", "fourth", "fifth", "sixth")
"""What the items of loops are called, from the outermost."""


def go_to_jinja(text: str, *, root: str = "data") -> Converted:
    """The template in hookctl's syntax, where ``.`` is the path ``root``. What has no counterpart stays as it is."""
    return too_large(text) or _Converter(root).convert(text)


class _Converter:
    def __init__(self, root: str) -> None:
        self._open: list[tuple[str, Scope]] = []
        """The end of each open block, and the scope outside of it."""
        self._scope = Scope(root, root=root)
        self._unknown: list[Unknown] = []

    def convert(self, text: str) -> Converted:
        pieces: list[str] = []
        at = 0
        for match in _ACTION.finditer(text):
            pieces += [literal(text[at : match.start()]), self._one(match)]
            at = match.end()
        pieces.append(literal(text[at:]))
        if self._open:
            self._unknown.append(Unknown(""))
        return Converted("".join(pieces), self._unknown)

    def _one(self, match: re.Match[str]) -> str:
        try:
            kind, code = self._action(match["action"].strip())
        except UnknownActionError:
            self._unknown.append(Unknown(match[0]))
            return match[0]
        if not kind:
            return ""
        opening, closing = {"%": ("{%", "%}"), "{": ("{{", "}}"), "#": ("{#", "#}")}[kind]
        return f"{opening}{match['left'] or ''} {code} {(match['right'] or '').strip()}{closing}"

    def _action(self, text: str) -> tuple[str, str]:  # noqa: PLR0911 - one for each word
        """The kind of tag, and what is in it. Raises UnknownActionError."""
        if text.startswith("/*"):
            return "#", text[2:-2].strip().replace("#}", "")
        word, _, rest = text.partition(" ")
        if word == "end":
            return self._end()
        if word == "else":
            return self._else(rest.strip())
        if word == "if":
            return "%", self._begin("endif", f"if {pipeline(rest, self._scope)}", self._scope)
        if word == "with":
            value = pipeline(rest, self._scope)
            return "%", self._begin("endif", f"if {value}", self._scope.inner(value))
        if word == "range":
            return "%", self._range(text)
        if found := _SET.fullmatch(text):
            value = pipeline(found["value"], self._scope)
            if len(value) > MAX_VALUE:
                raise UnknownActionError(text)
            self._scope = self._scope.inner(self._scope.dot, **{found["name"]: value})
            return "", ""  # what it stands for is written where it is used
        return "{", pipeline(text, self._scope)

    def _begin(self, end: str, code: str, inner: Scope) -> str:
        self._open.append((end, self._scope))
        self._scope = inner
        return code

    def _end(self) -> tuple[str, str]:
        if not self._open:
            raise UnknownActionError("end")
        end, self._scope = self._open.pop()
        return "%", end

    def _else(self, rest: str) -> tuple[str, str]:
        if not self._open:
            raise UnknownActionError("else")
        end, outside = self._open[-1]
        self._scope = outside
        if rest.startswith("if ") and end == "endif":
            return "%", f"elif {pipeline(rest[3:], outside)}"
        if rest:
            raise UnknownActionError(rest)
        return "%", "else"

    def _range(self, text: str) -> str:
        match = _RANGE.fullmatch(text)
        if match is None:
            raise UnknownActionError(text)
        loops = sum(end == "endfor" for end, _ in self._open)
        if loops >= len(_NAMES):
            raise UnknownActionError(text)
        value = pipeline(match["list"], self._scope)
        name, first, second = _NAMES[loops], match["first"], match["second"]
        if value.endswith("dictsort"):
            if first:
                raise UnknownActionError(text)
            return self._begin("endfor", f"for key, value in {value}", self._scope.inner(PAIR))
        if first and second and value.lower().endswith(("labels", "annotations")):
            inner = self._scope.inner(second, **{first: first, second: second})
            return self._begin("endfor", f"for {first}, {second} in {value} | dictsort", inner)
        variable = second or first
        own = {variable: variable} if variable else {}
        if first and second:
            own[first] = "loop.index0"
        return self._begin("endfor", f"for {variable or name} in {value}", self._scope.inner(variable or name, **own))
