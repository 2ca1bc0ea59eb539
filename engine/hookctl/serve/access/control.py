"""What every request passes before its endpoint: the name of the server, who sends it, and writes from browsers."""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from jinja2 import pass_context
from markupsafe import Markup
from starlette.requests import Request

from hookctl.errors import StateError
from hookctl.serve.access.answers import cross_site, refused, too_large, too_many_failures, unavailable
from hookctl.serve.access.cookies import cookie_of
from hookctl.serve.access.form import MAX_BYTES, MEDIA_TYPE, parse_form, read_body, replaying
from hookctl.serve.access.identity import identity_of
from hookctl.serve.access.origin import is_same_origin, names_an_origin
from hookctl.serve.access.signed import PREFIX
from hookctl.serve.access.signed_requests import check_signed
from hookctl.serve.problems import problem

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from jinja2.runtime import Context as TemplateContext
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from hookctl.serve.access.rules import Access
    from hookctl.serve.access.sessions import Session

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
NO_STORE = (b"cache-control", b"no-store")


class AccessControl:
    """ASGI middleware. Endpoints find in ``request.state``: ``identity`` (None: nobody), ``csrf_token``, ``form``."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or have the application do so."""
        if scope["type"] != "http":  # the server speaks nothing else
            return
        send = _without_caching(send)
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["identity"], state["csrf_token"] = None, ""
        request = Request(scope, receive)
        answer = self._check_host(request) or await self._identify(request)
        if answer is None and "session" in state and scope["method"] not in SAFE_METHODS:
            answer, receive = await _check_form(request, receive, state["session"])
        elif answer is None and "signed" in state:
            answer, receive = await check_signed(request, receive, state["signed"], self._access)
        if answer is None:
            await self._app(scope, receive, send)
        else:
            await answer(scope, receive, send)

    def _check_host(self, request: Request) -> Response | None:
        """An answer if the request is for another server, or not clear about it."""
        given = [value for name, value in request.scope["headers"] if name == b"host"]
        arrived_at = (request.scope.get("server") or ("",))[0]
        if len(given) == 1 and self._access.hosts.allow(given[0].decode("latin-1"), arrived_at):
            return None
        return problem(
            421,
            type="host-unknown",
            title="The server does not answer to this name",
            detail="the Host header does not have a name of this server",
            hint="Start the server with `hookctl serve --host NAME` if it is reached under this name.",
        )

    async def _identify(self, request: Request) -> Response | None:
        """Note who sends the request. An answer if it has a token that is not accepted, or a write is cross-site."""
        state = request.scope["state"]
        try:
            # Starlette would decode every header.
            given = [value.decode("latin-1") for name, value in request.scope["headers"] if name == b"authorization"]
            if given:
                return await self._check_bearer(request, given)
            if request.url.path.startswith(PREFIX):
                return await self._check_id(request)
            cookie = cookie_of(request)
            session = await self._access.session(cookie) if cookie else None
        except StateError as error:  # the store cannot be read
            self._access.report(error)
            return unavailable()
        if session is not None:
            state["session"], state["identity"], state["csrf_token"] = session, session.identity, session.csrf
        elif request.method not in SAFE_METHODS and names_an_origin(request) and not is_same_origin(request):
            return cross_site("the Origin or Sec-Fetch-Site header names another site")
        return None

    async def _check_bearer(self, request: Request, given: list[str]) -> Response | None:
        scheme, _, text = given[0].partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer" or not text.strip():
            return refused("the Authorization header is not `Bearer TOKEN`")
        token, wait = await self._access.token(text.strip(), client_address(request))
        if token is None:
            return too_many_failures(wait) if wait else refused("the token is unknown, has expired or was revoked")
        request.scope["state"]["identity"] = identity_of(token)
        if token.signature:
            request.scope["state"]["signed"] = token
        return None

    async def _check_id(self, request: Request) -> Response | None:
        """For a sender that cannot send a bearer token: the token's id is in the path, and its signature is proof."""
        await self._access.tokens.refresh()
        token = self._access.tokens.by_id(request.url.path.removeprefix(PREFIX))
        if token is None or not token.signature:
            return refused("the path does not end with the id of a token that requires signatures")
        request.scope["state"] |= {"identity": identity_of(token), "signed": token}
        return None


async def _check_form(request: Request, receive: Receive, session: Session) -> tuple[Response | None, Receive]:
    """An answer if a session's write does not come from a page of this server; and how to receive the body again."""
    if not is_same_origin(request):
        return cross_site("the Origin or Sec-Fetch-Site header is missing or names another site"), receive
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        return cross_site(f"a browser's write is a form of the type {MEDIA_TYPE}"), receive
    body = await read_body(receive, MAX_BYTES)
    if body is None:
        return too_large(MAX_BYTES), receive
    try:
        form = parse_form(body)
    except ValueError as error:
        return problem(400, type="form-invalid", title="The form cannot be read", detail=str(error)), receive
    given = form.getlist("csrf_token")
    if len(given) != 1 or not compare_digest(str(given[0]).encode(), session.csrf.encode()):
        return cross_site("the form does not have the CSRF token of this session"), receive
    request.scope["state"]["form"] = form
    return None, replaying(body, receive)


def client_address(request: Request) -> str:
    """The address of the other end of the connection. Headers of proxies are not trusted."""
    client = request.scope.get("client")
    return client[0] if client else ""


@pass_context
def csrf_field(context: TemplateContext) -> Markup:
    """The hidden field that every form contains. The template must have ``request``."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(context["request"].state.csrf_token)


def _without_caching(send: Send) -> Send:
    """Adds ``Cache-Control: no-store`` to every response that does not say otherwise."""

    async def send_uncached(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = message.setdefault("headers", [])
            if all(name.lower() != b"cache-control" for name, _ in headers):
                message["headers"] = [*headers, NO_STORE]
        await send(message)

    return send_uncached
