"""A response as validators see it, and their verdicts. Built only for webhooks with validators."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hookctl.delivery.attempt.failures import failure_of
from hookctl.json.quick import parse_quickly
from hookctl.json.strict import AmbiguousJsonError, parse
from hookctl.model import MAX_RESPONSE_BYTES, Failure, Json, Mismatch, Response, Verdict
from hookctl.plugin.contain import is_interrupt
from hookctl.plugin.interfaces import Envelope, Validate

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""The first bytes of compressed bodies, and the name of the format."""
_HTML = re.compile(rb"(?i)<(?:!doctype\s+html|html)\b")
_STRING = re.compile(rb'"(?:[^"\\]|\\.?)*+"?', re.DOTALL)
"""A string of JSON, or the start of one that the body does not end."""
_DIGITS = 309
"""An integer with fewer digits is in the range of a double."""
_MANY_DIGITS = re.compile(rb"[0-9]{%d}" % _DIGITS)


@dataclass(frozen=True, slots=True)
class Validator:
    """A response validator, as its plugin built it."""

    label: str
    who: str
    """Its name in messages, with its plugin."""
    validate: Validate
    passed: Verdict
    """Its verdict when the response passes."""


class Judged(NamedTuple):
    """A response as a record shows it, and the verdicts of the validators."""

    shown: Response
    failure: Failure | None
    verdicts: tuple[Verdict, ...]


Judgement = tuple[list[Verdict], Failure | None]
"""The verdict of each validator, and the failure of the first validator that broke its contract, if any."""


@dataclass(slots=True)
class LastPassed:
    """The last response that passed every validator. Most targets send the same response each time."""

    response: Response | None = field(default=None, repr=False)
    judged: Judged | None = None


def open_envelope(response: Response) -> Envelope:
    """The envelope of a response. Its body is parsed if every parser reads it as the same JSON."""
    body = response.body
    headers = _headers(response.headers)
    data, problem, is_json = _read(body)
    not_text = "" if is_json else _not_text(body, headers)
    return Envelope(
        status=response.status,
        headers=headers,
        data=data,
        problem=_problem(response) or problem,
        not_json="" if is_json else _not_json(body, headers, not_text),
        body=body,
        not_text=not_text,
    )


def _not_text(body: bytes, headers: Mapping[str, str]) -> str:
    """Why a body that is not JSON cannot be read as text; empty if it can."""
    if not body:
        return ""
    for magic, name in _MAGIC.items():
        if body.startswith(magic):
            return f"the body is compressed with {name}"
    if headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        return "the body is compressed"
    has_null = b"\0" in body[:4]  # UTF-16 and UTF-32 begin so
    return "the body is not UTF-8" if has_null or body.decode(errors="ignore").encode() != body else ""


def _not_json(body: bytes, headers: Mapping[str, str], not_text: str) -> str:
    """What a body is that is not JSON."""
    text = body.removeprefix(codecs.BOM_UTF8).lstrip()
    if not text:
        return "the body is empty"
    if "compressed" in not_text:
        return not_text
    if _HTML.match(text) or headers.get("content-type", "").lower().startswith("text/html"):
        return "the body is HTML"
    if not_text:
        return not_text
    if text.startswith((b"{", b"[")):
        outside = _STRING.sub(b"", text)
        if outside.count(b"{") + outside.count(b"[") > outside.count(b"}") + outside.count(b"]"):
            return "the body is not JSON, because it ends before its brackets are closed"
    return "the body is not JSON"


def body_value(body: bytes) -> Json:
    """``body`` as JSON, or as text if not every parser reads it as the same JSON."""
    return _read(body)[0]


def _read(body: bytes) -> tuple[Json, str, bool]:
    """The value of a body, why validators cannot rely on it if only some parsers read it as JSON, and if it is JSON."""
    has_long_number = len(body) > _DIGITS and _MANY_DIGITS.search(body) is not None
    if not has_long_number and (quick := parse_quickly(body)):
        return quick[0], "", True
    try:
        text = body.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError:
        return body.decode("utf-8", "replace"), "", False
    try:
        return parse(text), "", True
    except AmbiguousJsonError as error:
        return text, f"JSON readers disagree on it: {error}", False
    except ValueError:
        return text, "", False  # for example an HTML page


def judge(response: Response, validators: Iterable[Validator]) -> Judgement:
    """What the validators find in a response."""
    verdicts: list[Verdict] = []
    failure: Failure | None = None
    envelope = open_envelope(response)
    for validator in validators:
        try:
            mismatches = validator.validate(envelope)
            verdicts.append(validator.passed if mismatches == () else Verdict(validator.label, _checked(mismatches)))
        except BaseException as error:  # any exception of third-party code must become a failure
            if is_interrupt(error):
                raise
            broken = failure_of(error, validator.who)
            failure = failure or broken
            verdicts.append(Verdict(validator.label, (Mismatch(validator.label, broken.message),)))
    return verdicts, failure


def _checked(mismatches: Iterable[Mismatch]) -> tuple[Mismatch, ...]:
    found = tuple(mismatches)
    for mismatch in found:
        if not isinstance(mismatch, Mismatch):
            raise TypeError(f"a validator must return mismatches, not {type(mismatch).__name__}")
    return found


def _headers(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    headers = {name.lower(): value for name, value in pairs}
    if len(headers) == len(pairs):
        return headers
    headers = {}
    for name, value in pairs:
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _problem(response: Response) -> str:
    if response.truncated:
        return f"the body is longer than {MAX_RESPONSE_BYTES} bytes"
    return "" if response.framed else "the end of the body is not marked"
