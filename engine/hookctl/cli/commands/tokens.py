"""``hookctl tokens``: creates, lists and revokes the tokens that ``hookctl serve`` accepts."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from hookctl.cli.completion import event_types
from hookctl.cli.durations import seconds
from hookctl.cli.echo import echo
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.groups import SuggestingGroup
from hookctl.cli.terminal import text_width
from hookctl.errors import StateError
from hookctl.model.token import NEVER_EVENTS, SIGNATURES, Scope

if TYPE_CHECKING:
    from hookctl.cli.session import Session

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
EPILOG = """
\b
Examples:
  hookctl tokens create shop --scope intake                        a program that sends events
  hookctl tokens create shop --scope intake --event-type order     and only orders
  hookctl tokens create ada --scope operate --expires 90d          a person who may replay
  hookctl tokens create prometheus --scope read                    a program that reads metrics
  hookctl tokens create github --signature github --secret '${env:GITHUB_SECRET}' --wrap push
  hookctl tokens list
  hookctl tokens revoke shop
"""


@click.group("tokens", cls=SuggestingGroup, epilog=EPILOG)
def command() -> None:
    """Work with the tokens that `hookctl serve` accepts: as bearer tokens, and to sign in with a browser.

    A running server accepts a new token, and refuses a revoked one, after about a second.
    """


@command.command("create")
@click.argument("name", metavar="NAME")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([str(scope) for scope in Scope]),
    multiple=True,
    help="What the token allows: intake sends events, read sees everything, operate also tests, replays, cancels, "
    "holds and resumes. Can be given several times.",
)
@click.option(
    "--event-type",
    "types",
    metavar="TYPE",
    multiple=True,
    shell_complete=event_types,
    help="With intake: only events of this type; can be given several times.",
)
@click.option("--expires", metavar="DURATION", callback=seconds, help="Refuse the token after this time, such as 90d.")
@click.option(
    "--signature", type=click.Choice(SIGNATURES), help="Accept only requests that are signed like this; implies intake."
)
@click.option(
    "--secret",
    "secrets",
    metavar="REFERENCE",
    multiple=True,
    help="The secret of the signatures, as a reference such as ${env:NAME}; several while you change it.",
)
@click.option(
    "--wrap",
    metavar="TYPE",
    shell_complete=event_types,
    help="With --signature: the body of a request becomes the data of an event of this type.",
)
@click.pass_obj
def create(
    session: Session,
    *,
    name: str,
    scopes: tuple[str, ...],
    types: tuple[str, ...],
    expires: float | None,
    signature: str | None,
    secrets: tuple[str, ...],
    wrap: str | None,
) -> None:
    """Create the token NAME, and print it on standard output.

    This is the only time that it is shown: the store keeps its SHA-256.
    """
    from hookctl.cli.locking import who
    from hookctl.delivery.past.bulk import audit_entry
    from hookctl.model.token import Token, new_token, token_digest, token_id

    granted = frozenset({Scope.INTAKE} if signature and not scopes else map(Scope, scopes))
    _check_name(name)
    _check_scopes(granted, types, signature)
    _check_signature(signature, secrets, wrap, types)
    wanted = [*types, *([wrap] if wrap else [])]
    _check_types(session, wanted)
    text, now = new_token(), time.time()
    token = Token(
        id=token_id(text),
        name=name,
        digest=token_digest(text),
        scopes=granted,
        event_types=frozenset(wanted) if wanted else None,
        signature=signature or "",
        secrets=secrets,
        wrap=wrap or "",
        created_at=now,
        created_by=who(),
        expires_at=None if expires is None else now + expires,
    )
    allowed = " ".join(f"--scope {scope}" for scope in sorted(granted))
    session.store.add_token(token, audit_entry(who(), "create token", f"{name} {allowed}", None))
    echo(text)
    echo(f"Created the token {name}. It is shown only now: keep it where secrets are kept.", err=True)
    if signature:
        echo(f"A sender that cannot send a bearer token posts to /v1/inbound/{token_id(text)} instead.", err=True)


@command.command("list", short_help="List the tokens, revoked ones too.")
@format_option()
@click.pass_obj
def list_(session: Session, *, outputs: Outputs) -> None:
    """List the tokens with what they allow and when they were last used, oldest first. Revoked ones are listed too."""
    from hookctl.report.text.tokens import render_tokens, render_tokens_json

    store = session.existing_store()
    tokens, now = store.tokens() if store else [], time.time()
    outputs.write(
        color=session.color,
        text=lambda color: render_tokens(tokens, now, width=text_width(), color=color),
        json=lambda: render_tokens_json(tokens, now),
    )


@command.command("revoke")
@click.argument("name", metavar="NAME")
@click.pass_obj
def revoke(session: Session, *, name: str) -> None:
    """Revoke the token NAME. Sessions of browsers that signed in with it end, too."""
    from hookctl.cli.locking import who
    from hookctl.delivery.past.bulk import audit_entry
    from hookctl.report.text.printable import printable

    store = session.existing_store()
    if store is None:
        raise StateError(f"there is no token {name!r}", hint="This store has no tokens.")
    token = store.revoke_token(name, time.time(), who(), audit_entry(who(), "revoke token", name, None))
    echo(printable(f"Revoked the token {token.name}."))


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise click.BadParameter(
            f"{name!r} is not a name for a token. Write 1 to 64 letters, digits, dots, underscores and hyphens.",
            param_hint="NAME",
        )


def _check_scopes(scopes: frozenset[Scope], types: Sequence[str], signature: str | None) -> None:
    if not scopes:
        raise click.UsageError("--scope is missing: intake to send events, read to see everything, or operate to act.")
    if types and Scope.INTAKE not in scopes:
        raise click.UsageError("--event-type restricts --scope intake, which this token does not have.")
    if signature and scopes != {Scope.INTAKE}:
        raise click.UsageError("--signature is for tokens with --scope intake alone.")


def _check_signature(signature: str | None, secrets: Sequence[str], wrap: str | None, types: Sequence[str]) -> None:
    from hookctl.model.secret import REFERENCE

    if not signature:
        if secrets or wrap:
            raise click.UsageError("--secret and --wrap need --signature.")
        return
    if not secrets:
        raise click.UsageError("--signature needs --secret: the reference to the secret that the sender signs with.")
    if not all(REFERENCE.fullmatch(secret) for secret in secrets):  # the message must not repeat what may be a secret
        raise click.BadParameter("give a reference such as '${env:NAME}', not the secret.", param_hint="--secret")
    if wrap and types:
        raise click.UsageError("--wrap already restricts the token to one event type: leave out --event-type.")
    if not wrap and signature in NEVER_EVENTS:
        raise click.UsageError(f"--signature {signature} needs --wrap: what {signature} sends is not an event.")


def _check_types(session: Session, types: Sequence[str]) -> None:
    from hookctl.model.nearest import nearest

    known = session.event_types if types else {}
    for name in types:
        if name not in known:
            near = nearest(name, known)
            meant = f" Did you mean {near[0]!r}?" if near else " `hookctl plugins` shows the event types."
            raise click.BadParameter(f"there is no event type {name!r}.{meant}", param_hint="--event-type or --wrap")
