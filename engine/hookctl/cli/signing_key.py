"""The key that signs saved plans: named by a reference, read from a secret source, never written anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hookctl.errors import HookctlError, SecretError

if TYPE_CHECKING:
    from hookctl.cli.session import Session


def key_reference(_: click.Context, parameter: click.Parameter, given: str | None) -> str | None:
    """A click callback: the option's value, which must be one secret reference.

    No message repeats it: it may be the key.
    """
    from hookctl.model.secret import REFERENCE

    if given is None or REFERENCE.fullmatch(given):
        return given
    if not given or given.isspace():
        message = "the value is empty. In a shell, put the reference in single quotes: '${env:HOOKCTL_PLAN_KEY}'."
        raise click.BadParameter(message, param=parameter)
    raise click.BadParameter(
        "the value is not a secret reference, such as '${env:HOOKCTL_PLAN_KEY}' or '${file:/run/secrets/plan-key}'. "
        "If this was the key itself, replace it: it is now in your shell history and was visible in the process list.",
        param=parameter,
    )


def signing_key(session: Session, reference: str) -> bytes:
    """The key that a reference stands for.

    Raises SecretError if there is none or it is too short; no error contains it.
    """
    from hookctl.cli.secrets import read_secret
    from hookctl.config.diff import MIN_KEY_BYTES
    from hookctl.model.secret import references

    (named,) = references(reference)
    try:
        key = read_secret(session, named).encode("utf-8", "surrogateescape")  # a variable may contain any bytes
    except HookctlError as error:
        raise SecretError(f"the signing key {reference}: {error.message}", hint=error.hint) from error
    if len(key) < MIN_KEY_BYTES:
        raise SecretError(
            f"the signing key {reference} has {len(key)} bytes; it needs at least {MIN_KEY_BYTES}",
            hint="Make one with `openssl rand -hex 32`.",
        )
    return key
