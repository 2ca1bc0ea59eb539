"""Secrets that a command reads itself, outside of a delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookctl.errors import HookctlError, SecretError

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.model.secret import SecretReference


def read_secret(session: Session, reference: SecretReference) -> str:
    """What a reference stands for. Raises SecretError when its source has nothing, or fails; none holds the secret."""
    source = session.plugins.secret_sources.get(reference.scheme)
    if source is None:
        hint = f"Write one of the schemes {', '.join(sorted(session.plugins.secret_sources))}, or install its plugin."
        raise SecretError(f"no plugin resolves {reference.scheme!r}", hint=hint)
    origin = session.plugins.origins.get(("secret source", reference.scheme), "it comes from")
    try:
        secret: object = source.resolve(reference.key)
    except HookctlError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises, it is named
        what = type(error).__name__  # what it says may hold the secret
        raise SecretError(f"the plugin {origin} failed: {what}", hint="Update or uninstall it.") from None
    if not isinstance(secret, str):
        raise SecretError(f"the plugin {origin} gave no text", hint="Update or uninstall it.")
    return secret
