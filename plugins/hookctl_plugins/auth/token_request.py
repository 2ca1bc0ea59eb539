"""One request to a token endpoint, with strict checks of its answer.

requests-oauthlib makes the request. Before its parser sees the answer, only the relevant fields are kept, and these are
checked. So neither oauthlib's environment variables nor a hostile answer can change the behaviour.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from math import isfinite
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from hookctl import __version__
from hookctl.errors import AddressBlockedError, HookctlError, LocalError, ProxyError, TokenError, TokenRefusedError
from hookctl.network.shortage import HINT, shortage_of
from hookctl_plugins.auth.token_reasons import reason_of

if TYPE_CHECKING:
    from requests import Response
    from requests.adapters import BaseAdapter

REFUSALS = ("invalid_client", "unauthorized_client", "invalid_grant", "access_denied")
"""The error codes of RFC 6749 that mean that this client gets no token until someone changes its credentials."""


@dataclass(frozen=True, slots=True)
class Client:
    """The client, the endpoint, and the requested token."""

    client_id: str
    client_secret: str = field(repr=False)
    token_url: str
    scopes: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Further parameters of the posted form, in order, such as ``audience``. A name may occur several times."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Other values that no message may repeat: settings that are references."""
    secret_in_form: bool = False
    """Whether id and secret are in the posted form; otherwise in an HTTP Basic header."""
    assertion: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Parameters of RFC 7523: an assertion, and its ``grant_type`` or type. It may stand in for ``client_secret``."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A granted token."""

    token: str = field(repr=False)
    lifetime: float | None
    """Seconds from the answer, which a server may state as 0 or less; None if it states no lifetime, or no number."""


def fetch_token(client: Client, adapter: BaseAdapter, timeout: float) -> Grant:
    """Request a token. ``timeout`` is the total deadline in seconds, which the adapter keeps.

    Raises:
        TokenRefusedError: The endpoint refuses the client's credentials.
        TokenError: The endpoint cannot be reached, fails, or answers without a usable token.
        AddressBlockedError: The guard refused its address; no connection was attempted.
        ProxyError: This machine's proxy opened no connection to it.
        LocalError: This machine lacks a resource for the request.
    """
    grant = BackendApplicationClient(client.client_id)
    grant.grant_type = dict(client.assertion).get("grant_type", grant.grant_type)
    session = _Session(client=grant)
    session.trust_env = False  # ignore .netrc and proxy settings
    session.adapters.clear()
    session.mount("https://", adapter)
    session.headers.clear()
    session.headers.update(
        {"User-Agent": f"hookctl/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"}
    )
    granted: list[Grant] = []

    def check(response: Response) -> Any:  # the library needs only the text of this replacement for a response
        granted.append(_grant(response, client))
        return SimpleNamespace(text=json.dumps({"access_token": granted[-1].token, "token_type": "Bearer"}))

    def add_parameters(url: str, headers: Any, arguments: dict[str, Any]) -> tuple[str, Any, dict[str, Any]]:
        # The library's own form is a dict, which cannot repeat a name as RFC 8707 does with `resource`.
        return url, headers, {**arguments, "data": [*arguments["data"].items(), *client.parameters]}

    session.register_compliance_hook("access_token_response", check)
    session.register_compliance_hook("access_token_request", add_parameters)  # type: ignore[call-overload]  # its types lack this hook
    # requests-oauthlib logs secret and token at level DEBUG.
    logging.getLogger("requests_oauthlib.oauth2_session").setLevel(logging.INFO)
    try:
        session.fetch_token(client.token_url, timeout=timeout, **_arguments(client))
    except (TokenError, LocalError):
        raise
    except AddressBlockedError as error:
        raise AddressBlockedError(f"token endpoint: {error.message}", hint=error.hint) from None
    except ProxyError as error:
        raise ProxyError(f"token endpoint: {error.message}", hint=error.hint, cause=error.cause) from None
    except HookctlError as error:
        raise TokenError(f"the token endpoint cannot be reached: {error.message}", hint=error.hint) from None
    except Exception as error:  # noqa: BLE001 - an adapter may raise anything, and its text may repeat the request
        if lack := shortage_of(error):
            raise LocalError(lack, hint=HINT) from None
        raise TokenError(f"the token request failed: {type(error).__name__}", hint="Check token_url.") from None
    return granted[-1]
    # Do not close the session: that would close the adapter, which is shared.


