"""Finds out why a received message does not verify: tries what senders and receivers confuse, and says which matches.

Pure: no input or output, and no clock. A diagnosis contains neither secrets nor signatures, and never the signature
that would be right: whoever has it can send that body, so it must not get into a terminal, a log or a ticket. It is not
needed either: the differences say what to change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

from hookctl.errors import SecretError
from hookctl.signatures.bodies import body_variants
from hookctl.signatures.keys import SHORTEST_KEY, decode_key
from hookctl.signatures.received_headers import ENCODED, Headers, ReadSignature, read_headers
from hookctl.signatures.recipe import Message, Recipe
from hookctl.signatures.schemes import SCHEMES, scheme_of
from hookctl.signatures.variants import Difference, Part, Variant, key_variants, recipe_variants, target_variants
from hookctl.signatures.verifying import (
    TOLERANCE,
    Claim,
    Mismatch,
    Received,
    check_clock,
    has_body_hash,
    is_signed,
    read_claim,
    verify,
)

MOST_TRIES = 40_000
"""The maximum number of variants to try."""
MOST_BYTES = 400_000_000
"""The maximum number of bytes to hash for that."""
ED25519_BYTES = 50_000
"""The bytes that can be hashed in the time of one check of an ed25519 signature."""
MOST_SIGNATURES = 20
"""The number of signatures that are looked for. Whoever sends the request decides how many it has."""
MOST_CHANGES = 3
"""The maximum number of parts that differ at the same time."""
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Whether a message verifies, and what differs if it does not."""

    verified: bool
    """Whether the signature, the body's hash and the clock are all right."""
    is_signed: bool
    """Whether a signature matches the message as it is; the clock aside."""
    explained: bool
    """Whether a signature matches, perhaps with the ``differences``. Otherwise they are only what is certain."""
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    """What is not wrong but worth knowing."""
    signatures: int
    """The number of signatures in the header."""
    age: float | None
    """Seconds since the signed timestamp, negative if it is in the future; None if no timestamp is signed."""
    tried: int
    """How many variants were tried."""


def diagnose(
    recipe: Recipe,
    secrets: Sequence[str],
    received: Received,
    *,
    now: float,
    tolerance: float | None = TOLERANCE,
) -> Diagnosis:
    """What differs between ``received`` and what ``recipe`` and ``secrets`` expect.

    Args:
        recipe: how the receiver verifies.
        secrets: the texts of the secrets that it accepts: the current one, then the previous one.
        received: the request.
        now: the receiver's clock, in seconds since 1970.
        tolerance: by how many seconds the timestamp may differ; None: by any time.

    Raises:
        TemplateError: the recipe is wrong.
    """
    other = "" if _has_signature(recipe, received) else scheme_of(received.headers)
    if other:
        inner = diagnose(SCHEMES[other], secrets, received, now=now, tolerance=tolerance)
        differences = (_other_scheme(recipe, other), *inner.differences)
        return replace(inner, verified=False, is_signed=False, differences=differences)
    keys = [key for secret in secrets if (key := _key(secret, recipe)) is not None]
    headers = read_headers(recipe, received)
    signed = _is_signed(recipe, keys, received)
    verified = signed and verify(recipe, keys, received, now=now, tolerance=tolerance) is None
    search, found, differences = _Search(), None, tuple[Difference, ...]()
    if not signed:
        found = search.run(recipe, secrets, received, headers)
        differences = _of_headers(headers, found) + (_certain(recipe, secrets, headers) if found is None else found)
    clock = _clock(recipe, headers.message, now, tolerance)
    return Diagnosis(
        verified=verified,
        is_signed=signed,
        explained=signed or found is not None,
        differences=tuple(dict.fromkeys((*differences, *clock))),
        notes=tuple(_notes(recipe, keys, received, signed=signed)),
        signatures=headers.count,
        age=now - _seconds(headers.message.timestamp) if _has_timestamp(recipe, headers.message) else None,
        tried=search.tried,
    )


def _has_signature(recipe: Recipe, received: Received) -> bool:
    return any(name.lower() == recipe.header.lower() for name in received.headers)


