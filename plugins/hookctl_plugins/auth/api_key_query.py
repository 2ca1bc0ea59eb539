"""Authentication by a parameter of the URL: ``api_key_query``."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from requests.auth import AuthBase

from hookctl.errors import SecretError
from hookctl.model import reveal

if TYPE_CHECKING:
    from requests import PreparedRequest

    from hookctl.plugin import Settings


class ApiKeyQuery(AuthBase):
    """Adds one parameter after the query of the URL, which stays as it is written."""

    def __init__(self, settings: Settings) -> None:
        """Raises SecretError for a key that is not valid Unicode."""
        try:
            key = quote(reveal(settings["key"]), safe="")
        except UnicodeEncodeError:
            raise SecretError("the key of auth api_key_query is not valid Unicode text") from None
        self._pair = f"{quote(reveal(settings['parameter']), safe='')}={key}"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the parameter."""
        url = request.url or ""
        request.url = f"{url}{'&' if '?' in url else '?'}{self._pair}"
        return request
