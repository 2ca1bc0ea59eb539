"""Splits a command that was copied from a shell into words, as bash does, without running anything."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

from hookctl.config.converting.source_tree import SourceError
from hookctl.model.source import Span

MAX_COMMAND = 256 * 1024
"""The characters of a command."""
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>[A-Za-z_]\w*)(?::?[-=?+][^{}]*)?\}|(?P<plain>[A-Za-z_]\w*))")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "e": "\x1b", "E": "\x1b"}
_ANSI = re.compile(
    r"\\(?:u(?P<u>[0-9A-Fa-f]{1,4})|U(?P<U>[0-9A-Fa-f]{1,8})|x(?P<x>[0-9A-Fa-f]{1,2})|(?P<o>[0-7]{1,3})|(?P<c>.))",
    re.DOTALL,
)
_HERE = re.compile(
    r"<<-?[ \t]*(?P<quote>['\"]?)(?P<word>\w{1,60})(?P=quote)[ \t]*\n(?P<text>.*?)^[ \t]*(?P=word)[ \t]*(?:\n|\Z)",
    re.DOTALL | re.MULTILINE,
)
_PAIR = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)
"""How a browser writes a character beyond 16 bits."""


@dataclass(slots=True)
class Command:
    """A command's words."""

    words: list[str]
    variables: list[str] = field(default_factory=list)
    """Shell variables that it uses; each is a reference ``${env:NAME}`` in the words."""
    substitutions: int = 0
    """How many commands in it would have been run for their output."""
    given: str = ""
    """What a here-document gives to the command on standard input."""
    rest: str = ""
    """The operator that ends it, such as a pipe; empty if nothing follows."""


def split_command(text: str) -> Command:
    """The words of the first command. Raises SourceError if a quote is not closed."""
    if len(text) > MAX_COMMAND:
        raise SourceError(f"the command is longer than {MAX_COMMAND:,} characters", "Shorten its body.", None)
    command = Command([])
    text = text.replace("\r\n", "\n").strip()
    text = re.sub(r"\A(?:[$#>%] +)+", "", text)
    pieces: list[str] = []
    at = 0
    while at < len(text) and not command.rest:
        at = _next(text, at, pieces, command)
    try:
        command.words = shlex.split("".join(pieces))
    except ValueError:
        raise _open_quote(text, 0) from None
    return command


def _next(text: str, at: int, pieces: list[str], command: Command) -> int:  # noqa: PLR0911 - one for each kind
    """Take the piece of the text at ``at``, in words that shlex reads. Returns where the next one begins."""
    character = text[at]
    if character == "\\":
        if text[at + 1 : at + 2] != "\n":
            pieces.append(text[at : at + 2])
        return at + 2
    if character == "'":
        end = _closing(text, at, "'")
        pieces.append(text[at:end])
        return end
    if text.startswith("$'", at):
        end = _ansi_end(text, at + 2)
        pieces.append(shlex.quote(_ANSI.sub(_unescaped, _PAIR.sub(_joined, text[at + 2 : end - 1]))))
        return end
    if character == '"' or text.startswith('$"', at):
        return _double(text, at + (character == "$"), pieces, command)
    if character in "$`":
        return _expansion(text, at, pieces, command)
    if here := _HERE.match(text, at):
        command.given = here["text"]
        command.rest = "the here-document" if text[here.end() :].strip() else ""
        return len(text)
    if character in "|;&<>()\n":
        command.rest = "a line break" if character == "\n" else character
        return at + 1
    if character == "#" and (not pieces or pieces[-1][-1:].isspace()):
        end = text.find("\n", at)
        return len(text) if end < 0 else end
    pieces.append(character)
    return at + 1


def _double(text: str, at: int, pieces: list[str], command: Command) -> int:
    """Take a text in double quotes, in which variables have their meaning."""
    start, at = at, at + 1
    inside: list[str] = []
    while at < len(text) and text[at] != '"':
        if text[at] == "\\":
            following = text[at + 1 : at + 2]
            inside.append("" if following == "\n" else following if following in '$`"\\' else f"\\{following}")
            at += 2
        elif text[at] in "$`":
            at = _expansion(text, at, inside, command)
        else:
            inside.append(text[at])
            at += 1
    if at >= len(text):
        raise _open_quote(text, start)
    pieces.append(shlex.quote("".join(inside)))
    return at + 1


def _expansion(text: str, at: int, pieces: list[str], command: Command) -> int:
    """Take a variable, as a reference, or a command in place of a value."""
    if variable := _VARIABLE.match(text, at):
        name = variable["braced"] or variable["plain"]
        command.variables.append(name)
        pieces.append(f"${{env:{name}}}")
        return variable.end()
    closing = ")" if text.startswith("$(", at) else "`" if text[at] == "`" else ""
    if closing and (end := text.find(closing, at + 1)) >= 0:
        command.substitutions += 1
        name = f"COMMAND_OUTPUT{'' if command.substitutions == 1 else f'_{command.substitutions}'}"
        command.variables.append(name)
        pieces.append(f"${{env:{name}}}")
        return end + 1
    pieces.append(text[at])
    return at + 1


def _closing(text: str, at: int, quote: str) -> int:
    end = text.find(quote, at + 1)
    if end < 0:
        raise _open_quote(text, at)
    return end + 1


def _ansi_end(text: str, at: int) -> int:
    """The end of ``$'...'``, in which a backslash escapes a quote."""
    start = at
    while at < len(text) and text[at] != "'":
        at += 2 if text[at] == "\\" else 1
    if at >= len(text):
        raise _open_quote(text, start - 1)
    return at + 1


def _joined(match: re.Match[str]) -> str:
    return chr(0x10000 + ((int(match[1], 16) - 0xD800) << 10) + int(match[2], 16) - 0xDC00)


def _unescaped(match: re.Match[str]) -> str:
    if digits := match["u"] or match["U"] or match["x"]:
        number = int(digits, 16)
        return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
    if match["o"]:
        return chr(int(match["o"], 8))
    character = match["c"]
    return _ESCAPES.get(character, character if character in "\\'\"?" else f"\\{character}")


def _open_quote(text: str, at: int) -> SourceError:
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return SourceError("a quote is not closed", "Copy the whole command.", Span(line, column, line, column + 1))
