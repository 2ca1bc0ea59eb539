"""Each test of the contract of secret sources fails for one with the mistake that it is there to find."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hookctl.errors import SecretError
from hookctl.kit.contracts import SecretSourceContract
from hookctl.kit.contracts.part import PartContract
from hookctl.plugin import SecretSource

SECRETS = {"a": "canary-a", "b": "canary-b"}
GIVEN: dict[str, Any] = {"known": SECRETS, "unknown": ("c",)}


def refused(message: str = "there is no such secret", hint: str = "Name another.") -> SecretError:
    return SecretError(message, hint=hint)


def right(key: str) -> str:
    if key not in SECRETS:
        raise refused()
    return SECRETS[key]


def source(resolve: Callable[[str], Any] = right, **changes: Any) -> SecretSource:
    return SecretSource(**{"scheme": "vault", "summary": "A vault.", "resolve": resolve, **changes})


def refusing(error: BaseException) -> SecretSource:
    def resolve(key: str) -> str:
        if key in SECRETS:
            return SECRETS[key]
        raise error

    return source(resolve)


def only_strange(key: str) -> str:
    if key == "c":
        raise refused()
    return SECRETS[key]


def rotating(count: Any = itertools.count()) -> SecretSource:  # one for the test
    return source(lambda key: f"{right(key)}{next(count) or ''}")


def shared() -> SecretSource:
    """Keeps the key of a call where all threads see it."""
    current = [""]

    def resolve(key: str) -> str:
        current[0] = key
        time.sleep(0.001)
        return right(current[0])

    return source(resolve)


def from_disk(key: str) -> str:
    with suppress(OSError):
        Path(__file__).read_text(encoding="utf-8")
    return right(key)


class Shown:
    """A function whose text shows a secret."""

    def __call__(self, key: str) -> str:
        return right(key)

    def __repr__(self) -> str:
        return "Shown(canary-a)"


BROKEN: dict[str, list[tuple[SecretSource, str]]] = {
    "test_it_resolves": [
        (source(lambda _: b"canary-a"), "returned bytes, not text"),
        (source(lambda _: "canary-b"), "another text than `known` says"),
        (rotating(), "another text than `known` says"),
    ],
    "test_unknown_keys_are_refused": [
        (source(lambda key: SECRETS.get(key, "")), "returned a text"),
        (refusing(refused(hint="")), "has no hint"),
        (refusing(refused(message="a\nb")), "control characters"),
        (refusing(KeyError("c")), r"resolve\('c'\) raises KeyError; raise SecretError"),
    ],
    "test_strange_keys_are_refused": [(source(only_strange), r"resolve\(''\) raises KeyError")],
    "test_errors_contain_no_secret": [(refusing(refused(f"there are only {SECRETS}")), "contains a secret")],
    "test_description_contains_no_secret": [(source(Shown()), "its description shows a secret")],
    "test_blocking_is_declared": [(source(from_disk, blocking=False), "declares blocking=False, but calls io.open")],
    "test_threads_may_share_it": [(shared(), "get other secrets")],
}
CASES = [(test, part, match) for test, parts in BROKEN.items() for part, match in parts]


@pytest.mark.parametrize(("test", "part", "match"), CASES, ids=[test for test, _, _ in CASES])
def test_it_finds_the_mistake(run_contract: Callable[..., None], test: str, part: SecretSource, match: str) -> None:
    with pytest.raises(AssertionError, match=match):
        run_contract(SecretSourceContract, test, part, **GIVEN)


def test_it_needs_keys(run_contract: Callable[..., None]) -> None:
    with pytest.raises(AssertionError, match="in `known`"):
        run_contract(SecretSourceContract, "test_it_resolves", source(), known={}, unknown=("c",))
    with pytest.raises(AssertionError, match="in `unknown`"):
        run_contract(SecretSourceContract, "test_unknown_keys_are_refused", source(), known=SECRETS, unknown=())


def test_it_finds_nothing_in_a_source_without_mistakes(
    run_contract: Callable[..., None], tests_of: Callable[[type], set[str]]
) -> None:
    for test in tests_of(SecretSourceContract):
        run_contract(SecretSourceContract, test, source(blocking=False), **GIVEN)


def test_there_is_a_mistake_for_each_test(tests_of: Callable[[type], set[str]]) -> None:
    in_common = tests_of(PartContract)  # test_auth_contract.py has them
    assert BROKEN.keys() == tests_of(SecretSourceContract) - in_common
