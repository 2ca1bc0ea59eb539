"""Secrets: references travel, values never print."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.errors import SecretError
from hookctl.model import MASK, Secret, SecretReference
from hookctl.model.secret import has_reference, mask, references, resolve_all, resolve_text

CANARY = "canary-7f3a"


def resolve(reference: SecretReference) -> str:
    if reference.key == "GONE":
        raise SecretError(f"{reference} is not set")
    return f"{CANARY}:{reference.scheme}:{reference.key}"


@pytest.mark.parametrize(
    "show", [repr, str, "{}".format, "{:>20}".format, "%s".__mod__, lambda secret: f"{[secret]}{ {'k': secret} }"]
)
def test_a_secret_never_prints_itself(show: object) -> None:
    assert callable(show)
    shown = show(Secret(CANARY))
    assert CANARY not in shown
    assert MASK in shown


def test_a_secret_is_never_written() -> None:
    secret = Secret(CANARY)
    with pytest.raises(TypeError, match="never written"):
        pickle.dumps(secret)
    with pytest.raises(TypeError, match="never written"):
        copy.copy(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)


def test_equal_secrets_are_equal() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("${env:TOKEN}", [SecretReference("env", "TOKEN")]),
        ("Bearer ${env:TOKEN}", [SecretReference("env", "TOKEN")]),
        (
            "${file:/run/secrets/a.b-c}${env:B}",
            [SecretReference("file", "/run/secrets/a.b-c"), SecretReference("env", "B")],
        ),
        ("$env:TOKEN", []),
        ("${TOKEN}", []),
        ("${env:}", []),
        ("${ENV:TOKEN}", []),
        ("${env:A B}", []),
        ("", []),
    ],
)
def test_references(text: str, found: list[SecretReference]) -> None:
    assert references(text) == found
    assert has_reference(text) == bool(found)
    assert "".join(map(str, found)) in text


def test_a_text_with_a_reference_becomes_a_secret_whole() -> None:
    resolved = resolve_text("Bearer ${env:TOKEN}!", resolve)
    assert isinstance(resolved, Secret)
    assert resolved.reveal() == f"Bearer {CANARY}:env:TOKEN!"
    assert resolve_text("Bearer", resolve) == "Bearer"


def test_a_reference_in_a_secret_is_not_resolved_again() -> None:
    resolved = resolve_text("${env:A}", lambda _: "${env:B}")
    assert isinstance(resolved, Secret)
    assert resolved.reveal() == "${env:B}"


def test_resolve_at_any_depth() -> None:
    resolved = resolve_all({"a": ["${env:A}", {"b": "plain"}], "n": 1, "t": True, "z": None}, resolve)
    assert resolved == {"a": [Secret(f"{CANARY}:env:A"), {"b": "plain"}], "n": 1, "t": True, "z": None}


def test_a_missing_secret_is_an_error() -> None:
    with pytest.raises(SecretError, match=r"\$\{env:GONE\} is not set"):
        resolve_all({"a": "${env:GONE}"}, resolve)


@given(st.text())
def test_mask_leaves_no_reference(text: str) -> None:
    assert not has_reference(mask(text + "${env:A}" + text))
    if not has_reference(text):
        assert mask(text) == text
