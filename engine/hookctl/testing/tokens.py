"""An OAuth token endpoint for the client credentials grant (RFC 6749, section 4.4)."""

from __future__ import annotations

import base64
import hmac
import time
from urllib.parse import parse_qs, unquote_plus

from hookctl.testing.answers import Answer, ReceivedRequest

PATH = "/oauth/token"


class TokenEndpoint:
    """Checks id and secret, in the header or in the body, and issues bearer tokens with a limited lifetime."""

    def __init__(self, client_id: str = "client", client_secret: str = "secret", expires_in: float = 3600.0) -> None:  # noqa: S107  # an example's
        self.client_id = client_id
        self.client_secret = client_secret
        self.expires_in = expires_in
        """The lifetime of tokens in seconds; a change applies to later tokens."""
        self.issued = 0
        self.refused = 0
        self.scopes: list[str] = []
        """The scope parameter of each request that received a token."""
        self._valid_until: dict[str, float] = {}

    def answer(self, request: ReceivedRequest) -> Answer:
        """The token, or the error that RFC 6749 defines."""
        form = {name: values[0] for name, values in parse_qs(request.body.decode("latin-1")).items()}
        if form.get("grant_type") != "client_credentials":
            return self._refuse(400, "unsupported_grant_type")
        client_id, client_secret = _credentials(request, form)
        known = hmac.compare_digest(client_id.encode(), self.client_id.encode())
        if not (hmac.compare_digest(client_secret.encode(), self.client_secret.encode()) and known):
            return self._refuse(401, "invalid_client")
        self.issued += 1
        token = f"token-{self.issued}"
        self._valid_until[token] = time.monotonic() + self.expires_in
        self.scopes.append(form.get("scope", ""))
        return Answer.json(
            {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": int(self.expires_in),
                "scope": form.get("scope", ""),
            }
        )

    def accepts(self, request: ReceivedRequest) -> bool:
        """Whether the request has an issued token that is still valid."""
        scheme, _, token = (request.header("Authorization") or "").partition(" ")
        return scheme == "Bearer" and self._valid_until.get(token, 0.0) > time.monotonic()

    def revoke_all(self) -> None:
        """Revoke every issued token."""
        self._valid_until.clear()

    def _refuse(self, status: int, error: str) -> Answer:
        self.refused += 1
        return Answer.json({"error": error}, status)


def _credentials(request: ReceivedRequest, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, coded = (request.header("Authorization") or "").partition(" ")
    if scheme != "Basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client_id, _, client_secret = base64.b64decode(coded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(client_id), unquote_plus(client_secret)
