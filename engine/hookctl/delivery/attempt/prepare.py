"""What a delivery plan needs at send time, made once: compiled template, resolved secrets, static headers, auth, validators."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, TypeVar, cast

from msgspec import Struct

from hookctl.delivery.attempt.authenticate import Auth, Authenticated, authenticate, check_headers
from hookctl.delivery.attempt.envelope import LastPassed, Validator
from hookctl.delivery.attempt.exchange import Job
from hookctl.delivery.attempt.failures import AttemptFailedError, blaming, named
from hookctl.delivery.attempt.head import Head, Written, compile_head, own_headers, static_headers
from hookctl.delivery.attempt.redact import Redactor, without_scheme
from hookctl.errors import PluginError, SecretError, TemplateError
from hookctl.model import (
    DeliveryPlan,
    Failure,
    FailureKind,
    Json,
    PluginBlock,
    Request,
    Secret,
    SecretReference,
    Verdict,
)
from hookctl.model.delivery_plan import canonical_json
from hookctl.model.rules.urls import URL_CHARACTER
from hookctl.model.secret import REFERENCE, has_reference, mask, resolve_all, resolve_text
from hookctl.network import Network, check_url
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import DEFAULT_TRANSPORT, AuthContext, Refreshable, Settings, TransportType
from hookctl.template import BodyTemplate, compile_body

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

T = TypeVar("T")
RECENT_TOKENS = 16
"""Tokens of a webhook that are masked after newer ones replaced them: they are often still valid."""
_URL_CHARACTERS = re.compile(r"[\x21-\x7e]+")


class Unsigned(Struct, frozen=True):
    """The request of one attempt, before the auth of each attempt. Holds secrets: never written, never shown."""

    request: Request
    shown: Written | None = None
    """Its URL and headers with secrets masked, where they are another for each event."""

    def __repr__(self) -> str:
        """Without the request."""
        return f"Unsigned(shown={self.shown!r})"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery plan, ready to make requests. Holds secrets: never written, never shown."""

    plan: DeliveryPlan
    digest: str
    body: BodyTemplate | None
    request: Request = field(repr=False)
    """Method, URL and headers of every request; ``webhook-id``, ``webhook-timestamp`` and the body are still to come."""
    shown: Request
    """The same with secrets masked."""
    heads: tuple[Head, Head] | None = field(repr=False)
    """Where URL or headers have expressions: what makes them in place of those of :attr:`request`, and the same with secrets masked."""
    auths: tuple[Auth, ...]
    """Those to be called for each attempt, in order."""
    blocking: bool
    """One of them may wait."""
    transport: Transport
    validators: tuple[Validator, ...]
    redactor: Redactor = field(repr=False)
    """Knows the secrets of the plan, and what auth made of them where it was applied once."""
    redactor_for: Callable[[frozenset[str]], Redactor] = field(repr=False)
    """One that knows what auth put into one attempt; the last few are kept, since a token serves many attempts."""
    last_passed: LastPassed = field(default_factory=LastPassed, repr=False)
    made_at: float = field(default_factory=time.monotonic)

    def make_request(self, job: Job, at: float) -> Unsigned:
        """The request of one attempt at ``at`` (epoch seconds), before the auth of each attempt. Raises AttemptFailedError."""
        with blaming("the body template"):
            body = None if self.body is None else self.body.render(job.document)
        own = own_headers(job.delivery_id, at)
        if self.heads is None:
            return Unsigned(Request(self.request.method, self.request.url, self.request.headers + own, body))
        head, shown = self.heads
        with blaming("an expression in URL or headers"):
            values = head.values(job.document)
            url, headers = head.vetted(values)
        if rule := _broken_rule(self.transport, url):
            raise AttemptFailedError(
                Failure(FailureKind.RENDER, f"with the event's values put in, the URL breaks the rule {rule}")
            )
        return Unsigned(Request(self.request.method, url, headers + own, body), shown.fill(values))

    def show(self, unsigned: Unsigned, sent: Authenticated) -> Request:
        """What was sent as a record shows it: secrets masked, and the body as it was before auth.

        ``unsigned`` is what :meth:`make_request` gave, ``sent`` the same after the auth of this attempt.
        """
        own = unsigned.request.headers[len(self.request.headers) :]
        url, headers = unsigned.shown or (self.shown.url, self.shown.headers)
        return sent.show(Request(self.shown.method, url, headers + own, unsigned.request.body))


