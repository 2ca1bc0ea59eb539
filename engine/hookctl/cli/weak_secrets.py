"""What auths say about secrets that can be read: that they work but are weak, or that they are not usable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookctl.errors import HookctlError, SecretError

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.model import DeliveryPlan

HINT = "Replace the secret here and at the target."


@dataclass(frozen=True, slots=True)
class Weakness:
    """What an auth says about the secrets of a webhook."""

    message: str
    """Names the webhook, never contains a secret."""
    hint: str
    is_usable: bool
    """False if requests cannot be authenticated with the secret."""


def weak_secrets(session: Session, plans: Iterable[DeliveryPlan]) -> Iterator[Weakness]:
    """The weak secrets of ``plans``, in order. Reads secrets; skips those that cannot be read, as others report them.

    Raises PluginError if an auth fails.
    """
    from hookctl.cli.secrets import read_secret
    from hookctl.model.secret import resolve_all

    for plan in plans:
        for block in plan.auth:
            kind = session.plugins.auth.get(block.type)
            if kind is None or kind.warnings is None:
                continue
            try:
                settings = resolve_all(dict(block.settings), lambda reference: read_secret(session, reference))
            except HookctlError:
                continue
            try:
                found = kind.warnings(settings if isinstance(settings, dict) else {})
            except SecretError as error:
                yield Weakness(f"{plan.name}: {error.message}", error.hint, is_usable=False)
                continue
            for text in found:
                yield Weakness(f"{plan.name}: {text}", HINT, is_usable=True)


def warn_of_weak_secrets(session: Session, plans: Iterable[DeliveryPlan]) -> None:
    """Warn on standard error of each weak secret that can be used."""
    from hookctl.cli.echo import echo
    from hookctl.report.text.printable import printable

    for weakness in weak_secrets(session, plans):
        if weakness.is_usable:
            echo(f"Warning: {printable(weakness.message)}\n  {weakness.hint}", err=True)
