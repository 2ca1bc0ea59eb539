"""``${env:NAME}``: an environment variable."""

from __future__ import annotations

import os

from hookctl.errors import SecretError


def read_variable(name: str) -> str:
    """The value of the variable. Raises SecretError if it is unset or empty."""
    value = os.environ.get(name)
    if value is None:
        raise SecretError(
            f"the environment variable {name} is not set",
            hint=f"Set {name} where hookctl runs, or correct the name in ${{env:{name}}}.",
        )
    if not value:
        raise SecretError(
            f"the environment variable {name} is empty", hint=f"Give {name} its value where hookctl runs."
        )
    return value
