"""A plugin for hookctl: the secret source ``vault``."""

from __future__ import annotations

from collections.abc import Iterable

from hookctl.plugin import SecretSource, hookimpl


def resolve(key: str) -> str:
    """The text of ``MOUNT/PATH#FIELD``. Raises SecretError, which never contains a secret.

    ``requests`` is imported with the module that needs it, because hookctl imports this one at every start.
    """
    from hookctl_vault.kv import read

    return read(key)


@hookimpl
def hookctl_secret_sources() -> Iterable[SecretSource]:
    """The source. hookctl calls it on a thread, so it may wait for the server."""
    return [
        SecretSource(
            scheme="vault",
            summary="A field of a secret in Vault's KV engine: ${vault:MOUNT/PATH#FIELD}.",
            resolve=resolve,
        )
    ]
