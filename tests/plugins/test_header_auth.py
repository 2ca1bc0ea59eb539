from __future__ import annotations

import base64
from typing import Any, cast

import pytest
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from hookctl.errors import SecretError
from hookctl.model import Secret
from hookctl.plugin import AuthContext, Settings
from hookctl.plugin.host import load_plugins


def headers_after(kind: str, settings: dict[str, Any], **before: str) -> dict[str, str]:
    auth = load_plugins().auth[kind].build(cast("Settings", settings), AuthContext(HTTPAdapter(), 5.0))
    request = PreparedRequest()
    request.headers = CaseInsensitiveDict(before)
    return dict(auth(request).headers)


def test_bearer() -> None:
    assert headers_after("bearer", {"token": Secret("canary")}) == {"Authorization": "Bearer canary"}


@pytest.mark.parametrize("username", ["hookctl", Secret("hookctl")])
def test_basic(username: str | Secret) -> None:
    value = headers_after("basic", {"username": username, "password": Secret("pa:ss wörd")})["Authorization"]
    assert base64.b64decode(value.removeprefix("Basic ")) == "hookctl:pa:ss wörd".encode()


def test_basic_refuses_a_resolved_username_with_a_colon() -> None:
    with pytest.raises(SecretError, match="colon") as raised:
        headers_after("basic", {"username": Secret("canary:user"), "password": Secret("canary")})
    assert "canary" not in f"{raised.value.message}{raised.value.hint}"


def test_headers_replace_those_of_the_same_name_in_any_case() -> None:
    settings = {"headers": {"X-Api-Key": Secret("canary"), "Authorization": Secret("Token token=1")}}
    after = headers_after("headers", settings, **{"x-api-key": "old", "X-Source": "hookctl"})
    assert after == {"X-Api-Key": "canary", "Authorization": "Token token=1", "X-Source": "hookctl"}


def test_these_are_prepared_once_and_never_block() -> None:
    kinds = load_plugins().auth
    assert not any(kinds[name].per_attempt or kinds[name].blocking for name in ("bearer", "basic", "headers"))
    assert kinds["oauth2"].per_attempt
    assert kinds["oauth2"].blocking


@pytest.mark.parametrize("text", ["${env:SIEM_USER}", "svc-${env:STAGE}", "a$b", "plain", "cost$"])
def test_username_may_hold_references(text: str) -> None:
    import jsonschema
    import jsonschema_rs

    schema = dict(load_plugins().auth["basic"].schema)
    instance = {"username": text, "password": "${env:P}"}
    assert jsonschema_rs.is_valid(schema, instance)
    jsonschema.Draft202012Validator(schema).validate(instance)


@pytest.mark.parametrize("text", ["a:b", "${env:A}:x", ":", "$:", "${env:A"])
def test_username_holds_no_colon(text: str) -> None:
    import jsonschema
    import jsonschema_rs

    schema = dict(load_plugins().auth["basic"].schema)
    instance = {"username": text, "password": "${env:P}"}
    assert not jsonschema_rs.is_valid(schema, instance)
    assert not jsonschema.Draft202012Validator(schema).is_valid(instance)
