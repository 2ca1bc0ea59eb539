"""Converts Handlebars to Jinja."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hookctl.config.converting.blocks import Converted, Unknown, literal, too_large
from hookctl.config.converting.handlebars_values import Scope, UnknownActionError, path, value

_ACTION = re.compile(
    r"""(?P<escaped>\\)?(?:\{\{(?P<cl>~)?!--(?P<long>.{0,2000}?)--(?P<cr>~)?\}\}
    |\{\{(?P<left>~)?(?P<triple>\{)?(?P<code>(?:"[^"{}]*"|'[^'{}]*'|[^"'{}~])*+)(?(triple)\})(?P<right>~)?\}\})""",
    re.VERBOSE | re.DOTALL,
)
_EACH = re.compile(r"(?P<list>.+?)(?:\s+as\s+\|\s*(?P<item>\w+)(?:\s+(?P<index>\w+))?\s*\|)?", re.DOTALL)
_NAMES = ("item", "inner", "third", "fourth", "fifth", "sixth")
"""What the items of loops are called, from the outermost."""
_CONDITIONS = {"eq", "equals", "ifEquals", "ifEq", "if_eq", "is", "ne", "neq", "isnt", "ifNotEquals", "gt", "gte", "lt",
               "lte", "and", "or", "not", "contains", "includes", "compare", "unlessEq"}  # fmt: skip
"""Helpers that are used as blocks, and mean a condition."""
MAX_OPEN = 20
"""The nesting of blocks."""


@dataclass(slots=True)
class _Block:
    name: str
    end: str
    """The tag that closes it; empty if none does."""
    outside: Scope
    is_left: bool = False
    """Whether its tags stay as they are, because its beginning has no counterpart."""


def handlebars_to_jinja(text: str) -> Converted:
    """The template in hookctl's syntax. What has no counterpart stays as it is."""
    return too_large(text) or _Converter(text).convert()


class _Converter:
    def __init__(self, text: str) -> None:
        self._text = text
        self._open: list[_Block] = []
        self._scope = Scope("")
        self._unknown: list[Unknown] = []

    def convert(self) -> Converted:
        pieces: list[str] = []
        at = 0
        for match in _ACTION.finditer(self._text):
            pieces += [literal(self._text[at : match.start()]), self._one(match)]
            at = match.end()
        pieces.append(literal(self._text[at:]))
        if self._open:
            self._unknown.append(Unknown(""))
        return Converted("".join(pieces), self._unknown)

    def _one(self, match: re.Match[str]) -> str:
        if match["escaped"]:
            return f"{{% raw %}}{match[0][1:]}{{% endraw %}}"
        if match["long"] is not None:
            return self._comment(match["long"], match["cl"], match["cr"])
        code = match["code"].strip()
        if code.startswith("!"):
            return self._comment(code[1:], match["left"], match["right"])
        try:
            kind, words = self._action(code, match.end())
        except UnknownActionError:
            self._unknown.append(Unknown(match[0]))
            return match[0]
        left, right = ("-" if match[side] else "" for side in ("left", "right"))
        if not words:
            return ""
        return f"{{%{left} {words} {right}%}}" if kind == "tag" else f"{{{{{left} {words} {right}}}}}"

    def _comment(self, text: str, left: str | None, right: str | None) -> str:
        inside = text.strip().replace("#}", "").replace("{#", "")
        return f"{{#{'-' if left else ''} {inside} {'-' if right else ''}#}}"

    def _action(self, code: str, end: int) -> tuple[str, str]:
        """Whether it is a tag or an output, and what is in it. Raises UnknownActionError."""
        if code.startswith("#"):
            return "tag", self._begin(code[1:].strip(), end)
        if code.startswith("/"):
            return "tag", self._end(code[1:].strip())
        if code in {"^", "else"} or code.startswith("else "):
            return "tag", self._else(code[1:].strip() if code == "^" else code[4:].strip())
        if code.startswith((">", "^", "*")):
            raise UnknownActionError(code)
        return "output", value(code.removeprefix("&"), self._scope)

    def _begin(self, code: str, end: int) -> str:
        name, _, rest = code.partition(" ")
        block = _Block(name, "", self._scope)
        self._open.append(block)
        try:
            return self._opened(block, name, rest.strip(), end)
        except UnknownActionError:
            block.is_left = True
            raise

    def _opened(self, block: _Block, name: str, rest: str, end: int) -> str:
        if len(self._open) > MAX_OPEN:
            raise UnknownActionError(name)
        if name in {"if", "unless"}:
            block.end = "endif"
            condition = value(rest, self._scope)
            return f"if {condition}" if name == "if" else f"if {_negated(condition)}"
        if name in _CONDITIONS:
            block.end = "endif"
            return f"if {value(f'{name} {rest}', self._scope)}"
        if name == "with":
            match = _EACH.fullmatch(rest)
            where = path(match["list"], self._scope) if match else ""
            names = {match["item"]: where} if match and match["item"] else {}
            block.end = "endif"
            self._scope = Scope(where, self._scope, names, self._scope.key, self._scope.is_loop)
            return f"if {where}"
        if name == "each":
            block.end = "endfor"
            return self._each(rest, end)
        raise UnknownActionError(name)

    def _each(self, rest: str, end: int) -> str:
        match = _EACH.fullmatch(rest)
        loops = sum(block.end == "endfor" for block in self._open) - 1
        if match is None or loops >= len(_NAMES):
            raise UnknownActionError(rest)
        items = value(match["list"], self._scope)
        item = match["item"] or _NAMES[loops]
        names = {item: item} if match["item"] else {}
        uses_key = re.search(r"@key\b", self._text[end : self._end_of_each(end)]) is not None
        if uses_key:
            key = match["index"] or ("key" if loops == 0 else f"{item}_key")
            if match["index"]:
                names[key] = key
            self._scope = Scope(item, self._scope, names, key, is_loop=True)
            return f"for {key}, {item} in {items} | items"
        if match["index"]:
            names[match["index"]] = "loop.index0"
        self._scope = Scope(item, self._scope, names, is_loop=True)
        return f"for {item} in {items}"

    def _end_of_each(self, start: int) -> int:
        """Where the loop that begins before ``start`` ends; loops inside count with it."""
        depth = 1
        for match in re.finditer(r"\{\{~?\s*([#/])each\b", self._text[start:]):
            depth += 1 if match[1] == "#" else -1
            if depth == 0:
                return start + match.start()
        return len(self._text)

    def _end(self, name: str) -> str:
        if not self._open or (self._open[-1].name != name and name):
            raise UnknownActionError(name)
        block = self._open.pop()
        self._scope = block.outside
        if block.is_left:
            raise UnknownActionError(name)
        return block.end

    def _else(self, rest: str) -> str:
        if not self._open or self._open[-1].is_left:
            raise UnknownActionError("else")
        block = self._open[-1]
        self._scope = block.outside
        if not rest:
            return "else"
        name, _, condition = rest.partition(" ")
        if block.end != "endif" or name not in {"if", *_CONDITIONS}:
            raise UnknownActionError(rest)
        return f"elif {value(condition if name == 'if' else rest, self._scope)}"


def _negated(condition: str) -> str:
    return f"not {condition}" if re.fullmatch(r"[\w.\[\]\"]+", condition) else f"not ({condition})"
