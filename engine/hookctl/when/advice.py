"""Writes a condition that Python, SQL, Jinja or JavaScript would understand as JMESPath."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping

from hookctl.when.advice_tokens import Token, UnreadableError, literal_text, quoted_text, tokens_of

MAX_LENGTH = 300
"""Characters of a condition that is read here."""
MAX_DEPTH = 15
"""Brackets, ``not`` and ``!`` inside one another."""

_BRACES = re.compile(r"\s*\{\{-?(.*?)-?\}\}\s*|\s*\{%-?\s*if\s(.*?)-?%\}\s*", re.DOTALL)
_WORDS = {"and": "&&", "or": "||", "not": "!"}
_COMPARISONS = {
    "=": "==",
    "===": "==",
    "!==": "!=",
    "<>": "!=",
    **{sign: sign for sign in ("==", "!=", "<", "<=", ">", ">=")},
}
_CONSTANTS = {"true": "`true`", "false": "`false`", **dict.fromkeys(("null", "none", "nil", "undefined"), "`null`")}
_FUNCTIONS: Mapping[str, str] = {
    **dict.fromkeys(("contains", "includes", "has"), "contains"),
    **dict.fromkeys(("startswith", "starts_with", "beginswith"), "starts_with"),
    **dict.fromkeys(("endswith", "ends_with"), "ends_with"),
}
"""Methods and operators, in lower case, that are functions of two arguments in JMESPath."""
_SIZES = frozenset({"length", "len", "count", "size"})
_PARENTHESIS = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|[()]""", re.DOTALL)
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_QUOTED_PATH = re.compile(r'"(data(?:\.[A-Za-z_]\w*)+|event_type|event_time)"', re.ASCII)
_ORDERS = frozenset({"<", "<=", ">", ">="})
_NUMBER_AS_TEXT = re.compile(r"'(-?[0-9]+(?:\.[0-9]+)?)'")
_CONSTANT = r"(?:'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)"
_EQUALITY = re.compile(rf"([^'`<>=!&|()]+) == {_CONSTANT}", re.DOTALL)
_ONE_CONSTANT = re.compile(_CONSTANT, re.DOTALL)
_ONE_NAME = re.compile(r'\("[^"\\]*"\)')
_TYPOGRAPHIC = str.maketrans("\u201c\u201d\u201e\u2018\u2019", '"""\'\'')
"""The quotes of word processors and chats."""


def rewrite(text: str, not_fields: Collection[int] = ()) -> str | None:
    """The condition in JMESPath's syntax; None if it cannot be read. The caller checks that it compiles.

    Args:
        text: the condition, in the syntax of JMESPath or of a similar language.
        not_fields: offsets of names that are not fields of the event, so they may be text, such as ``== High``.
    """
    if braces := _BRACES.fullmatch(text):
        text = (braces[1] or braces[2] or "").strip()
    text = text.translate(_TYPOGRAPHIC)
    if len(text) > MAX_LENGTH:
        return None
    try:
        return _Rewriter(tokens_of(text), not_fields).whole()
    except UnreadableError:
        return None