def _other_scheme(recipe: Recipe, other: str) -> Difference:
    found = SCHEMES[other]
    names = [name for name in (found.header, found.timestamp_header, found.id_header) if name]
    return Difference(
        Part.HEADER,
        f"There is no header {recipe.header}. The request has the scheme {other}: {', '.join(names)}.",
        f"Verify with the scheme {other}.",
    )


def _of_headers(headers: Headers, found: tuple[Difference, ...] | None) -> tuple[Difference, ...]:
    """The differences of headers; without their form if one in ``found`` explains it."""
    is_explained = any(difference.part in {Part.ENCODING, Part.ALGORITHM} for difference in found or ())
    return headers.differences + (() if is_explained else headers.form)


def _key(secret: str, recipe: Recipe) -> bytes | None:
    try:
        return decode_key(secret, recipe.key)
    except SecretError:
        return None


def _is_signed(recipe: Recipe, keys: Sequence[bytes], received: Received) -> bool:
    claim = read_claim(recipe, received)
    return not isinstance(claim, Mismatch) and has_body_hash(recipe, claim.message) and is_signed(recipe, keys, claim)


class _Search:
    """Looks for the fewest differences with which one of the signatures matches."""

    def __init__(self) -> None:
        self.tried = 0
        self._bytes = 0

    def run(
        self, recipe: Recipe, secrets: Sequence[str], received: Received, headers: Headers
    ) -> tuple[Difference, ...] | None:
        """The differences, fewest first found; None if no variant matches."""
        signatures = headers.signatures[:MOST_SIGNATURES]
        if not signatures:
            return None
        keys = [variant for secret in secrets for variant in key_variants(secret, recipe.key)]
        dimensions: list[list[Variant[Any]]] = [
            keys,
            [*recipe_variants(headers.recipe, [len(one.value) for one in signatures])],
            [*body_variants(received.body)],
            [*target_variants(headers.message, headers.recipe.content, headers.by_name)],
        ]
        whole = tuple(one.value for one in signatures)
        for chosen in _combinations(dimensions):
            key, tried, body, target = chosen
            if key.value is None:
                continue
            message = _with_body(target.value, body.value)
            self.tried += 1
            self._bytes += len(message.body) + 100
            if tried.value.algorithm == "ed25519":
                self._bytes += ED25519_BYTES * len(whole)
            if self.tried > MOST_TRIES or self._bytes > MOST_BYTES:
                return None
            if _matches(tried.value, key.value, message, whole):
                matching = next(one for one in signatures if _matches(tried.value, key.value, message, (one.value,)))
                differences = [difference for variant in chosen for difference in variant.differences]
                return (*differences, *_encoding(matching, recipe))
        return None


def _combinations(dimensions: Sequence[Sequence[Variant[Any]]]) -> Iterator[tuple[Variant[Any], ...]]:
    """One variant of each dimension: first those in which nothing differs, then one part, then more."""
    same = [[one for one in dimension if not one.differences] for dimension in dimensions]
    other = [[one for one in dimension if one.differences] for dimension in dimensions]
    for size in range(MOST_CHANGES + 1):
        for changed in combinations(range(len(dimensions)), size):
            yield from product(*(other[at] if at in changed else same[at] for at in range(len(dimensions))))


def _matches(recipe: Recipe, key: bytes, message: Message, signatures: tuple[bytes, ...]) -> bool:
    return is_signed(recipe, [key], Claim(message, signatures)) and has_body_hash(recipe, message)


def _with_body(message: Message, body: bytes) -> Message:
    if body is message.body:
        return message
    return Message(message.id, message.timestamp, message.method, message.url, body, message.content_type)


def _encoding(signature: ReadSignature, recipe: Recipe) -> Iterator[Difference]:
    if signature.encoding != recipe.encoding:
        what = f"The signature is written in {ENCODED[signature.encoding]}, not in {ENCODED[recipe.encoding]}."
        yield Difference(Part.ENCODING, what, f"Decode it from {ENCODED[signature.encoding]}.")


