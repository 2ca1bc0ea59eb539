"""``hookctl verify``: finds out why the signature of a received webhook does not verify."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, BinaryIO

import click

from hookctl.cli import exit_codes
from hookctl.cli.completion import webhook_names
from hookctl.cli.durations import seconds
from hookctl.cli.event_file import EventFile
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.moments import moment
from hookctl.cli.received_request import Dump, header_option, join, read_body, read_dump
from hookctl.signatures.schemes import SCHEMES

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.signatures.recipe import Recipe

EPILOG = """
\b
Examples:
  hookctl verify --request request.http --secret env:KEY      the headers show the scheme
  hookctl verify --request request.http --webhook Siem        with the secret of a webhook
  hookctl verify body.json --secret file:key --scheme github -H 'X-Hub-Signature-256: sha256=...'
  hookctl verify body.json --secret env:KEY --recipe header=X-Sign -H 'X-Sign: ...'
  hookctl explain verify                                      what it finds
"""


@click.command("verify", epilog=EPILOG)
@click.argument("body", required=False, metavar="[BODY]", type=EventFile())
@click.option(
    "-H",
    "--header",
    "headers",
    metavar="'NAME: VALUE'",
    multiple=True,
    callback=header_option,
    help="A header of the request; can be given several times.",
)
@click.option(
    "--request",
    "dump",
    metavar="FILE",
    help="Read the request from FILE: raw HTTP, only its headers, or what `curl -v` prints.",
)
@click.option(
    "--scheme", type=click.Choice([*SCHEMES]), help="How the request is signed. Default: what the headers show."
)
@click.option(
    "--webhook",
    "webhook",
    metavar="NAME",
    shell_complete=webhook_names,
    help="Take the recipe and the secrets from the auth of this webhook's file.",
)
@click.option(
    "--recipe",
    "parts",
    metavar="NAME=VALUE",
    multiple=True,
    help="Change a part of the scheme, as settings of the auth hmac; can be given several times.",
)
@click.option("--secret", metavar="REFERENCE", help="The secret: env:NAME or file:PATH. Default: ask for it.")
@click.option("--previous-secret", metavar="REFERENCE", help="A secret that is accepted, too.")
@click.option("--url", default="", metavar="URL", help="The public URL of the request, if the scheme signs it.")
@click.option("--method", default="", metavar="METHOD", help="The method of the request, if the scheme signs it.")
@click.option(
    "--at",
    metavar="TIME",
    callback=moment,
    help="Compare the timestamp with this time, such as 2026-11-28T09:30Z or 2h ago as 2h. Default: now.",
)
@click.option(
    "--tolerance",
    metavar="DURATION",
    default="5m",
    show_default=True,
    callback=seconds,
    help="By how much the timestamp may differ.",
)
@format_option()
@click.pass_context
def command(
    ctx: click.Context,
    *,
    body: BinaryIO | None,
    headers: Mapping[str, str],
    dump: str | None,
    scheme: str | None,
    webhook: str | None,
    parts: tuple[str, ...],
    secret: str | None,
    previous_secret: str | None,
    url: str,
    method: str,
    at: float | None,
    tolerance: float,
    outputs: Outputs,
) -> None:
    """Verify the signature of a request that a receiver got, offline.

    If it does not verify, show which part differs (key, body, URL, header, encoding, clock) and what to change in the
    receiver. BODY is a file with the exact bytes of the body; - is standard input.
    """
    from hookctl.report.text.verification import Checked, verification_json, verification_text
    from hookctl.signatures import Received
    from hookctl.signatures.diagnosis import diagnose

    request = read_dump(dump) if dump else Dump()
    if body is None and request.body is None:
        raise click.UsageError("Name the file with the body; - is standard input.")
    received = Received(
        headers=join([*request.headers.items(), *headers.items()]),
        body=read_body(body) if body is not None else request.body or b"",
        method=method or request.method or "POST",
        url=url or request.url(),
    )
    given = [secret, previous_secret]
    name, recipe, secrets = _how(
        ctx, outputs, webhook=webhook, scheme=scheme, parts=parts, given=given, headers=received.headers
    )
    found = diagnose(recipe, secrets, received, now=time.time() if at is None else at, tolerance=tolerance)
    checked = Checked(name, recipe, received.body)
    outputs.write(
        color=ctx.obj.color,
        text=lambda color: verification_text(checked, found, color=color),
        json=lambda: verification_json(checked, found),
    )
    ctx.exit(exit_codes.OK if found.verified else exit_codes.FAILED)


def _how(
    ctx: click.Context,
    outputs: Outputs,
    *,
    webhook: str | None,
    scheme: str | None,
    parts: tuple[str, ...],
    given: list[str | None],
    headers: Mapping[str, str],
) -> tuple[str, Recipe, list[str]]:
    """The name of the scheme, its recipe, and the secrets."""
    from hookctl.cli import verifying_keys
    from hookctl.cli.webhook_files import check_files_or_exit, named_plan

    session: Session = ctx.obj
    if webhook is None:
        name, recipe = verifying_keys.recipe_of_options(scheme, parts, headers)
        secrets = verifying_keys.secrets_of_options(session, given)
        return name, verifying_keys.with_key(recipe, secrets), secrets
    if scheme or parts:
        raise click.UsageError(
            "--webhook takes the recipe from the webhook's file, so --scheme and --recipe are not allowed."
        )
    plan = named_plan(check_files_or_exit(ctx, session, outputs, only=[webhook]).plans, webhook)
    block = verifying_keys.signing_block(plan, session)
    if given[0] is None:
        secrets = verifying_keys.secrets_of_block(session, block)
        secrets += verifying_keys.secrets_of_options(session, given) if given[1] else []
    else:
        secrets = verifying_keys.secrets_of_options(session, given)
    recipe = verifying_keys.recipe_of_block(block)
    return f"{block.type} of {plan.name}", verifying_keys.with_key(recipe, secrets), secrets
