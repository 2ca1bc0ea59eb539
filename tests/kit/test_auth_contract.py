"""Each test of the contract of auths fails for an auth with the mistake that it is there to find."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest
import requests
from requests.auth import AuthBase

from hookctl.errors import SecretError, TokenError
from hookctl.kit.contracts import AuthContract
from hookctl.model import reveal
from hookctl.plugin import AuthType

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["key"],
    "additionalProperties": False,
    "properties": {"key": {"type": "string", "x-secret": True, "description": "The key."}},
}
SETTINGS = {"key": "k-0123456789"}
REFUSED = ({"key": ""},)
TOKEN_URL = "https://login.example.com/oauth/token"


class Key(AuthBase):
    """An auth without a mistake; the others inherit from it."""

    def __init__(self, settings: Any, context: Any) -> None:
        self.key, self.context = reveal(settings["key"]), context
        if not self.key:
            raise SecretError("the key is empty", hint="Use a key.")

    def __call__(self, request: Any) -> Any:
        request.headers["X-Key"] = self.value(request)
        return request

    def value(self, request: Any) -> str:
        return self.key

    def token(self, **options: Any) -> str:
        asked = requests.Request("POST", TOKEN_URL, data={"key": self.key}).prepare()
        return str(self.context.adapter.send(asked, **options).json()["access_token"])


def auth(build: Callable[..., Any] = Key, **changes: Any) -> AuthType:
    shown: Mapping[str, Any] = {"adds": lambda settings: {"X-Key": settings["key"]}, "schema": SCHEMA}
    return AuthType(**{"name": "key", "summary": "A key.", "build": build, **shown, **changes})


def schema(**key: Any) -> dict[str, Any]:
    return {**SCHEMA, "properties": {"key": {**SCHEMA["properties"]["key"], **key}}}


def value_of(function: Callable[[Any, Any], str], **changes: Any) -> AuthType:
    return auth(type("Changed", (Key,), {"value": function}), **changes)


class Shared(Key):
    """Keeps the request of a call in the object that all threads share."""

    def value(self, request: Any) -> str:
        self.current = request
        time.sleep(0.001)
        return hashlib.sha256(self.current.body).hexdigest()


class InQuery(Key):
    """Adds the key to the URL, too."""

    def value(self, request: Any) -> str:
        request.prepare_url(request.url, {"key": self.key})
        return self.key


class Stale(Key):
    """Never asks for another token."""

    known = ""

    def value(self, request: Any) -> str:
        self.known = self.known or self.token(timeout=1)
        return self.known

    def refresh(self, request: Any) -> None:
        pass


def dial(self: Any, request: Any) -> str:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", 9))
    return str(self.key)


def sleep(self: Any, request: Any) -> str:
    with suppress(OSError):
        time.sleep(0)
    return str(self.key)


def quoting(self: Any, request: Any) -> str:
    try:
        return str(self.token(timeout=1))
    except KeyError:
        raise TokenError(f"the server did not accept {self.key}") from None


def reading(settings: Any) -> Mapping[str, str]:
    with suppress(OSError), open(__file__, encoding="utf-8"):  # noqa: PTH123  # what the contract looks for
        pass
    return {"X-Key": settings["key"]}


def telling(settings: Any, context: Any) -> AuthBase:
    if "\n" in reveal(settings["key"]):
        raise SecretError(f"the key {reveal(settings['key'])!r} has line breaks")
    return Key(settings, context)


BROKEN: dict[str, list[tuple[AuthType, str]]] = {
    "test_summary_is_one_line": [(auth(summary=""), "is empty"), (auth(summary="a\nb"), "several lines")],
    "test_schema_is_valid": [
        (auth(schema={"type": "objekt"}), r"not valid at \$.type: 'objekt' is not valid under any"),
        (auth(schema={**SCHEMA, "type": ["object", "null"]}), "an object"),
    ],
    "test_settings_are_described": [(auth(schema=schema(description=" ")), "no description: key")],
    "test_unknown_settings_are_refused": [
        (auth(schema={**SCHEMA, "additionalProperties": True}), "additionalProperties")
    ],
    "test_settings_are_valid": [
        (auth(schema=schema(maxLength=3)), r"\$.key: 'k-0123456789' is too long"),
        (auth(schema=schema(pattern="^k-")), "a secret reference"),
    ],
    "test_bad_settings_are_refused": [
        (auth(build=lambda *_: Key({"key": "k"}, None)), "neither the schema nor build rejects {'key': ''}")
    ],
    "test_secrets_are_declared": [
        (auth(schema={**SCHEMA, "properties": {"api_key": {"type": "string"}}}), "like secrets: api_key")
    ],
    "test_it_authenticates": [
        (auth(build=lambda *_: None), "not an AuthBase"),
        (auth(build=lambda *_: lambda request: request.copy()), "does not return the request"),
    ],
    "test_adds_agrees_with_what_is_added": [
        (auth(adds=lambda _: {}), r"declares \[\], but the auth sets \['x-key'\]"),
        (auth(adds=lambda _: {"X-Key": "***", "X-Other": "***"}), "x-other"),
        (auth(adds=lambda _: {"X-Key": "Key ***"}), "it is another"),
        (auth(adds_query=lambda _: {"key": "***"}), r"adds_query declares \['key'\], but the auth sets \[\]"),
        (auth(InQuery), r"adds_query declares \[\], but the auth sets \['key'\]"),
        (auth(InQuery, adds_query=lambda _: {"key": "k-***-9"}), "adds_query declares key: k-.*, but it is another"),
    ],
    "test_adds_reads_and_sends_nothing": [
        (auth(adds=reading), "adds calls builtins.open"),
        (auth(adds_query=reading), "adds_query calls builtins.open"),
        (auth(adds_query=lambda _: {"key": "k-0123456789"}), "adds_query shows a secret"),
    ],
    "test_per_attempt_is_declared": [
        (value_of(lambda self, request: hashlib.sha256(request.body).hexdigest()), "declare per_attempt=True"),
        (value_of(lambda *_: str(int(time.time()))), "declare per_attempt=True"),
        (value_of(lambda self, _: self.token(timeout=1)), "requests of its own"),
        (auth(per_attempt=True), "never changes"),
    ],
    "test_blocking_is_declared": [
        (value_of(sleep, blocking=False), "calls time.sleep"),
        (value_of(lambda self, _: self.token(timeout=1), blocking=False), "a request of its own"),
    ],
    "test_it_sends_only_through_the_adapter": [(value_of(dial), "calls socket.getaddrinfo")],
    "test_its_requests_have_the_deadline": [
        (value_of(lambda self, _: self.token()), "timeout=None"),
        (value_of(lambda self, _: self.token(timeout=(1, 2))), r"timeout=\(1, 2\)"),
        (value_of(lambda self, _: self.token(timeout=60)), "60 s"),
    ],
    "test_secrets_are_not_shown": [
        (auth(type("Talkative", (Key,), {"__repr__": lambda self: f"<Key {self.key}>"})), "the text of the auth"),
        (value_of(lambda self, _: self.token(timeout=1)), "raises KeyError|raises JSONDecodeError"),
        (value_of(quoting), "the TokenError contains a secret"),
    ],
    "test_unusable_secrets_are_refused": [
        (value_of(lambda self, _: self.key.encode("ascii").decode()), "raises UnicodeEncodeError"),
        (auth(telling), "contains the secret"),
    ],
    "test_threads_may_share_it": [(auth(Shared, per_attempt=True), "results of others")],
    "test_refresh_takes_the_request_that_was_sent": [(auth(Stale, per_attempt=True), "still uses the token")],
}
CASES = [(test, part, match) for test, parts in BROKEN.items() for part, match in parts]


@pytest.mark.parametrize(("test", "part", "match"), CASES, ids=[test for test, _, _ in CASES])
def test_it_finds_the_mistake(run_contract: Callable[..., None], test: str, part: AuthType, match: str) -> None:
    with pytest.raises(AssertionError, match=match):
        run_contract(AuthContract, test, part, settings=SETTINGS, refused=REFUSED)


def test_it_finds_nothing_in_an_auth_without_mistakes(
    run_contract: Callable[..., None], tests_of: Callable[[type], set[str]]
) -> None:
    for test in tests_of(AuthContract):
        run_contract(AuthContract, test, auth(), settings=SETTINGS, refused=REFUSED)


def test_there_is_a_mistake_for_each_test(tests_of: Callable[[type], set[str]]) -> None:
    assert BROKEN.keys() == tests_of(AuthContract)
