"""Secrets that a command reads itself, without a delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookctl.errors import HookctlError, SecretError

if TYPE_CHECKING:
    from hookctl.cli.session import Session
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