@dataclass(frozen=True, slots=True)
class Transport:
    """Which transport, with which settings."""

    key: bytes
    """Equal for delivery plans that may share one."""
    who: str
    kind: TransportType
    settings: Settings = field(repr=False)

    def build(self, network: Network) -> BaseAdapter:
        """A new one."""
        return self.kind.build(self.settings, network)


def may_block(plan: DeliveryPlan, plugins: Plugins) -> bool:
    """Whether preparing ``plan`` may wait for something: for a secret, or for what an auth does while it is built."""
    schemes = {scheme for scheme, _ in REFERENCE.findall(plan.canonical().decode())}
    sources = (plugins.secret_sources.get(scheme) for scheme in schemes)
    types = (plugins.auth.get(block.type) for block in plan.auth)
    return any(source.blocking for source in sources if source) or any(
        kind.blocking is not False for kind in types if kind
    )


def prepare(plan: DeliveryPlan, plugins: Plugins, adapter: BaseAdapter | None, user_agent: str) -> Prepared:
    """Prepare ``plan``; ``adapter`` is what its auth may send with. May block as far as :func:`may_block` says so.

    Raises AttemptFailedError; a later call may succeed.
    """
    secrets = _Secrets(plugins)
    try:
        return _prepare(plan, plugins, adapter, user_agent, secrets)
    except AttemptFailedError as error:  # a message may repeat what was resolved, such as a host in a URL
        raise AttemptFailedError(Redactor(secrets.known()).failure(error.failure)) from error


def _prepare(
    plan: DeliveryPlan, plugins: Plugins, adapter: BaseAdapter | None, user_agent: str, secrets: _Secrets
) -> Prepared:
    with blaming("the body template"):
        body = (
            None
            if plan.body_template is None
            else _compiled(plugins, partial(compile_body, plan.body_template, plugins.filters))
        )
    transport = _transport(plan, plugins, secrets)
    with blaming("an expression in URL or headers"):
        written = _compiled(plugins, partial(compile_head, plan.url, static_headers(plan, user_agent), plugins.filters))
    heads = written.with_text(secrets.reveal), written.with_text(mask)
    request, shown = (Request(plan.method, *head.sample(), None) for head in heads)
    check_headers(request.headers)
    if has_reference(plan.url) and (rule := _broken_rule(transport, request.url)):
        raise AttemptFailedError(Failure(FailureKind.SECRET, f"with its secret put in, the URL breaks the rule {rule}"))
    auths = tuple(_auth(block, plan, plugins, secrets, adapter) for block in plan.auth)
    authenticated, each = _apply_once(request, auths) if written.is_fixed else (Authenticated(request), auths)
    return Prepared(
        plan=plan,
        digest=plan.digest,
        body=body,
        request=authenticated.request,
        shown=authenticated.show(shown),
        heads=None if written.is_fixed else heads,
        auths=each,
        blocking=any(auth.blocking for auth in each),
        transport=transport,
        validators=tuple(_validator(block, plugins) for block in plan.response_validators),
        redactor=Redactor({*secrets.known(), *authenticated.credentials()}),
        redactor_for=_redactors_of_recent(RECENT_TOKENS if any(auth.refreshable for auth in each) else 0),
    )


def _redactors_of_recent(most: int) -> Callable[[frozenset[str]], Redactor]:
    """A function that gives a redactor for the credentials of an attempt, and for up to ``most`` that were used last."""
    recent: dict[str, None] = {}
    redactor = lru_cache(maxsize=2)(Redactor)

    def redactor_for(credentials: frozenset[str]) -> Redactor:
        for credential in credentials:
            recent.pop(credential, None)
            recent[credential] = None
        while len(recent) > max(most, len(credentials)):
            del recent[next(iter(recent))]
        return redactor(frozenset(recent))

    return redactor_for


