"""A response as validators see it, and what they say. Built only for a delivery that has validators."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from hookctl.delivery.attempt.failures import failure_of
from hookctl.json.strict import MAX_DEPTH, AmbiguousJsonError, is_deep, parse
from hookctl.model import MAX_RESPONSE_BYTES, Failure, Json, Mismatch, Response, Verdict
from hookctl.plugin.contain import is_interrupt
from hookctl.plugin.interfaces import Envelope, Validate

_DIGITS = 309
"""An integer of fewer digits is in the range of a double."""
_MANY_DIGITS = re.compile(rb"[0-9]{%d}" % _DIGITS)


@dataclass(frozen=True, slots=True)
class Validator:
    """A response validator, built."""

    label: str
    who: str
    """Whose it is, for messages."""
    validate: Validate
    passed: Verdict
    """What it says when it has nothing to object to."""


class Judged(NamedTuple):
    """A response as a record shows it, and what the validators say of it."""

    shown: Response
    failure: Failure | None
    verdicts: tuple[Verdict, ...]


@dataclass(slots=True)
class LastPassed:
    """The last answer with which every validator agreed: most targets say the same each time."""

    response: Response | None = field(default=None, repr=False)
    judged: Judged | None = None


def open_envelope(response: Response) -> Envelope:
    """The envelope of a response; its body parsed as JSON where it is JSON that every reader takes for the same value."""
    data, problem = _read(response.body)
    return Envelope(
        status=response.status, headers=_headers(response.headers), data=data, problem=_problem(response) or problem
    )


def body_value(body: bytes) -> Json:
    """``body`` as JSON; as text where it is not JSON that every reader takes for the same value."""
    return _read(body)[0]


def _read(body: bytes) -> tuple[Json, str]:
    """The value of a body, and why a validator cannot rely on it where only some readers would take it for JSON.

    A key that occurs twice in an object is dropped by the quick parser, and with it two quotation marks: every other one comes out
    again, as it came or as a backslash and the mark, unless it was written as a number.
    """
    if b"\\u0022" not in body and not (len(body) > _DIGITS and _MANY_DIGITS.search(body)):
        try:
            value: Json = msgspec.json.decode(body)
            whole = msgspec.json.encode(value).count(b'"') == body.count(b'"')
            if whole and not (body.count(b"[") + body.count(b"{") > MAX_DEPTH and is_deep(value)):
                return value, ""
        except (ValueError, RecursionError):
            pass  # the strict parser says why, or can read it after all
    try:
        text = body.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError:
        return body.decode("utf-8", "replace"), ""
    try:
        return parse(text), ""
    except AmbiguousJsonError as error:
        return text, f"it is not JSON to every reader: {error}"
    except ValueError:
        return text, ""  # text, an HTML page, say


def judge(response: Response, validators: Iterable[Validator]) -> tuple[list[Verdict], Failure | None]:
    """What each validator says of the response; and how the first one failed that broke its contract, if one did."""
    verdicts: list[Verdict] = []
    failure: Failure | None = None
    envelope = open_envelope(response)
    for validator in validators:
        try:
            mismatches = validator.validate(envelope)
            verdicts.append(validator.passed if mismatches == () else Verdict(validator.label, _checked(mismatches)))
        except BaseException as error:  # the boundary to foreign code
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
            raise TypeError(f"a validator gives mismatches, not {type(mismatch).__name__}")
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
    return "" if response.framed else "the body's end is not marked"
