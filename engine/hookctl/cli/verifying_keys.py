"""How to verify a signature, and with which secrets: from options of the command line, or from a webhook's file."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, cast, get_args

import click

from hookctl.cli.secrets import read_secret
from hookctl.errors import HookctlError, TemplateError
from hookctl.signatures.recipe import Algorithm, Encoding, KeyDecoding, Recipe
from hookctl.signatures.schemes import SCHEMES, scheme_of, with_public_key
from hookctl.signatures.templates import parse_content, parse_format

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.model import DeliveryPlan, PluginBlock
    from hookctl.model.secret import SecretReference

STANDARD = "standard_webhooks"
SECRETS = ("secret", "previous_secret")
"""The settings of an auth that signs, in the order in which a receiver tries them."""
PARTS: Mapping[str, str] = {"key_encoding" if one.name == "key" else one.name: one.name for one in fields(Recipe)}
"""The parts of a recipe: the name of the setting of the auth ``hmac``, and the field of the recipe."""
_CHOICES = {"algorithm": get_args(Algorithm), "key": get_args(KeyDecoding), "encoding": get_args(Encoding)}
_BARE = re.compile(r"([a-z][a-z0-9_-]*):([^{}\s]+)")


def recipe_of_options(scheme: str | None, parts: Sequence[str], headers: Mapping[str, str]) -> tuple[str, Recipe]:
    """The name of the scheme and its recipe, with ``parts`` such as ``key_encoding=base64`` in place of its own.

    Without a scheme, the headers decide. Raises click.UsageError for options that do not make a recipe.
    """
    given: dict[str, Any] = dict(map(_part, parts))
    name = scheme or ("" if "header" in given else scheme_of(headers))
    if not name and "header" not in given:
        raise click.UsageError(
            "the headers do not show how the request is signed. Name the scheme with --scheme, or write the recipe: "
            "--recipe header=NAME."
        )
    base = {one.name: getattr(SCHEMES[name], one.name) for one in fields(Recipe)} if name else {}
    recipe = Recipe(**{**base, **given})
    try:
        parse_content(recipe.content)
        parse_format(recipe.format)
    except TemplateError as error:
        raise click.UsageError(f"--recipe: {error.message}. {error.hint}") from error
    return name or "your own recipe", recipe


def _part(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if name not in PARTS or not equals:
        raise click.UsageError(f"--recipe takes NAME=VALUE, and NAME is one of {', '.join(PARTS)}.")
    choices = _CHOICES.get(PARTS[name], ())
    if choices and value not in choices:
        raise click.UsageError(f"--recipe {name} is one of {', '.join(choices)}.")
    return PARTS[name], value


def signing_block(plan: DeliveryPlan, session: Session) -> PluginBlock:
    """The block of a webhook's auth that signs. Raises HookctlError if none does that can be verified."""
    for block in plan.auth:
        kind = session.plugins.auth.get(block.type)
        if kind is not None and kind.signs and "secret" in block.settings and _is_known(block):
            return block
    raise HookctlError(
        f"{plan.name} has no auth whose signature can be verified",
        hint="Name the scheme with --scheme, and the secret with --secret.",
    )


def _is_known(block: PluginBlock) -> bool:
    return block.type == STANDARD or "header" in block.settings


def recipe_of_block(block: PluginBlock) -> Recipe:
    """The recipe of a block that :func:`signing_block` returned."""
    if block.type == STANDARD:
        return SCHEMES[STANDARD]
    settings = cast("Mapping[str, Any]", block.settings)
    return Recipe(**{field: settings[name] for name, field in PARTS.items() if name in settings})


def secrets_of_block(session: Session, block: PluginBlock) -> list[str]:
    """The secrets of a block, current first. Raises SecretError."""
    from hookctl.cli.secrets import with_secrets

    return [with_secrets(session, str(block.settings[name])) for name in SECRETS if name in block.settings]


def secrets_of_options(session: Session, given: Sequence[str | None]) -> list[str]:
    """The secrets of the references in ``given``; without any, one that the user types.

    Raises click.UsageError for text that is not a reference, which it does not repeat, and SecretError.
    """
    secrets = [resolved(session, text) for text in given if text]
    if secrets:
        return secrets
    if not is_terminal():
        raise click.UsageError("Name the secret, such as --secret env:SIGNING_SECRET or --secret file:PATH.")
    return [_known(session, click.prompt("Secret", hide_input=True, err=True))]


def is_terminal() -> bool:
    """Whether someone can type the secret: a body on standard input leaves no place for it."""
    return sys.stdin.isatty()


def with_key(recipe: Recipe, secrets: Sequence[str]) -> Recipe:
    """The recipe, or that of ed25519 if the first secret is such a key."""
    return with_public_key(recipe, secrets[0]) if secrets else recipe


def resolved(session: Session, text: str) -> str:
    """The secret that a reference on the command line stands for. Raises click.UsageError, SecretError."""
    return _known(session, read_secret(session, _reference(session, text)))


def _reference(session: Session, text: str) -> SecretReference:
    from hookctl.model.secret import REFERENCE, SecretReference

    found = REFERENCE.fullmatch(text) or _BARE.fullmatch(text)
    if found and (found[1] in session.plugins.secret_sources or text.startswith("${")):
        return SecretReference(found[1], found[2])
    raise click.UsageError(
        "a secret is named by a reference, such as env:SIGNING_SECRET or file:PATH, and is not written on the command "
        "line, where other users of this machine can read it."
    )


def _known(session: Session, secret: str) -> str:
    """The secret, which ``--debug`` masks from now on."""
    session.plugins.containment.secrets.add(secret)
    return secret
