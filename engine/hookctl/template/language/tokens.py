"""Splits a template into the tokens that Jinja's parser reads, and remembers where each one is.

Jinja's own lexer keeps a line for each token. Its parser copies that number into the nodes without looking at it, so
the tokens made here carry their *number in a table* instead, and the table gives the offsets. Text, and outputs that
only name a path, are not given to the parser at all: it sees one data token for each stretch of them.

The syntax is Jinja's: ``{{ }}``, ``{% %}``, ``{# #}``, ``{% raw %}``, and a ``-`` inside a delimiter removes the
whitespace next to it.
"""

from __future__ import annotations

import re

from jinja2.lexer import Token, operators

from hookctl.errors import TemplateError
from hookctl.model.problem import Problem
from hookctl.model.rules.texts import TEMPLATE_SYNTAX, TEMPLATE_TOO_LARGE, TEMPLATE_UNSAFE
from hookctl.template.language import foreign
from hookctl.template.language.expressions import Output, Path, Text
from hookctl.template.language.literals import number_value, string_value
from hookctl.template.language.replacements import tag_advice
from hookctl.template.language.token_table import Segment, Tokens
from hookctl.template.language.words import KEYWORDS, PLAIN_OUTPUT

MAX_TOKENS = 500
"""Tokens of one expression or tag: far more than people write, and too few to overflow the stack of Jinja's parser."""
MAX_BRACKETS = 25
"""Brackets inside one another."""
MAX_TAG_DEPTH = 20
"""Tags inside one another."""
MAX_LOOP_DEPTH = 3
"""Loops inside one another."""

_OPENING = re.compile(r"\{[{%#]")
_WORDS = r"""
    (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
  | (?P<number>0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][-+]?\d+)?)
  | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<operator>==|!=|<=|>=|\*\*|//|[-+*/%~.|()\[\],<>={}:])"""
_TOKEN = re.compile(rf"\s*(?:(?P<end>-?\}}\}}|[-+]?%\}}){'|'}{_WORDS})", re.VERBOSE | re.DOTALL)
_TOKEN_IN_BRACKETS = re.compile(rf"\s*(?:{_WORDS})", re.VERBOSE | re.DOTALL)
"""Inside brackets ``}}`` closes two objects, not the expression."""
_INDEX = re.compile(r"\s*(?P<number>\d+)")
_WORD = re.compile(r"\s*([A-Za-z_]\w*)")
_RAW = re.compile(r"\{%[-+]?\s*raw\s*(-?)%\}")
_ENDRAW = re.compile(r"\{%([-+]?)\s*endraw\s*([-+]?)%\}")
_TARGETS = re.compile(r"\s*([A-Za-z_]\w*)(?:\s*,\s*([A-Za-z_]\w*))?\s+in\s")
_TARGET = re.compile(r"\s*([A-Za-z_]\w*)\s*=")
_CLOSING = {"{{": "}}", "{%": "%}"}
_PARTNERS = {"(": ")", "[": "]", "{": "}"}
_CONTINUES = {"elif": "if", "else": "if", "endif": "if", "endfor": "for"}
_JINJA_ENDS = {"{{": ("variable_begin", "variable_end"), "{%": ("block_begin", "block_end")}
HOLE = "\0"
"""The name given to Jinja's parser in the place of an expression that cannot be read."""


def tokenize(text: str, holes: frozenset[int] = frozenset()) -> Tokens:
    """The tokens of a template, with every problem that shows without a parser.

    ``holes`` are the offsets of expressions and tags that the parser could not read. A hole takes the place of each.
    """
    tokenizer = _Tokenizer(text, holes)
    tokenizer.run()
    return tokenizer.tokens