def _certain(recipe: Recipe, secrets: Sequence[str], headers: Headers) -> tuple[Difference, ...]:
    """What differs for certain where no variant matches."""
    found: list[Difference] = []
    for secret in secrets:
        try:
            decode_key(secret, recipe.key)
        except SecretError as error:
            found.append(Difference(Part.KEY, f"The secret cannot be decoded: {error.message}.", error.hint))
    if "{url}" in recipe.content and not headers.message.url:
        what, fix = "The sender signs the URL, and it is not known here.", "Give the whole public URL of the request."
        found.append(Difference(Part.URL, what, fix))
    if headers.signatures and not has_body_hash(recipe, headers.message):
        found.append(
            Difference(
                Part.BODY,
                f"The body's SHA-256 is not the one in {recipe.body_hash_parameter} of the URL.",
                "Verify the bytes of the body as they arrive, and the URL with its query.",
            )
        )
    return tuple(found)


def _clock(recipe: Recipe, message: Message, now: float, tolerance: float | None) -> Iterator[Difference]:
    if not _has_timestamp(recipe, message):
        return
    if message.timestamp >= 10**11:
        yield Difference(
            Part.CLOCK,
            "The timestamp is in milliseconds.",
            "Divide it by 1000 before you compare it with the clock; sign its text as it is.",
        )
    seconds = Message(message.id, int(_seconds(message.timestamp)), message.method, message.url, b"")
    late = check_clock(recipe, seconds, now=now, tolerance=tolerance)
    apart = abs(now - seconds.timestamp)
    if late is Mismatch.TOO_OLD:
        yield Difference(
            Part.CLOCK,
            f"The timestamp is {spelled(apart)} old, and {spelled(tolerance or 0)} are allowed.",
            "If the request was just received, set the receiver's clock (NTP). If it was recorded earlier, compare "
            "with the time of its arrival.",
        )
    elif late is Mismatch.TOO_NEW:
        is_zone = abs(apart - round(apart / HOUR) * HOUR) < (tolerance or 0) and apart > HOUR / 2
        cause = " That is about a whole number of hours, as with a clock in local time." if is_zone else ""
        yield Difference(
            Part.CLOCK,
            f"The timestamp is {spelled(apart)} in the future, and {spelled(tolerance or 0)} are allowed.{cause}",
            "Set the clocks of receiver and sender (NTP). Both must use seconds since 1970 in UTC.",
        )


def _has_timestamp(recipe: Recipe, message: Message) -> bool:
    return "{timestamp}" in recipe.content and bool(message.timestamp)


def _seconds(timestamp: int) -> float:
    return timestamp / 1000 if timestamp >= 10**11 else timestamp


def _notes(recipe: Recipe, keys: Sequence[bytes], received: Received, *, signed: bool) -> Iterator[str]:
    claim = read_claim(recipe, received)
    if signed and not isinstance(claim, Mismatch):
        if len(keys) > 1 and not is_signed(recipe, keys[:1], claim):
            yield "Only the previous secret matches: the sender does not use the current one yet."
        if len(claim.signatures) > 1:
            first = next(
                at
                for at, one in enumerate(claim.signatures, 1)
                if is_signed(recipe, keys, Claim(claim.message, (one,)))
            )
            yield f"The header has {len(claim.signatures)} signatures, and number {first} matches."
    written = next((name for name in received.headers if name.lower() == recipe.header.lower()), recipe.header)
    if not signed and written != recipe.header:
        yield f"The header arrived as {written}. Upper and lower case do not matter in names: look it up in any."
    short = [key for key in keys if len(key) < SHORTEST_KEY]
    if recipe.key == "whsec" and short:
        yield f"The key has {len(short[0])} bytes. Standard Webhooks requires at least {SHORTEST_KEY}."


def spelled(seconds: float) -> str:
    """A length of time in one unit or two: ``3 h 20 min``."""
    units = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    rest, parts = round(seconds), []
    for size, unit in units:
        if rest >= size:
            parts.append(f"{rest // size} {unit}")
            rest %= size
    return " ".join(parts[:2]) or "0 s"
