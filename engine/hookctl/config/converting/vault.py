"""Keeps the secrets that an import finds out of everything that it writes."""

from __future__ import annotations

import json
import re

from hookctl.config.check.literals import has_secret_name, in_body, shapes_in
from hookctl.config.converting.source_tree import SourceError
from hookctl.model import MASK
from hookctl.model.source import SourceFile

LONG = 8
"""Secrets of at least this many characters are also replaced where they occur by chance. Shorter ones are words."""
MAX_SECRETS = 1000
"""The secrets of one import. Each is looked for in every text that is written."""
_REFERENCE = re.compile(r"(?:[\w ]{0,30}[ =])?\$\{(?:env|file|vault|aws|gcp|var):[^{}]+\}")
_MAX_VARIABLE = 80
_USER = re.compile(r"://([^\s/@\"']{1,500})@")
_SETTING = re.compile(
    r"""(?P<name>[\w.-]{2,64})["']?[ \t]{0,20}[:=][ \t]{0,20}["']?(?P<value>[^\s"'{}\[\]|>$,][^\s"',}]{1,500})"""
)
"""A setting as YAML, HCL and JSON write it."""


class Vault:
    """The secrets of one import: each has the environment variable that takes its place."""

    def __init__(self) -> None:
        self._variables: dict[str, str] = {}
        """Names of variables by secret."""
        self.purposes: dict[str, str] = {}
        """What each variable is for, in words, in the order in which they were found."""
        self._numbers: dict[str, int] = {}
        """The number that each name of variables was last given."""
        self._long: list[tuple[str, str]] | None = None
        """What ``_longest`` returns, until the next secret is found."""

    def reference(self, webhook: str, what: str, value: str) -> str:
        """The reference that takes the place of a secret; a value that is a reference already stays as it is.

        Args:
            webhook: the name of the webhook, which begins the variable's name.
            what: what the secret is, such as ``token``. It ends the variable's name.
            value: the secret.

        Raises:
            SourceError: there are more than ``MAX_SECRETS``.
        """
        if not value or _REFERENCE.fullmatch(value):
            return value
        if value not in self._variables:
            if len(self._variables) >= MAX_SECRETS:
                raise SourceError(f"it has more than {MAX_SECRETS:,} secrets", "Split it into several files.")
            self._long = None
            self._variables[value] = self._free(f"{webhook}_{what}")
            self.purposes[self._variables[value]] = f"{what} of {webhook}"
        return f"${{env:{self._variables[value]}}}"

    def expect(self, variable: str, purpose: str) -> str:
        """A reference to a variable that the source names without its value."""
        self.purposes.setdefault(variable, purpose)
        return f"${{env:{variable}}}"

    def replace(self, text: str) -> str:
        """The text with references in the place of long secrets."""
        for value, variable in self._longest():
            text = text.replace(value, f"${{env:{variable}}}")
        return text

    def mask(self, text: str) -> str:
        """The text with ``***`` in the place of long secrets, also as JSON writes them in a string."""
        for value, _ in self._longest():
            for form in (value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
                text = text.replace(form, MASK)
        return text

    def masked(self, source: SourceFile) -> SourceFile:
        """The source as reports may show it: with asterisks of the same length, so that its columns stay."""
        text = source.text
        for value in sorted(self._variables, key=len, reverse=True):
            forms = [form for form in (value, json.dumps(value)[1:-1]) if form in text]
            for part in forms or re.findall(r"[\w+/=.-]{4,}", value):  # the source writes it in pieces
                text = text.replace(part, "*" * len(part))
        text = _USER.sub(lambda match: f"://{'*' * len(match[1])}@", text)
        for match in _SETTING.finditer(text):
            if has_secret_name(match["name"]):
                start, end = match.span("value")
                text = f"{text[:start]}{'*' * (end - start)}{text[end:]}"
        for literal in [*shapes_in(text), *in_body(text)]:
            text = f"{text[: literal.start]}{'*' * (literal.end - literal.start)}{text[literal.end :]}"
        return SourceFile(source.path, text)

    def leaks(self, text: str) -> bool:
        """Whether a text contains a long secret."""
        return any(value in text for value, _ in self._longest())

    def _longest(self) -> list[tuple[str, str]]:
        """The secrets of at least ``LONG`` characters with their variables, those first that may contain others."""
        if self._long is None:
            found = [item for item in self._variables.items() if len(item[0]) >= LONG]
            self._long = sorted(found, key=lambda item: len(item[0]), reverse=True)
        return self._long

    def _free(self, words: str) -> str:
        """A name of a variable that no other secret has."""
        name = re.sub(r"[^A-Z0-9]+", "_", words.upper()).strip("_")[:_MAX_VARIABLE].rstrip("_") or "SECRET"
        name = f"_{name}" if name[0].isdigit() else name
        number, free = self._numbers.get(name, 1), name
        while free in self.purposes:
            number += 1
            free = f"{name}_{number}"
        self._numbers[name] = number
        return free
