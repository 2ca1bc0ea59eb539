"""Authentication by constant headers: ``bearer``, ``basic``, ``headers``."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING

from requests.auth import AuthBase

from hookctl.errors import SecretError
from hookctl.model import reveal

if TYPE_CHECKING:
    from requests import PreparedRequest

    from hookctl.plugin import Settings


class HeaderAuth(AuthBase):
    """Sets the same headers on every request."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the headers, replacing those of the same name."""
        request.headers.update(self._headers)
        return request


def bearer(settings: Settings) -> AuthBase:
    """``Authorization: Bearer <token>``."""
    return HeaderAuth({"Authorization": f"Bearer {reveal(settings['token'])}"})


def basic(settings: Settings) -> AuthBase:
    """``Authorization: Basic ...``, in UTF-8 as RFC 7617 recommends.

    Raises SecretError if the user name contains a colon.
    """
    username, password = reveal(settings["username"]), reveal(settings["password"])
    if ":" in username:
        raise SecretError(
            "the username of auth basic contains a colon, which HTTP Basic does not allow",
            hint="Use another account, or another auth type.",
        )
    return HeaderAuth({"Authorization": f"Basic {b64encode(f'{username}:{password}'.encode()).decode('ascii')}"})


def headers(settings: Settings) -> AuthBase:
    """Each header as written."""
    values = settings["headers"]
    if not isinstance(values, dict):
        raise TypeError("headers must be an object")  # the schema requires an object, so check reports anything else
    return HeaderAuth({name: reveal(value) for name, value in values.items()})
