"""The key that saved plans are signed with: named by a reference, read from a secret source, never written anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hookctl.errors import HookctlError, SecretError

if TYPE_CHECKING:
    from hookctl.cli.session import Session


def key_reference(_: click.Context, parameter: click.Parameter, given: str | None) -> str | None:
    """A click callback: the option's value if it is one secret reference. No message repeats it: it may be the key."""
    from hookctl.model.secret import REFERENCE

    if given is None or REFERENCE.fullmatch(given):
        return given
    if not given or given.isspace():
        message = "it is empty. In a shell, put the reference in single quotes: '${env:HOOKCTL_PLAN_KEY}'."
        raise click.BadParameter(message, param=parameter)
    raise click.BadParameter(
        "it is not a secret reference, such as '${env:HOOKCTL_PLAN_KEY}' or '${file:/run/secrets/plan-key}'. "
        "If it is the key itself, make a new one: the shell's history and the list of processes have seen it.",
        param=parameter,
    )


def signing_key(session: Session, reference: str) -> bytes:
    """The key that a reference stands for. Raises SecretError when there is none, or it is short; none holds it."""
    from hookctl.diff import MIN_KEY_BYTES
    from hookctl.model.secret import references

    (named,) = references(reference)
    source = session.plugins.secret_sources.get(named.scheme)
    if source is None:
        known = ", ".join(sorted(session.plugins.secret_sources))
        raise SecretError(f"no plugin resolves the key {reference}", hint=f"Write one of the schemes {known}.")
    try:
        key = source.resolve(named.key).encode("utf-8", "surrogateescape")  # a variable may hold any bytes
    except HookctlError as error:
        raise SecretError(f"the key that signs plans: {error.message}", hint=error.hint) from error
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises, it is named
        origin = session.plugins.origins.get(("secret source", named.scheme), named.scheme)
        what = type(error).__name__  # what it says may hold the key
        raise SecretError(f"the plugin {origin} failed on the key {reference}: {what}", hint="Repair it.") from None
    if len(key) < MIN_KEY_BYTES:
        raise SecretError(
            f"the key {reference} has {len(key)} bytes, and a key that signs plans needs at least {MIN_KEY_BYTES}",
            hint="Make one with `openssl rand -hex 32`.",
        )
    return key
