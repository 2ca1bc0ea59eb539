"""Prepares a delivery plan: creates everything that its attempts share.

That is the compiled template, the resolved secrets, the constant headers, the auth and the validators.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, TypeVar, cast

from hookctl.delivery.attempt.authenticate import Auth, Authenticated, authenticate, check_headers
from hookctl.delivery.attempt.envelope import Validator
from hookctl.delivery.attempt.failures import AttemptFailedError, attributed_to, named
from hookctl.delivery.attempt.head import compile_head, static_headers
from hookctl.delivery.attempt.prepared import Prepared, Transport, broken_rule, named_body
from hookctl.delivery.attempt.redact import Redactor
from hookctl.delivery.attempt.secrets import Secrets, secrets_digest
from hookctl.errors import PluginError, TemplateError
from hookctl.model import BROKEN_URL, DeliveryPlan, Failure, FailureKind, PluginBlock, Request, Verdict
from hookctl.model.delivery_plan import canonical_json
from hookctl.model.secret import REFERENCE, has_reference, mask
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import DEFAULT_TRANSPORT, AuthContext, Refreshable
from hookctl.template import compile_request_body

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

T = TypeVar("T")
RECENT_TOKENS = 16
"""The number of earlier tokens of a webhook that are still masked, because they are often still valid."""


def may_block(plan: DeliveryPlan, plugins: Plugins) -> bool:
    """Whether preparing ``plan`` may block: on a secret, while its auth is built, or in third-party code."""
    schemes = {scheme for scheme, _ in REFERENCE.findall(plan.canonical().decode())}
    sources = (plugins.secret_sources.get(scheme) for scheme in schemes)
    types = (plugins.auth.get(block.type) for block in plan.auth)
    return (
        any(source.blocking for source in sources if source)
        or any(kind.blocking is not False for kind in types if kind)
        or _renders_apart(plan, plugins)
        or _judges_apart(plan, plugins)
    )


def prepare(plan: DeliveryPlan, plugins: Plugins, adapter: BaseAdapter | None, user_agent: str) -> Prepared:
    """Prepare ``plan``; its auth may send with ``adapter``.

    May block if :func:`may_block` is true. Raises AttemptFailedError; a later call may succeed.
    """
    secrets = Secrets(plugins)
    try:
        return _prepare(plan, plugins, adapter, user_agent, secrets)
    except AttemptFailedError as error:  # the message may repeat a secret, such as a host in a URL
        raise AttemptFailedError(Redactor(secrets.known()).failure(error.failure)) from error


def _prepare(
    plan: DeliveryPlan, plugins: Plugins, adapter: BaseAdapter | None, user_agent: str, secrets: Secrets
) -> Prepared:
    with attributed_to(named_body(plan)):
        body = _compiled(plugins, partial(compile_request_body, plan, plugins.filters, secrets.value))
    transport = _transport(plan, plugins, secrets)
    with attributed_to("an expression in URL or headers"):
        written = _compiled(plugins, partial(compile_head, plan.url, static_headers(plan, user_agent), plugins.filters))
    heads = written.with_secrets(secrets.value), written.with_text(mask)
    request, shown = (Request(plan.method, *head.sample(), None) for head in heads)
    check_headers(request.headers)
    if has_reference(plan.url) and (rule := broken_rule(transport, request.url)):
        message = f"with its secret inserted, the URL breaks the rule {rule}"
        raise AttemptFailedError(Failure(FailureKind.SECRET, message, BROKEN_URL))
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
        blocking=any(auth.blocking for auth in each) or _renders_apart(plan, plugins),
        transport=transport,
        validators=tuple(_validator(block, plugins) for block in plan.response_validators),
        redactor=Redactor({*secrets.known(), *authenticated.credentials()}),
        redactor_for=_redactors_of_recent(RECENT_TOKENS if any(auth.refreshable for auth in each) else 0),
        secrets=secrets_digest(plan, secrets),
        judges_apart=_judges_apart(plan, plugins),
        opens_apart=plan.transport is not None and ("transport", plan.transport.type) in plugins.third_party,
    )


def _renders_apart(plan: DeliveryPlan, plugins: Plugins) -> bool:
    """Whether making a request of ``plan`` may call a third-party filter, or a third-party check of its URL."""
    if not plugins.third_party:
        return False
    if plan.transport is not None and ("transport", plan.transport.type) in plugins.third_party:
        return True
    written = plan.canonical().decode()
    return any(name in written for what, name in plugins.third_party if what == "filter")


def _judges_apart(plan: DeliveryPlan, plugins: Plugins) -> bool:
    """Whether a response to ``plan`` is checked by a third-party validator."""
    return any(("validator", block.type) in plugins.third_party for block in plan.response_validators)


def _redactors_of_recent(most: int) -> Callable[[frozenset[str]], Redactor]:
    """A function that returns a redactor for the credentials of an attempt and the last ``most`` credentials."""
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


def default_transport(plugins: Plugins) -> Transport:
    """The transport of webhooks that do not name one, and of auth plugins.

    Raises AttemptFailedError if no plugin has it.
    """
    kind = _known(plugins.transports, "transport", DEFAULT_TRANSPORT, plugins.failed_hint)
    return Transport(canonical_json([DEFAULT_TRANSPORT, {}]), named(plugins, "transport", DEFAULT_TRANSPORT), kind, {})


def _transport(plan: DeliveryPlan, plugins: Plugins, secrets: Secrets) -> Transport:
    block = plan.transport
    if block is None:
        return default_transport(plugins)
    kind = _known(plugins.transports, "transport", block.type, plugins.failed_hint)
    key = canonical_json([block.type, dict(block.settings)])
    return Transport(key, named(plugins, "transport", block.type), kind, secrets.settings(block))


def _auth(
    block: PluginBlock, plan: DeliveryPlan, plugins: Plugins, secrets: Secrets, adapter: BaseAdapter | None
) -> Auth:
    kind = _known(plugins.auth, "auth", block.type, plugins.failed_hint)
    settings = secrets.settings(block)
    who = named(plugins, "auth", block.type)
    with attributed_to(who):
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
    """Apply the auths that never change; return the result and the other auths.

    The others begin with the first one that must be applied for each attempt, because the webhook determines the order.
    """
    first = next((index for index, auth in enumerate(auths) if auth.per_attempt), len(auths))
    authenticated = authenticate(request, auths[:first]) if first else Authenticated(request)
    if authenticated.hooked:  # an auth with a response hook must be applied for each attempt
        return Authenticated(request), auths
    return authenticated, auths[first:]


def _validator(block: PluginBlock, plugins: Plugins) -> Validator:
    kind = _known(plugins.validators, "validator", block.type, plugins.failed_hint)
    who = named(plugins, "validator", block.type)
    with attributed_to(who):
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
        message = f"no plugin provides the {what} {name!r}"
        raise AttemptFailedError(Failure(FailureKind.PLUGIN, f"{message}.{failed_hint}" if failed_hint else message))
    return kind


def _compiled(plugins: Plugins, compile_it: Callable[[], T]) -> T:
    """The result of ``compile_it``.

    An error counts as a plugin's failure if some plugins could not be loaded, because one of them may define a filter
    that the template uses.
    """
    try:
        return compile_it()
    except TemplateError as error:
        if not plugins.failures:
            raise
        raise PluginError(f"{error.message}.{plugins.failed_hint}") from error