class _Tokenizer:
    def __init__(self, text: str, holes: frozenset[int]) -> None:
        self.tokens = Tokens(text)
        self._text = text
        self._holes = holes
        self._stretch: list[Text | Output] = []
        self._open: list[Segment] = []
        self._loops = 0
        self._brackets: list[int] = []
        self._has_endraw = True

    def run(self) -> None:
        text = self._text
        position, strips = 0, False
        while opening := _OPENING.search(text, position):
            start = opening.start()
            self._add_text(position, start, strips, text.startswith("-", opening.end()))
            kind = opening.group()
            if kind == "{#":
                position, strips = self._comment(start)
            elif kind == "{{" and (plain := PLAIN_OUTPUT.match(text, start)):
                root, *steps = plain[1].split(".")
                self._stretch.append(Output(Path(root, tuple(steps), *plain.span(1)), *plain.span()))
                position, strips = plain.end(), False
            elif kind == "{%" and (raw := _RAW.match(text, start)) and (end := self._end_of_raw(raw.end())):
                self._add_text(raw.end(), end.start(), bool(raw[1]), end[1] == "-")
                position, strips = end.end(), end[2] == "-"
            else:
                position, strips = self._segment(start, kind)
        self._add_text(position, len(text), strips, False)
        self._flush()
        for tag in reversed(self._open):
            self._report(tag, f"{tag.word} is not closed", f"Add {{% end{tag.word} %}}.")
            self._close(tag)

    def _close(self, tag: Segment) -> None:
        """Add the end that a tag lacks, so that the parser can read the rest."""
        first = len(self.tokens.stream) + 1
        for kind, value in (("block_begin", "{%"), ("name", f"end{tag.word}"), ("block_end", "%}")):
            self._push(kind, value, len(self._text), len(self._text))
        end = Segment(len(self._text), len(self._text), first, first + 1, f"end{tag.word}")
        self.tokens.followers[tag.first].append(end)

    def _add_text(self, start: int, end: int, strips_left: bool, strips_right: bool) -> None:
        if strips_left:
            start = end - len(self._text[start:end].lstrip())
        if strips_right:
            end = start + len(self._text[start:end].rstrip())
        if start < end:
            self._stretch.append(Text(self._text[start:end], start, end))

    def _comment(self, start: int) -> tuple[int, bool]:
        end = self._text.find("#}", start + 2)
        if end < 0:
            self._problem(
                TEMPLATE_SYNTAX.error(start, start + 2, what="the comment is not closed", fix="End it with #}.")
            )
            return len(self._text), False
        return end + 2, end > start + 2 and self._text[end - 1] == "-"

    def _end_of_raw(self, position: int) -> re.Match[str] | None:
        """The tag that ends raw text. If there is none, none is looked for again."""
        found = _ENDRAW.search(self._text, position) if self._has_endraw else None
        self._has_endraw = found is not None
        return found

    def _segment(self, start: int, opening: str) -> tuple[int, bool]:
        """Read an expression or a tag. Gives the offset after it, and whether it removes the whitespace there."""
        text, tokens = self._text, self.tokens
        inside = start + 2 + (text[start + 2 : start + 3] in {"-", "+"})
        word = (found[1] if (found := _WORD.match(text, inside)) else "") if opening == "{%" else ""
        self._flush()
        count = len(tokens.stream)
        begin, stop = _JINJA_ENDS[opening]
        self._push(begin, opening, start, inside)
        try:
            end = self._read(inside, start, opening)
            if start in self._holes:
                self._replace(count + 1, start, end, word)
        except TemplateError as error:
            tokens.is_partial = True  # where it ends is a guess
            self._problem(foreign.explain(text, start) or (_object(start) if text.startswith("{{{", start) else error))
            end = self._end_after(max(inside, error.start), opening)
            self._replace(count + 1, start, end, word)
        strips = end - 3 >= inside and text[end - 3] == "-"
        self._push(stop, _CLOSING[opening], end - 2, end)
        segment = Segment(start, end, count + 1, len(tokens.stream) - 1, word)
        if opening == "{{" or self._keeps(segment):
            tokens.segments.append(segment)
        else:
            self._cut(count)
        return end, strips

    def _replace(self, first: int, start: int, end: int, word: str) -> None:
        """Put a hole in the place of what could not be read, so that the rest of the template can be."""
        self._cut(first)
        words = [word, HOLE] if word else [HOLE]
        if word == "for":
            found = _TARGETS.match(self._text, self._text.find("for", start) + 3)
            self.tokens.is_partial |= found is None
            targets = [name for name in found.groups() if name] if found else [HOLE]
            words = ["for", *" , ".join(targets).split(" "), "in", HOLE]
        elif word == "set":
            target = _TARGET.match(self._text, self._text.find("set", start) + 3)
            self.tokens.is_partial |= target is None
            words = ["set", target[1] if target else HOLE, "=", HOLE]
        elif word in {"else", "endif", "endfor"}:
            words = [word]
        for part in words:
            self._push(operators.get(part, "name"), part, start, end)

    def _cut(self, count: int) -> None:
        tokens = self.tokens
        for column in (tokens.stream, tokens.starts, tokens.ends):
            del column[count:]
        tokens.groups = {number for number in tokens.groups if number < count}

    def _end_after(self, position: int, opening: str) -> int:
        end = self._text.find(_CLOSING[opening], position)
        return len(self._text) if end < 0 else end + 2

    def _keeps(self, tag: Segment) -> bool:
        """Whether the parser should see a tag: one that templates have, and that is in its place."""
        if tag.word in _CONTINUES:
            return self._continue(tag)
        if tag.word == "set" and any(token.type == "assign" for token in self.tokens.stream[tag.first : tag.last]):
            return True
        if tag.word in {"if", "for"}:
            self._open.append(tag)
            self._loops += tag.word == "for"
            self.tokens.followers[tag.first] = []
            self._check_depth(tag)
            return True
        self._refuse(tag)
        return False

    def _check_depth(self, tag: Segment) -> None:
        depths = ((MAX_TAG_DEPTH, len(self._open), "tags"), (MAX_LOOP_DEPTH, self._loops, "loops"))
        for limit, depth, what in depths:
            if depth > limit:
                message = f"{what} are nested deeper than {limit}"
                raise TEMPLATE_TOO_LARGE.error(tag.start, tag.end, what=message, fix="Take some out.")

    def _continue(self, tag: Segment) -> bool:
        wanted = self._open[-1] if self._open else None
        if wanted is None:
            self._report(tag, f"there is nothing to end or continue with {tag.word!r}", "Remove the tag.")
            return False
        if tag.word != "else" and _CONTINUES[tag.word] != wanted.word:
            expected = "elif, else or endif" if wanted.word == "if" else "else or endfor"
            self._report(tag, f"found {tag.word}, expected {expected}", "Close the tags in order.")
            if not tag.word.startswith("end"):
                return False
            tag = tag._replace(word=f"end{wanted.word}")
            self.tokens.stream[tag.first] = Token(tag.first, "name", tag.word)
        followers = self.tokens.followers[wanted.first]
        if followers and followers[-1].word == "else" and not tag.word.startswith("end"):
            self._report(tag, f"{tag.word} comes after else", "Write else last.")
            return False
        followers.append(tag)
        if tag.word.startswith("end"):
            self._open.pop()
            self._loops -= wanted.word == "for"
        return True

    def _refuse(self, tag: Segment) -> None:
        self.tokens.is_partial = True
        opened = tag.word.removeprefix("end")
        if opened != tag.word and any(problem.rule == TEMPLATE_UNSAFE.id for problem in self.tokens.problems):
            return  # its opening tag is reported
        explained = foreign.explain(self._text, tag.start)
        what = f"templates do not have the tag {tag.word}" if tag.word else "the tag has no name"
        if tag.word == "set":
            what = "a set tag must have = and a value; templates have no blocks that end with endset"
        self._problem(explained or TEMPLATE_UNSAFE.error(tag.start, tag.end, what=what, fix=tag_advice(tag.word)))

    def _read(self, position: int, start: int, opening: str) -> int:
        """Read the tokens of an expression or tag up to its end, and give the offset after that."""
        text, tokens, brackets = self._text, self.tokens, self._brackets
        brackets.clear()
        for _ in range(MAX_TOKENS):
            previous = tokens.stream[-1]
            match = _INDEX.match(text, position) if previous.type == "dot" else None
            match = match or (_TOKEN_IN_BRACKETS if brackets else _TOKEN).match(text, position)
            if match is None:
                raise _no_token(text, position, start, opening)
            kind = match.lastgroup or ""
            word, (begin, position) = match[kind], match.span(kind)
            if kind == "end":
                if not word.endswith(_CLOSING[opening]):
                    raise _error(
                        begin, position, f"{opening} is closed with {word}", f"Close it with {_CLOSING[opening]}."
                    )
                return position
            if kind == "name":
                self._push("name", word, begin, position)
            elif kind == "string":
                self._push("string", string_value(word, begin, position), begin, position)
            elif kind == "number":
                number = number_value(word, begin, position)
                self._push("float" if isinstance(number, float) else "integer", number, begin, position)
            else:
                self._push(operators[word], word, begin, position)
                if word in "()[]{}":
                    self._bracket(word, previous)
        raise TEMPLATE_TOO_LARGE.error(
            start, position, what=f"an expression has more than {MAX_TOKENS} words", fix="Split it."
        )

    def _bracket(self, word: str, previous: Token) -> None:
        tokens, brackets = self.tokens, self._brackets
        number = len(tokens.stream) - 1
        start, end = tokens.starts[-1], tokens.ends[-1]
        if word in _PARTNERS:
            brackets.append(number)
            if len(brackets) > MAX_BRACKETS:
                message = f"the expression is nested deeper than {MAX_BRACKETS}"
                raise TEMPLATE_TOO_LARGE.error(start, end, what=message, fix="Split it.")
            is_call = previous.type in {"string", "rparen", "rbracket"} or (
                previous.type == "name" and previous.value not in KEYWORDS
            )
            if word == "(" and not is_call:
                tokens.groups.add(number)
            return
        if not brackets:
            fix = "Close the expression with }}." if word == "}" else "Remove it, or open the bracket before it."
            raise _error(start, end, f"{word} closes nothing", fix)
        opened = brackets.pop()
        if (wanted := _PARTNERS[tokens.stream[opened].value]) != word:
            raise _error(start, end, f"{wanted} is missing before {word}", f"Write {wanted} before it.")
        tokens.partners |= {opened: number, number: opened}

    def _push(self, kind: str, value: object, start: int, end: int) -> None:
        tokens = self.tokens
        tokens.stream.append(Token(len(tokens.stream), kind, value))  # type: ignore[arg-type] # numbers, as in Jinja
        tokens.starts.append(start)
        tokens.ends.append(end)

    def _flush(self) -> None:
        """End a stretch of text and plain outputs."""
        if self._stretch:
            self.tokens.stretches[len(self.tokens.stream)] = self._stretch
            self._push("data", "text", self._stretch[0].start, self._stretch[-1].end)
            self._stretch = []

    def _report(self, tag: Segment, what: str, fix: str) -> None:
        self.tokens.is_partial = True
        self._problem(_error(tag.start, tag.end, what, fix))

    def _problem(self, error: TemplateError) -> None:
        self.tokens.problems.append(Problem.from_error(error))


def _error(start: int, end: int, what: str, fix: str) -> TemplateError:
    return TEMPLATE_SYNTAX.error(start, end, what=what, fix=fix)


def _object(start: int) -> TemplateError:
    fix = "Write a space between { and {{: the braces of an object are text, and {{ begins an expression."
    return _error(start, start + 3, "{{{ does not begin an expression", fix)


def _no_token(text: str, position: int, start: int, opening: str) -> TemplateError:
    rest = text[position:].lstrip()
    at = len(text) - len(rest)
    if not rest:
        return _error(start, start + 2, f"{opening} is not closed", f"End it with {_CLOSING[opening]}.")
    if rest[0] == "\\":
        hint = "Inside {{ }} quotes are written without a backslash, even within a JSON string."
        return _error(at, at + 1, "an expression contains a backslash", hint)
    if rest[0] in "'\"":
        return _error(at, at + 1, "the text in quotes is not closed", f"End it with {rest[0]}.")
    if rest.startswith(("}}", "%}")):
        return _error(at, at + 2, "a bracket is not closed", "Close it before the end of the expression.")
    return _error(at, at + 1, f"{rest[0]!r} has no meaning in an expression", "Remove it, or put text in quotes.")
