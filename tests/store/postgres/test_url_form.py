"""URLs with characters that should have been percent-encoded: nothing of a password is ever named."""

from __future__ import annotations

import traceback

import pytest

from hookctl.errors import HookctlError
from hookctl.store.opening import open_store
from hookctl.store.postgres.address import parse


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:SECRET/more@127.0.0.1:1/db",
        "postgresql://u:SECRET#more@127.0.0.1:1/db",
        "postgresql://u:SECRET?more@127.0.0.1:1/db",
        "postgresql://u:12/SECRET@127.0.0.1:1/db",
        "postgresql://u:12#SECRET@127.0.0.1:1/db",
        "postgresql://u:12?SECRET@127.0.0.1:1/db",
        "postgresql://u:SECRET@more@127.0.0.1:1/db",
        "postgresql://u:more@SECRET@127.0.0.1:1/db",
        "postgresql://u:SECRET more@127.0.0.1:1/db",
        "postgresql://u:SECRET\u2100more@127.0.0.1:1/db",
        "postgresql://u:SECRET@[::1]x/db",
        "postgresql://u:SECRET@[::1/db",
        "postgresql://127.0.0.1:1/db?password=SECRET more",
        "postgresql://127.0.0.1:1/db?password=SECRET#more",
        "postgresql://127.0.0.1:1/db?password=a&SECRET@more",
    ],
)
def test_no_part_of_a_password_is_named(url: str) -> None:
    with pytest.raises(HookctlError) as refused:
        open_store(url)
    assert "SECRET" not in "".join(traceback.format_exception_only(refused.value)) + refused.value.hint
    assert "%2F for /" in refused.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://",
        "postgresql:///",
        "postgresql:///db",
        "postgresql://?service=hooks",
        "postgresql://u:p%2F%40@h-1.example_.com:5432/a/b?sslmode=require&schema=own&",
        "postgresql://u:a:b@one,two:1,[::1]:5432,%2Fvar%2Frun/db",
        "postgresql://ä:ö@h/ü",
        "postgresql:///db?host=/var/run&options=-c%20x%3D1&password=a@b/c?d",
    ],
)
def test_every_url_that_is_escaped_is_read(url: str) -> None:
    assert parse(url).schema in {"hookctl", "own"}
