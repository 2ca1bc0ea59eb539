"""Built-in secret sources: ``${env:NAME}`` and ``${file:PATH}``."""

from __future__ import annotations

from collections.abc import Iterable

from hookctl.plugin import SecretSource, hookimpl


def _from_environment(name: str) -> str:
    from hookctl_plugins.secret.environment import read_variable

    return read_variable(name)


def _from_file(path: str) -> str:
    from hookctl_plugins.secret.file import read_file

    return read_file(path)


@hookimpl
def hookctl_secret_sources() -> Iterable[SecretSource]:
    """The built-in secret sources."""
    return (
        SecretSource(
            scheme="env",
            summary="An environment variable: ${env:SIEM_TOKEN}.",
            resolve=_from_environment,
            blocking=False,
        ),
        SecretSource(
            scheme="file",
            summary="The text of a file, without its last line break: ${file:/run/secrets/siem}.",
            resolve=_from_file,
        ),
    )
