"""Signatures over request bodies."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from requests.auth import AuthBase

from hookctl.model import reveal

if TYPE_CHECKING:
    from requests import PreparedRequest

    from hookctl.plugin import Settings


class BodySignature(AuthBase):
    """Adds ``sha256=<hex>`` over the body as it is sent."""

    def __init__(self, settings: Settings) -> None:
        self._key = reveal(settings["secret"]).encode()
        self._header = reveal(settings.get("header", "X-Hub-Signature-256"))

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign; a request without a body is signed as one with an empty body."""
        body = request.body or b""
        data = body.encode() if isinstance(body, str) else body
        request.headers[self._header] = f"sha256={hmac.new(self._key, data, hashlib.sha256).hexdigest()}"
        return request
