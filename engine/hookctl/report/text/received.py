"""The requests of a local receiver as text, and their counts. Credentials are masked unless asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hookctl.model import MASK
from hookctl.model.quantities import counted
from hookctl.report.text.invocation import LINES
from hookctl.report.text.printable import printable

if TYPE_CHECKING:
    from hookctl.testing.answers import Answer, ReceivedRequest

MAX_SHOWN = 4000
"""The most characters of a body that are shown."""
_CREDENTIAL = re.compile(r"authorization|cookie|key|token|secret|password|signature", re.IGNORECASE)
_SCHEME = re.compile(r"(?:Basic|Bearer|Digest) ", re.IGNORECASE)
_FORM_SECRET = re.compile(r"(client_secret|password|refresh_token|assertion)=[^&]*")


def received_text(
    number: int, request: ReceivedRequest, answer: Answer, *, notes: Sequence[str] = (), show_secrets: bool = False
) -> str:
    """One request: its first line with the answer, what is noted of it, its headers, and its body with indented JSON.

    Credentials are masked, unless ``show_secrets`` is true.
    """
    what = answer.misbehave.value if answer.misbehave else str(answer.status)
    lines = [f"#{number} {printable(request.method)} {printable(request.target)}  -> {what}"]
    lines += [f"  {printable(note)}" for note in notes]
    lines += [
        f"  {printable(name)}: {printable(value) if show_secrets else _masked(name, value)}"
        for name, value in request.headers
    ]
    body = _body_lines(request, show_secrets=show_secrets)
    return "\n".join([*lines, *([""] if body else []), *body, ""])


def summary_text(counts: Mapping[tuple[str, str, str], int]) -> str:
    """How often each method and path was received, and how it was answered: keys are (method, path, answer)."""
    total = sum(counts.values())
    lines = [f"Received {counted(total, 'request')}{'.' if not total else ':'}"]
    lines += [
        f"  {count:>9,}  {printable(method)} {printable(path)} -> {answer}"
        for (method, path, answer), count in sorted(counts.items())
    ]
    return "\n".join(lines)


def _masked(name: str, value: str) -> str:
    if not _CREDENTIAL.search(name):
        return printable(value)
    scheme = _SCHEME.match(value)
    return f"{scheme[0] if scheme else ''}{MASK}"


def _body_lines(request: ReceivedRequest, *, show_secrets: bool) -> list[str]:
    if not request.body:
        return []
    try:
        is_lines = (request.header("content-type") or "").startswith(LINES)
        text = request.body.decode() if is_lines else json.dumps(request.json(), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):  # not JSON, or nested too deeply
        text = request.body.decode("utf-8", "replace")
        text = text if show_secrets else _FORM_SECRET.sub(rf"\1={MASK}", text)
    shown = [f"  {printable(line)}" for line in text[:MAX_SHOWN].split("\n")]
    return [*shown, f"  ... {len(request.body):,} bytes in total"] if len(text) > MAX_SHOWN else shown
