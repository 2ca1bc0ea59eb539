"""Secrets that a command reads itself, without a delivery."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hookctl.errors import HookctlError, SecretError
from hookctl.model.secret import RESOLVED, references

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.model import AppliedState, DeliveryPlan, Json
    from hookctl.model.secret import SecretReference


def read_secret(session: Session, reference: SecretReference) -> str:
    """The secret that a reference stands for.

    Raises SecretError if its source has none, or fails; no error contains a secret.
    """
    source = session.plugins.secret_sources.get(reference.scheme)
    if source is None:
        hint = f"Write one of the schemes {', '.join(sorted(session.plugins.secret_sources))}, or install its plugin."
        raise SecretError(f"no plugin resolves {reference.scheme!r}", hint=hint)
    origin = session.plugins.origins.get(("secret source", reference.scheme), "(unknown)")
    try:
        secret: object = source.resolve(reference.key)
    except HookctlError:
        raise
    except Exception as error:  # noqa: BLE001 - the error names the plugin, whatever it raises
        what = type(error).__name__  # its text may contain the secret
        raise SecretError(
            f"the plugin {origin} failed: {what}",
            hint="Update or uninstall the plugin; `hookctl --debug` shows a traceback.",
        ) from None
    if not isinstance(secret, str):
        raise SecretError(
            f"the plugin {origin} returned {type(secret).__name__} instead of text",
            hint="Update or uninstall the plugin.",
        )
    return secret


def needed_secrets(plan: DeliveryPlan) -> set[SecretReference]:
    """The secrets that a delivery of the webhook resolves."""
    return {*_references([plan.to_json()[field] for field in RESOLVED])}


def missing_secret(session: Session, applied: AppliedState) -> HookctlError | None:
    """The error about the first secret of an active webhook that cannot be read here; None if all can be read."""
    from hookctl.model import Status

    active = [plan for plan in applied.plans.values() if plan.status is Status.ACTIVE]
    for reference in sorted({one for plan in active for one in needed_secrets(plan)}, key=str):
        try:
            read_secret(session, reference)
        except HookctlError as error:
            return error
    return None


def _references(value: Json) -> Iterator[SecretReference]:
    """Every secret reference in the texts of a value, at any depth."""
    if isinstance(value, str):
        yield from references(value)
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _references(inner)
