"""An attempt's invocation data: request, response, timing, and the verdicts of validators."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator

from hookctl.json.strict import parse
from hookctl.model import Attempt, Failure, FailureKind, Json, Request, Response, Timing, Verdict
from hookctl.report.style import heading, styled
from hookctl.report.text.printable import printable

MAX_LINES = 100
"""The most lines of a body in text; JSON has all of it."""
MAX_WIDTH = 400
"""The most characters of such a line."""
OF_PLUGINS = frozenset({FailureKind.PLUGIN, FailureKind.SECRET, FailureKind.TOKEN})
"""Failures of plugins, which happen before the request is sent or after the response."""
FORM = "application/x-www-form-urlencoded"
LINES = "application/x-ndjson"
PHASES = (("resolved", "name"), ("connected", "connect"), ("tls", "TLS"), ("first_byte", "first byte"))


def render_attempt(attempt: Attempt, *, color: bool) -> str:
    """Request, response and details for people, with secrets masked as they are in the attempt."""
    lines = [heading("Request", color), *_request_or_reason(attempt), "", heading("Response", color)]
    if attempt.response is not None:
        lines += response_lines(attempt.response)
    failure = attempt.failure
    if failure is not None:
        lines.append(f"  {'' if attempt.response else 'none: '}{printable(f'{failure.kind.value}: {failure.message}')}")
    lines += ["", heading("Details", color), f"  {timing_line(attempt.timing, attempt.failure)}"]
    for verdict in attempt.verdicts:
        lines += [f"  {line}" for line in verdict_lines(verdict, color=color)]
    return "\n".join(lines) + "\n"


def attempt_json(attempt: Attempt) -> dict[str, Json]:
    """The attempt as JSON; docs/test.md describes it."""
    return {
        "number": attempt.number,
        "plan_digest": attempt.plan_digest,
        "started_at": attempt.started_at,
        "succeeded": attempt.failure is None and attempt.succeeded,
        "request": request_json(attempt.request) if attempt.request else None,
        "response": _response_json(attempt.response) if attempt.response else None,
        "failure": {"kind": attempt.failure.kind.value, "message": attempt.failure.message}
        if attempt.failure
        else None,
        "timing": {
            name: getattr(attempt.timing, name) for name in ("resolved", "connected", "tls", "first_byte", "total")
        },
        "verdicts": [_verdict_json(verdict) for verdict in attempt.verdicts],
    }


def request_json(request: Request) -> dict[str, Json]:
    """A request as JSON."""
    return {
        "method": request.method,
        "url": request.url,
        "headers": _pairs(request.headers),
        **_body_json(request.body),
    }


def request_lines(request: Request) -> Iterator[str]:
    """A request as text: method and URL, headers, and the body.

    JSON is indented, each field of a form has a line of its own, and lines of JSON stay lines.
    """
    yield f"  {request.method} {printable(request.url)}"
    yield from _header_lines(request.headers)
    if request.body is not None:
        yield ""
        kind = next((value for name, value in request.headers if name.lower() == "content-type"), "")
        body = request.body.replace(b"&", b"\n&") if kind.startswith(FORM) else request.body
        yield from body_lines(body, is_lines=kind.startswith(LINES))


def response_lines(response: Response) -> Iterator[str]:
    """A response as text."""
    yield f"  {response.status} {printable(response.reason)}".rstrip()
    yield from _header_lines(response.headers)
    if response.body:
        yield ""
        yield from body_lines(response.body, truncated=response.truncated)
    if not response.framed:
        yield "  (the end of the body is not marked, so it may be truncated)"


def body_lines(body: bytes, *, truncated: bool = False, is_lines: bool = False) -> Iterator[str]:
    """A body as text: JSON is indented, unless it ``is_lines``. Other text is unchanged; of other bytes, the size."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        if not truncated or error.end < len(body) - 1:
            yield f"  ({len(body):,} bytes that are not text)"
            return
        text = body[: error.start].decode()  # the cap cut through a character
    lines = (text.removesuffix("\n") if is_lines else _laid_out(text)).split("\n")
    for line in lines[:MAX_LINES]:
        shown = printable(line.rstrip("\r").replace("\t", "    "))
        yield f"  {shown if len(shown) <= MAX_WIDTH else shown[:MAX_WIDTH] + '...'}".rstrip()
    if len(lines) > MAX_LINES:
        yield f"  ... {len(lines) - MAX_LINES:,} more lines"
    if truncated:
        yield f"  ... more than {len(body):,} bytes; the rest was not read"