class _Secrets:
    """Resolves references, each once, and remembers what it gave out."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins
        self.resolved: dict[SecretReference, str] = {}

    def text(self, reference: SecretReference) -> str:
        if reference not in self.resolved:
            source = self._plugins.secret_sources.get(reference.scheme)
            if source is None:
                raise SecretError(f"no plugin resolves {reference}", hint="Install the plugin that adds the scheme.")
            with blaming(named(self._plugins, "secret source", reference.scheme)):
                secret = source.resolve(reference.key)
                if not isinstance(secret, str):
                    raise TypeError("a secret source gives text")
            self.resolved[reference] = secret
        return self.resolved[reference]

    def known(self) -> set[str]:
        """What to mask: each secret, and what is left of it without an authentication scheme."""
        return {form for secret in self.resolved.values() for form in (secret, without_scheme(secret))}

    def settings(self, block: PluginBlock) -> Settings:
        with blaming("a secret"):
            return cast("dict[str, Json]", resolve_all(dict(block.settings), self.text))  # type: ignore[return-value]

    def reveal(self, text: str) -> str:
        with blaming("a secret"):
            value = resolve_text(text, self.text)
        return value.reveal() if isinstance(value, Secret) else value


def _broken_rule(transport: Transport, url: str) -> str | None:
    """The rule that a URL breaks with what was put into it; None when it may be sent to. Raises AttemptFailedError."""
    with blaming(transport.who):
        problems = (transport.kind.check_url or check_url)(url)
    return problems[0].rule if problems else None if _URL_CHARACTERS.fullmatch(url) else URL_CHARACTER.id


def default_transport(plugins: Plugins) -> Transport:
    """The transport of a webhook that names none, and of what auth plugins send. Raises AttemptFailedError where no plugin gives it."""
    kind = _known(plugins.transports, "transport", DEFAULT_TRANSPORT, plugins.failed_hint)
    return Transport(canonical_json([DEFAULT_TRANSPORT, {}]), named(plugins, "transport", DEFAULT_TRANSPORT), kind, {})


def _transport(plan: DeliveryPlan, plugins: Plugins, secrets: _Secrets) -> Transport:
    block = plan.transport
    if block is None:
        return default_transport(plugins)
    kind = _known(plugins.transports, "transport", block.type, plugins.failed_hint)
    key = canonical_json([block.type, dict(block.settings)])
    return Transport(key, named(plugins, "transport", block.type), kind, secrets.settings(block))


def _auth(
    block: PluginBlock, plan: DeliveryPlan, plugins: Plugins, secrets: _Secrets, adapter: BaseAdapter | None
) -> Auth:
    kind = _known(plugins.auth, "auth", block.type, plugins.failed_hint)
    settings = secrets.settings(block)
    who = named(plugins, "auth", block.type)
    with blaming(who):
        built = kind.build(settings, AuthContext(cast("BaseAdapter", adapter), plan.timeout_seconds))
        refreshable = isinstance(built, Refreshable)
    return Auth(
        who,
        built,
        per_attempt=kind.per_attempt or refreshable,
        blocking=kind.blocking is not False,
        refreshable=refreshable,
    )


def _apply_once(request: Request, auths: tuple[Auth, ...]) -> tuple[Authenticated, tuple[Auth, ...]]:
    """Apply those that never change; gives the rest, from the first on that must be applied for each attempt: their order is the webhook's."""
    first = next((index for index, auth in enumerate(auths) if auth.per_attempt), len(auths))
    authenticated = authenticate(request, auths[:first]) if first else Authenticated(request)
    if authenticated.hooked:  # it wants to see each response, so it is applied for each
        return Authenticated(request), auths
    return authenticated, auths[first:]


def _validator(block: PluginBlock, plugins: Plugins) -> Validator:
    kind = _known(plugins.validators, "validator", block.type, plugins.failed_hint)
    who = named(plugins, "validator", block.type)
    with blaming(who):
        label = kind.label(block.settings)
        try:
            return Validator(label, who, kind.build(block.settings), Verdict(label))
        except TemplateError as error:
            raise AttemptFailedError(
                Failure(FailureKind.PLUGIN, f"the validator {label} cannot be built: {error.message}")
            ) from error


def _known(kinds: Mapping[str, T], what: str, name: str, failed_hint: str = "") -> T:
    kind = kinds.get(name)
    if kind is None:
        message = f"no plugin gives the {what} {name!r}"
        raise AttemptFailedError(Failure(FailureKind.PLUGIN, f"{message}.{failed_hint}" if failed_hint else message))
    return kind


def _compiled(plugins: Plugins, compile_it: Callable[[], T]) -> T:
    """What ``compile_it`` gives. What cannot be compiled is the plugins' fault while some could not be loaded: a filter may be theirs."""
    try:
        return compile_it()
    except TemplateError as error:
        if not plugins.failures:
            raise
        raise PluginError(f"{error.message}.{plugins.failed_hint}") from error
