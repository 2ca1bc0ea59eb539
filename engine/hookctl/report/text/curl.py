"""A request as a curl command for a shell. Secrets are variables that whoever runs it has to set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from shlex import quote

from hookctl.model import MASK, DeliveryPlan, Request, SecretReference
from hookctl.model.secret import plan_references, references
from hookctl.report.text.printable import printable

MAX_BODY = 100_000
"""Bytes of a body in a command. Systems limit the length of one argument, usually to 128 KiB."""
LEFT_OUT = frozenset({"content-length", "transfer-encoding", "host", "connection", "accept-encoding"})
"""Headers that curl writes itself."""
BODY_FILE = "body.bin"
_NOT_IN_NAMES = re.compile(r"[^A-Z0-9]+")


def curl_command(request: Request, plan: DeliveryPlan | None) -> str:
    """The command, after a comment for each secret to fill in.

    Args:
        request: as it was sent, with secrets masked.
        plan: the delivery plan that made it, which names its secrets; None if it was not kept.
    """
    secrets = _Secrets(plan)
    parts = [f"curl --globoff --request {quote(request.method)} {secrets.word(request.url, plan.url if plan else '')}"]
    written = {name.lower(): text for name, text in plan.headers.items()} if plan else {}
    for name, value in request.headers:
        if name.lower() not in LEFT_OUT:
            line = f"{name}: {value}" if value else f"{name};"  # with a colon, curl leaves an empty header out
            parts.append(f"--header {secrets.word(line, written.get(name.lower(), ''))}")
    notes = []
    if request.body:
        text = _text(request.body)
        if text is None:
            notes.append(f"# The body is binary or long: save it as {BODY_FILE} first.")
            parts.append(f"--data-binary @{BODY_FILE}")
        else:
            parts.append(f"--data-raw {secrets.word(text, (plan.body_template or '') if plan else '')}")
    return "\n".join([*notes, *secrets.comments(), " \\\n  ".join(parts)])


def _text(body: bytes) -> str | None:
    """The body as text; None if a command cannot have it as an argument."""
    if len(body) > MAX_BODY or b"\0" in body:
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


class _Secrets:
    """The variables of one command, by the secrets that they stand for."""

    def __init__(self, plan: DeliveryPlan | None) -> None:
        self._any = plan is None or bool(plan_references(plan))
        of_auth = {one for block in plan.auth for one in references(str(block.settings))} if plan else set()
        self._of_auth = next(iter(of_auth)) if len(of_auth) == 1 else None
        self._names: dict[SecretReference | None, str] = {}

    def word(self, text: str, template: str) -> str:
        """A word of a shell, with a variable for each secret.

        ``template`` is the text that the webhook's author wrote for it, with references; empty if auth added it.
        """
        parts = text.split(MASK) if self._any else [text]
        named = references(template)
        if len(named) == len(parts) - 1:
            known: list[SecretReference | None] = [*named]
        else:
            known = [self._of_auth if not template else None] * (len(parts) - 1)
        words = [_quoted(parts[0])] if parts[0] or len(parts) == 1 else []
        for reference, part in zip(known, parts[1:], strict=True):
            words += [f'"${self._name(reference)}"', *([_quoted(part)] if part else [])]
        return "".join(words)

    def comments(self) -> Iterator[str]:
        """What to set before the command is run."""
        for reference, name in self._names.items():
            what = printable(str(reference)) if reference else "a secret that is not shown"
            yield f"# Set {name} first: {what}"

    def _name(self, reference: SecretReference | None) -> str:
        if reference not in self._names:
            stem = _NOT_IN_NAMES.sub("_", reference.key.upper()).strip("_") if reference else ""
            name = stem if stem and not stem[0].isdigit() else f"SECRET_{stem}".rstrip("_")
            while name in self._names.values():
                name += "_2"
            self._names[reference] = name
        return self._names[reference]


def _quoted(text: str) -> str:
    """The text in quotes that no character ends; control characters as escapes, which bash and zsh read."""
    if all(printable(line) == line for line in text.split("\n")):
        return quote(text)
    escaped = "".join(_escaped(character) for character in text)
    return f"$'{escaped}'"


def _escaped(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if printable(character) == character:
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
