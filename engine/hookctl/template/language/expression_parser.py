"""Parses the tokens of one expression: the part of Jinja's expression syntax that templates may use."""

from __future__ import annotations

import json
import re

from hookctl.errors import TemplateError
from hookctl.json.paths import Step
from hookctl.model import Json
from hookctl.model.rules.rule import Rule
from hookctl.model.rules.texts import TEMPLATE_SYNTAX, TEMPLATE_TOO_LARGE, TEMPLATE_UNSAFE
from hookctl.template.language.expressions import (
    Choice,
    Compare,
    Const,
    Expression,
    Filtered,
    ListOf,
    Logic,
    Not,
    Path,
    Test,
)
from hookctl.template.language.lexer import Token

MAX_DEPTH = 25
"""The maximum nesting of parentheses, lists and ``not``."""

_WORDS: dict[str, Json] = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "none": None,
    "None": None,
    "null": None,
}
_RESERVED = frozenset({"and", "or", "not", "in", "is", "if", "else", "elif", "for", "endif", "endfor"})
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_UNSAFE = {
    "(": ("a value cannot be called", "Use a filter: value | name(...)."),
    "{": (
        "an object cannot be written in an expression",
        "Write the object as JSON around expressions, with a space between { and {{; {} is the empty one.",
    ),
    "~": ("'~' is not part of templates", "Put the expressions side by side in one string."),
} | dict.fromkeys(
    ("+", "-", "*", "/", "%", "**", "//"),
    ("arithmetic is not part of templates", "Let the event's publisher or the receiver compute it."),
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\\": "\\", "/": "/", '"': '"', "'": "'"}


class ExpressionParser:
    """Reads expressions from the tokens of one segment, left to right. Every method raises TemplateError."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    @property
    def token(self) -> Token:
        """The next token."""
        return self._tokens[self._at]

    def advance(self) -> Token:
        """Consume the next token. The end token is never consumed."""
        token = self.token
        if token.kind != "end":
            self._at += 1
        return token

    def take(self, text: str) -> bool:
        """Consume the next token if it is this word or operator."""
        token = self.token
        if token.text != text or token.kind not in {"name", "operator"}:
            return False
        self._at += 1
        return True

    def expect(self, text: str, why: str) -> Token:
        """Consume this word or operator, or raise an error that it is missing."""
        token = self.token
        if not self.take(text):
            raise self.error(f"{text!r} is missing {why}", hint=f"Write {text} before {token.text!r}.")
        return token

    def name(self, what: str) -> Token:
        """Consume a name that is not a reserved word."""
        token = self.token
        if token.kind != "name" or token.text in _RESERVED:
            raise self.error(f"{what} is missing", hint=f"Write a name in place of {token.text!r}.")
        return self.advance()

    def finish(self) -> None:
        """Raise an error unless all tokens are consumed."""
        token = self.token
        if token.kind == "end":
            return
        if token.text in _UNSAFE:
            message, hint = _UNSAFE[token.text]
            raise self.error(message, hint=hint, rule=TEMPLATE_UNSAFE)
        raise self.error(f"{token.text!r} is not expected here", hint="Remove it, or end the expression before it.")

    def error(self, message: str, *, hint: str, rule: Rule = TEMPLATE_SYNTAX) -> TemplateError:
        """An error at the next token."""
        return rule.error(self.token.start, self.token.end, what=message, fix=hint)

    def expression(self) -> Expression:
        """Parse an expression of any kind."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.error(
                f"the expression is nested deeper than {MAX_DEPTH}", hint="Split it.", rule=TEMPLATE_TOO_LARGE
            )
        value = self.logic("or")
        if self.take("if"):
            condition = self.logic("or")
            self.expect("else", "after 'if': a value is always written")
            no = self.expression()
            value = Choice(condition, value, no, value.start, no.end)
        self._depth -= 1
        return value

    def logic(self, operator: str) -> Expression:
        """Parse operands of ``or``, each of which consists of operands of ``and``."""
        operands = [self.logic("and") if operator == "or" else self._negation()]
        while self.take(operator):
            operands.append(self.logic("and") if operator == "or" else self._negation())
        if len(operands) == 1:
            return operands[0]
        return Logic(operator, tuple(operands), operands[0].start, operands[-1].end)

    def _negation(self) -> Expression:
        start = self.token.start
        count = 0
        while self.take("not"):
            count += 1
        value = self._comparison()
        return value if count == 0 else Not(value if count % 2 else Not(value, start, value.end), start, value.end)

    def _comparison(self) -> Expression:
        left = self.filtered()
        if self.take("is"):
            return self._test(left)
        operator = self.token.text if self.token.kind in {"operator", "name"} else ""
        if operator in _COMPARISONS or operator == "in":
            self.advance()
        elif operator == "not":
            self.advance()
            self.expect("in", "after 'not'")
            operator = "not in"
        else:
            return left
        right = self.filtered()
        if self.token.text in _COMPARISONS:
            raise self.error("comparisons cannot be chained", hint="Join two comparisons by 'and'.")
        return Compare(operator, left, right, left.start, right.end)

    def _test(self, value: Expression) -> Expression:
        negated = self.take("not")
        end = self.token.end
        name = self.token.text.lower()
        if name not in {"defined", "none"}:
            raise self.error(
                f"unknown test {self.token.text!r}",
                hint="The tests are 'is defined' and 'is none'; otherwise, compare with ==.",
            )
        self.advance()
        test = Test(name, value, value.start, end)
        return Not(test, value.start, end) if negated else test

    def filtered(self) -> Expression:
        """Parse a value and the filters after it."""
        value = self._postfix(self._primary())
        while self.take("|"):
            name = self.name("the filter's name")
            arguments: list[Expression] = []
            keywords: list[tuple[str, Expression]] = []
            end = name.end
            if self.take("("):
                end = self._arguments(arguments, keywords)
            value = Filtered(value, name.text, tuple(arguments), tuple(keywords), name.start, value.start, end)
        return value

    def _arguments(self, arguments: list[Expression], keywords: list[tuple[str, Expression]]) -> int:
        while self.token.text != ")" or self.token.kind != "operator":
            following = self._tokens[min(self._at + 1, len(self._tokens) - 1)]
            if self.token.kind == "name" and following.text == "=":
                name = self.advance().text
                self.advance()
                keywords.append((name, self.expression()))
            elif keywords:
                raise self.error("a plain argument follows a named one", hint="Write the named ones last.")
            else:
                arguments.append(self.expression())
            if not self.take(","):
                break
        return self.expect(")", "after the arguments").end

    def _primary(self) -> Expression:
        token = self.token
        constant = self._constant(token)
        if constant is not None:
            return constant
        if self.take("("):
            value = self.expression()
            self.expect(")", "to close '('")
            return value
        if self.take("["):
            return self._list(token.start)
        if token.text in _UNSAFE:
            message, hint = _UNSAFE[token.text]
            raise self.error(message, hint=hint, rule=TEMPLATE_UNSAFE)
        name = self.name("a value")
        return Path(name.text, (), name.start, name.end)

    def _constant(self, token: Token) -> Const | None:
        following = self._tokens[min(self._at + 1, len(self._tokens) - 1)]
        if token.kind == "string":
            return self._string()
        if token.kind == "number" or (token.text == "-" and following.kind == "number"):
            return self._number()
        if token.kind == "name" and token.text in _WORDS:
            self.advance()
            return _constant(_WORDS[token.text], token.start, token.end)
        if token.text == "{" and following.text == "}":
            self.advance()
            return _constant({}, token.start, self.advance().end)
        return None

    def _list(self, start: int) -> Expression:
        items: list[Expression] = []
        while self.token.text != "]" or self.token.kind != "operator":
            items.append(self.expression())
            if not self.take(","):
                break
        return ListOf(tuple(items), start, self.expect("]", "to close '['").end)

    def _postfix(self, value: Expression) -> Expression:
        while self.token.kind == "operator" and self.token.text in {".", "[", "("}:
            if self.token.text == "(":
                message, hint = _UNSAFE["("]
                raise self.error(message, hint=hint, rule=TEMPLATE_UNSAFE)
            if not isinstance(value, Path):
                raise self.error("only a path can have further steps", hint="Write the step before the filter.")
            steps, end = self._steps()
            value = Path(value.root, value.steps + steps, value.start, end)
        return value

    def _steps(self) -> tuple[tuple[Step, ...], int]:
        if self.take("."):
            token = self.advance()
            if token.kind == "name":
                return (token.text,), token.end
            if token.kind == "number" and token.text.replace(".", "").isdigit():
                return tuple(_index(part, token) for part in token.text.split(".")), token.end
            raise TEMPLATE_SYNTAX.error(
                token.start, token.end, what="a key is missing after '.'", fix='Write a.key, a[0] or a["key"].'
            )
        self.expect("[", "")
        value = self._primary()
        step = value.value if isinstance(value, Const) else None
        if isinstance(step, bool) or not isinstance(step, (str, int)):
            raise TEMPLATE_SYNTAX.error(
                value.start,
                value.end,
                what="only a key in quotes or an index is allowed in [ ]",
                fix='Write a["key"] or a[0].',
            )
        return (step,), self.expect("]", "to close '['").end

    def _string(self) -> Const:
        token = self.advance()

        def unescape(match: re.Match[str]) -> str:
            code, character = match.groups()
            if code:
                return chr(int(code, 16))
            if character not in _ESCAPES:
                raise TEMPLATE_SYNTAX.error(
                    token.start,
                    token.end,
                    what=f"\\{character} has no meaning in a text",
                    fix="Write \\\\ for a backslash.",
                )
            return _ESCAPES[character]

        return _constant(_ESCAPE.sub(unescape, token.text[1:-1]), token.start, token.end)

    def _number(self) -> Const:
        start = self.token.start
        sign = "-" if self.take("-") else ""
        token = self.advance()
        is_float = not token.text.isdigit()
        value: Json = float(sign + token.text) if is_float else int(sign + _index_text(token))
        return _constant(value, start, token.end)


def _constant(value: Json, start: int, end: int) -> Const:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError:
        raise TEMPLATE_SYNTAX.error(
            start,
            end,
            what="the constant is not a JSON value",
            fix="Write a finite number, or a text without lone surrogates.",
        ) from None
    return Const(text, value, start, end)


def _index_text(token: Token) -> str:
    if len(token.text) > 20:  # Python refuses int() of a very long text, and no index or threshold needs one
        raise TEMPLATE_TOO_LARGE.error(
            token.start, token.end, what="the number has more than 20 digits", fix="Write it in the body itself."
        )
    return token.text


def _index(text: str, token: Token) -> int:
    return int(_index_text(Token(token.kind, text, token.start, token.end)))