class _Rewriter:
    """Reads tokens by precedence, and writes each part as JMESPath."""

    def __init__(self, tokens: list[Token], not_fields: Collection[int]) -> None:
        self._tokens = tokens
        self._not_fields = not_fields
        self._at = 0
        self._depth = 0

    def whole(self) -> str:
        found = self._pipe()
        if self._peek().kind != "end":
            raise UnreadableError
        return found

    def _peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)]

    def _take(self) -> Token:
        token = self._peek()
        self._at += 1
        return token

    def _sign(self, ahead: int = 0) -> str:
        """The operator or bracket here, with ``and``, ``or`` and ``not`` as JMESPath writes them; else empty."""
        token = self._peek(ahead)
        if token.kind == "name":
            return _WORDS.get(token.text.lower(), "")
        return token.text if token.kind == "sign" else ""

    def _skip(self, sign: str) -> bool:
        if self._sign() != sign:
            return False
        self._at += 1
        return True

    def _expect(self, sign: str) -> None:
        if not self._skip(sign):
            raise UnreadableError

    def _pipe(self) -> str:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise UnreadableError
        found = self._or()
        while self._skip("|"):
            found += f" | {self._or()}"
        self._depth -= 1
        return found

    def _or(self) -> str:
        parts = [self._and()]
        while self._skip("||"):
            parts.append(self._and())
        return " || ".join(_completed(parts))

    def _and(self) -> str:
        found = self._not()
        while self._skip("&&") or self._skip("&"):
            found += f" && {self._not()}"
        return found

    def _not(self) -> str:
        if self._peek().kind == "name" and self._skip("!"):  # `not` applies to the whole comparison, `!` to a value
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise UnreadableError
            found = self._not()
            self._depth -= 1
            return _negated(found)
        return self._comparison()

    def _comparison(self) -> str:
        found = self._value()
        while True:
            word = self._peek().text.lower() if self._peek().kind == "name" else ""
            negated = self._sign() == "!" and word == "not" and self._peek(1).text.lower() in {"in", *_FUNCTIONS}
            word = self._peek(1).text.lower() if negated else word
            if word != "in" and word not in _FUNCTIONS and word != "is":
                if self._sign() not in _COMPARISONS:
                    return found
                sign, right = _COMPARISONS[self._take().text], self._value(is_right=True)
                if sign in _ORDERS and (number := _NUMBER_AS_TEXT.fullmatch(right)):
                    right = f"`{number[1]}`"
                found = f"{found} {sign} {right}"
                continue
            self._at += 1 + negated
            if word == "is":
                found = self._is(found)
                continue
            right = self._value(is_right=True)
            if word == "in" and (
                _ONE_CONSTANT.fullmatch(right[1:-1]) or _ONE_NAME.fullmatch(right)
            ):  # a list of one item, as in SQL
                right = f"[{right[1:-1]}]"
            call = f"contains({right}, {found})" if word == "in" else f"{_FUNCTIONS[word]}({found}, {right})"
            found = f"!{call}" if negated else call

    def _is(self, value: str) -> str:
        """``is not none`` and the like, after ``is``."""
        equal, unequal = ("!=", "==") if self._peek().kind == "name" and self._skip("!") else ("==", "!=")
        word = self._peek().text.lower()
        if word in {"defined", "undefined"}:
            self._at += 1
            return f"{value} {unequal if word == 'defined' else equal} `null`"
        return f"{value} {equal} {self._value(is_right=True)}"

    def _value(self, *, is_right: bool = False) -> str:
        if self._peek().kind == "sign" and self._skip("!"):
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise UnreadableError
            found = _negated(self._value())
            self._depth -= 1
            return found
        if self._sign() == "$" and self._sign(1) == ".":  # as in JSON paths
            self._at += 2
        found = self._first(is_right=is_right)
        while True:
            if self._sign() == "|" and self._peek(1).text in _SIZES and self._sign(2) != "(":
                self._at += 2
                found = f"length({found})"
            elif self._skip("."):
                found = self._member(found)
            elif self._skip("["):
                found += self._bracket()
            else:
                return found

    def _first(self, *, is_right: bool) -> str:
        token = self._take()
        if token.kind == "name":
            return self._call(token.text) if self._sign() == "(" else self._name(token, is_right=is_right)
        if token.kind == "sign":
            return self._begun(token.text, is_right=is_right)
        if token.kind == "end":
            raise UnreadableError
        if token.start in self._not_fields and (path := _QUOTED_PATH.fullmatch(token.text)):
            return path[1]
        if token.kind == "quoted" and (token.start not in self._not_fields or self._sign() in {".", "["}):
            return token.text
        return literal_text(token)

    def _begun(self, sign: str, *, is_right: bool) -> str:
        """A value that begins with a sign."""
        if sign == "(":
            items = self._list(")")
            return f"[{', '.join(items)}]" if len(items) != 1 else f"({items[0]})"
        if sign == "[":
            return self._opened(is_right=is_right)
        if sign == "&":
            return f"&{self._value()}"
        if sign not in {"@", "*"}:
            raise UnreadableError
        return sign

    def _opened(self, *, is_right: bool) -> str:
        """What follows a ``[`` that begins a value."""
        if self._skip("]"):
            return "`[]`" if is_right else "[]"
        if self._sign() in {"*", "?"} or (self._peek().kind == "number" and self._sign(1) == "]"):
            return self._index() if self._peek().kind == "number" and is_right else f"{self._bracket()}"
        return f"[{', '.join(self._list(']'))}]"

    def _index(self) -> str:
        """A list of one number, such as ``[5]``, which JMESPath would read as an index."""
        number = self._take().text
        self._expect("]")
        return f"[`{number}`]"

    def _list(self, end: str) -> list[str]:
        items: list[str] = []
        while not self._skip(end):
            if self._sign() == "&":
                self._at += 1
                items.append(f"&{self._value()}")
            else:
                items.append(self._pipe())
            if not self._skip(","):
                self._expect(end)
                break
        return items

    def _name(self, token: Token, *, is_right: bool) -> str:
        word, is_alone = token.text, self._sign() not in {".", "["}
        is_field = token.start not in self._not_fields
        if word.lower() in {*_WORDS, "in", "is"}:
            raise UnreadableError
        if is_alone and word.lower() in _CONSTANTS and (is_right or not is_field):
            return _CONSTANTS[word.lower()]
        return quoted_text(word) if is_alone and is_right and not is_field else word

    def _call(self, name: str) -> str:
        self._at += 1
        arguments = self._list(")")
        if name.lower() in {"exists", "defined"} and len(arguments) == 1:
            return f"{arguments[0]} != `null`"
        name = "length" if name in _SIZES else _FUNCTIONS.get(name.lower(), name)
        return f"{name}({', '.join(arguments)})"

    def _member(self, value: str) -> str:
        """What follows a dot after ``value``."""
        token = self._take()
        if token.kind == "name" and self._skip("("):
            arguments = self._list(")")
            if token.text in _SIZES and not arguments:
                return f"length({value})"
            name = _FUNCTIONS.get(token.text.lower())
            if name is None or len(arguments) != 1:
                raise UnreadableError
            return f"{name}({value}, {arguments[0]})"
        if token.kind == "name" and token.text in _SIZES and token.start in self._not_fields:
            return f"length({value})"
        if token.kind in {"name", "quoted"} or token.text == "*":
            return f"{value}.{token.text}"
        if token.text == "[":
            return f"{value}.[{', '.join(self._list(']'))}]"
        raise UnreadableError

    def _bracket(self) -> str:
        """What follows ``[`` after a value, up to ``]``: an index, a slice, a filter, or a key as in Python."""
        token = self._peek()
        if token.kind in {"raw", "quoted"}:
            self._at += 1
            self._expect("]")
            key = token.text[1:-1]
            return f".{key}" if _IDENTIFIER.fullmatch(key) else f".{json.dumps(key)}"
        if self._skip("?"):
            condition = self._pipe()
            self._expect("]")
            return f"[?{condition}]"
        inside = ""
        while not self._skip("]"):
            token = self._take()
            if token.kind != "number" and token.text not in {"*", ":"}:
                raise UnreadableError
            inside += token.text
        return f"[{inside}]"


def _completed(parts: list[str]) -> list[str]:
    """The parts of an ``or``, in which a constant alone, as in ``a == 'x' or 'y'``, is compared like the one before."""
    found: list[str] = []
    subject = ""
    for part in parts:
        if equality := _EQUALITY.fullmatch(part):
            subject = equality[1]
        found.append(f"{subject} == {part}" if subject and _ONE_CONSTANT.fullmatch(part) else part)
    return found


def _negated(value: str) -> str:
    """The negation. JMESPath reads ``!a.b`` as ``(!a).b``, so only a call or a single name needs no parentheses."""
    is_simple = _IDENTIFIER.fullmatch(value) or re.fullmatch(r"[a-z_]+\([^()]*\)", value) or _is_in_parentheses(value)
    return f"!{value}" if is_simple else f"!({value})"


def _is_in_parentheses(text: str) -> bool:
    """Whether the first parenthesis is closed by the last character. A value that was read is balanced."""
    depth = 0
    for match in _PARENTHESIS.finditer(text):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0 and match.end() < len(text):
            return False
    return text.startswith("(")