def timing_line(timing: Timing, failure: Failure | None = None) -> str:
    """The time of each known phase, and the total, which includes plugins if one of them is the ``failure``."""
    parts: list[str] = []
    before = 0.0
    for name, label in PHASES:
        at = getattr(timing, name)
        if at is not None:
            parts.append(f"{label} {_milliseconds(max(0.0, at - before))}")
            before = max(before, at)
    waited = " (with the time spent in plugins)" if failure and failure.kind in OF_PLUGINS else ""
    return ", ".join([*parts, f"total {_milliseconds(timing.total)}{waited}"])


def verdict_lines(verdict: Verdict, *, color: bool) -> Iterator[str]:
    """A line for a validator that passed, or a line for each mismatch."""
    if verdict.passed:
        yield f"{tick(passed=True, color=color)} {printable(verdict.validator)}"
    for mismatch in verdict.mismatches:
        yield f"{tick(passed=False, color=color)} {printable(mismatch.validator)}: {printable(mismatch.message)}"


def mark(*, passed: bool) -> tuple[str, str]:
    """``✓`` or ``✗``, and the name of its color."""
    return ("✓", "green") if passed else ("✗", "red")


def tick(*, passed: bool, color: bool) -> str:
    """``✓`` or ``✗``, colored if ``color``."""
    text, hue = mark(passed=passed)
    return styled(text, color, fg=hue)


def _request_or_reason(attempt: Attempt) -> Iterator[str]:
    if attempt.request is None:
        yield "  none: the request could not be made"
    else:
        yield from request_lines(attempt.request)


def _header_lines(headers: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for name, value in headers:
        yield f"  {printable(name)}: {printable(value)}"


def _laid_out(text: str) -> str:
    """JSON text with its values indented.

    Text that readers disagree on stays as it is, so that nothing of it is hidden.
    """
    try:
        return json.dumps(parse(text, any_integer=True), ensure_ascii=False, indent=2)
    except ValueError:
        return text


def _milliseconds(seconds: float) -> str:
    return (
        f"{seconds:.1f} s"
        if seconds >= 10
        else f"{seconds * 1000:.0f} ms"
        if seconds >= 0.01
        else f"{seconds * 1000:.1f} ms"
    )


def _pairs(headers: tuple[tuple[str, str], ...]) -> Json:
    return [[name, value] for name, value in headers]


def _body_json(body: bytes | None) -> dict[str, Json]:
    if body is None:
        return {"body": None, "body_encoding": None}
    try:
        return {"body": body.decode(), "body_encoding": "utf-8"}
    except UnicodeDecodeError:
        return {"body": b64encode(body).decode(), "body_encoding": "base64"}


def _response_json(response: Response) -> dict[str, Json]:
    return {
        "status": response.status,
        "reason": response.reason,
        "headers": _pairs(response.headers),
        **_body_json(response.body),
        "truncated": response.truncated,
        "framed": response.framed,
    }


def _verdict_json(verdict: Verdict) -> dict[str, Json]:
    mismatches: list[Json] = [
        {
            "validator": mismatch.validator,
            "message": mismatch.message,
            "path": mismatch.path,
            "expected": mismatch.expected,
            "got": mismatch.got,
        }
        for mismatch in verdict.mismatches
    ]
    return {"validator": verdict.validator, "passed": verdict.passed, "mismatches": mismatches}
