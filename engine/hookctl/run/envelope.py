"""A response as validators see it, and what they say. Built only for a delivery that has validators."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn, cast

import msgspec

from hookctl.model import MAX_RESPONSE_BYTES, Failure, Json, Mismatch, Response, Verdict
from hookctl.plugin.contain import is_interrupt
from hookctl.plugin.interfaces import Envelope, Validate
from hookctl.run.failures import failure_of

MAX_DEPTH = 64
"""A deeper body is text: validators' libraries recurse."""

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


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
    return Envelope(
        status=response.status,
        headers=_headers(response.headers),
        data=body_value(response.body),
        problem=_problem(response),
    )


def body_value(body: bytes) -> Json:
    """``body`` as JSON; as text where it is not JSON (NaN is not), or nests too deep, or holds a number too long to read."""
    try:
        value: Json = msgspec.json.decode(body)
        return body.decode() if _is_deep(body, value) else value
    except (ValueError, RecursionError):
        pass  # json reads some of what this refuses: infinite numbers, half surrogate pairs
    try:
        text = body.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError:
        return body.decode("utf-8", "replace")
    try:
        value = cast("Json", json.loads(text, parse_constant=_refuse))
    except (ValueError, RecursionError):
        return text
    if _is_deep(body, value):
        return text
    return text if _SURROGATE.search(body) and _has_lone_surrogate(value) else value


def _is_deep(body: bytes, value: Json) -> bool:
    return body.count(b"[") + body.count(b"{") > MAX_DEPTH and _deeper_than(value, MAX_DEPTH)


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


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _deeper_than(value: Json, depth: int) -> bool:
    level: list[Json] = [value]
    for _ in range(depth):
        level = [child for item in level for child in _children(item) if isinstance(child, dict | list)]
    return bool(level)


def _children(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _has_lone_surrogate(value: Json) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