class _Session(OAuth2Session):
    """A session that follows no redirect, which could send the client's secret to a host that nobody reviewed."""

    def get_redirect_target(self, resp: Response) -> None:
        """None: redirects are not followed."""


def _arguments(client: Client) -> dict[str, Any]:
    """The arguments of ``OAuth2Session.fetch_token``."""
    arguments: dict[str, Any] = {}
    if client.scopes:  # not in the session: oauthlib would treat a different scope in the answer as an error
        arguments["scope"] = " ".join(client.scopes)
    arguments |= {name: value for name, value in client.assertion if name != "grant_type"}
    if client.assertion and not client.client_secret:
        return arguments | {"include_client_id": bool(client.client_id)}
    if client.secret_in_form:
        return arguments | {"include_client_id": True, "client_secret": client.client_secret}
    return arguments | {
        "auth": HTTPBasicAuth(quote_plus(client.client_id), quote_plus(client.client_secret))
    }  # RFC 6749, section 2.3.1


def _grant(response: Response, client: Client) -> Grant:
    document = _document(response)
    status = response.status_code
    if 300 <= status < 400:
        raise TokenError(
            f"the token endpoint answered with a redirect ({status}), which is not followed",
            hint="Correct token_url.",
        )
    if not 200 <= status < 300 or document.get("error"):
        kind = TokenRefusedError if _is_refusal(status, document) else TokenError
        what = "refused" if 200 <= status < 300 else f"answered {status}"
        reason = reason_of(document, client.client_secret, client.secrets)
        raise kind(f"the token endpoint {what}{reason}", hint=_hint(status, document, client))
    token = document.get("access_token")
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable() or " " in token:
        raise TokenError(
            f"the token endpoint answered {status} without a usable access_token",
            hint="Check that token_url is an OAuth 2.0 token endpoint.",
        )
    kind_of_token = document.get("token_type", "Bearer")
    if not isinstance(kind_of_token, str) or not kind_of_token.lower().startswith("bearer"):
        raise TokenError(
            "the token endpoint granted a token that is not of type Bearer",
            hint="Ask the server's operator for bearer tokens.",
        )
    return Grant(token, _lifetime(document.get("expires_in")))


def _is_refusal(status: int, document: dict[str, Any]) -> bool:
    """Whether the endpoint refuses the client's credentials, rather than failing for now."""
    return status in {401, 403} or document.get("error") in REFUSALS


def _document(response: Response) -> dict[str, Any]:
    try:
        document = json.loads(response.content)
    except (ValueError, RecursionError):
        document = None
    return document if isinstance(document, dict) else {}


def _lifetime(value: object) -> float | None:
    """Seconds; None if the value is missing or not a number. Some servers send a number as text."""
    try:
        seconds = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None
    return seconds if seconds is not None and isfinite(seconds) else None


def _hint(status: int, document: dict[str, Any], client: Client) -> str:
    """What to check: by the error code (RFC 6749, section 5.2, and RFC 8707, section 2), or else by the status."""
    code = document.get("error")
    targets = sorted({name for name, _ in client.parameters if name in {"audience", "resource"}})
    by_code = {
        "invalid_scope": f"Check scopes: {', '.join(client.scopes) or 'none are set'}.",
        "invalid_target": (
            f"Check {' and '.join(targets)}." if targets else "Set audience or resource as the server requires."
        ),
        "unsupported_grant_type": "Ask the server's operator to allow the grant client_credentials.",
        "unauthorized_client": "Ask the server's operator to allow this client the grant client_credentials.",
    }
    if isinstance(code, str) and code in by_code:
        return by_code[code]
    if code or status in {400, 401, 403}:
        other = "client_secret_basic" if client.secret_in_form else "client_secret_post"
        return f"Check client_id, client_secret and scopes. Some servers need token_endpoint_auth_method: {other}."
    if status in {404, 405}:
        return "Check token_url."
    return "The server has an internal problem. hookctl tries again with the delivery's next attempt."
