"""The environment of a run: its name, its store, its variables, and whether it is protected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hookctl.cli.settings import NAME, is_variable_value, shown
from hookctl.errors import SettingsError

HINT = "`hookctl explain settings` describes environments."


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment of hookctl.toml; without a name, there are none."""

    name: str = ""
    store: str = ""
    """The URL of its store."""
    protected: bool = False
    """Whether an apply asks for its name."""
    variables: Mapping[str, Any] | None = None
    """The values of its variables; None: only those of ``[vars]``."""


def environment_of(given: str | None, settings: Mapping[str, Any]) -> Environment:
    """The environment that the command line or the settings name.

    Each has its own store: the one that its table names, or else one that has its name.

    Raises SettingsError for a name that cannot be one, and for one that is not among the environments of the settings.
    """
    name = given or settings.get("environment", "")
    if not name:
        return Environment()
    if not NAME.fullmatch(name):
        message = f"{shown(name)} is not the name of an environment"
        raise SettingsError(message, hint="Use letters, digits, hyphens and underscores.")
    tables = settings.get("environments", {})
    if name not in tables:
        from hookctl.model.nearest import nearest

        near = nearest(name, tables)
        known = f"Did you mean {near[0]!r}?" if near else f"Add a table [environments.{name}] to hookctl.toml. {HINT}"
        raise SettingsError(f"there is no environment {name!r}", hint=known)
    table = tables[name]
    if name == "hookctl" and "store" not in table:
        message = "the environment 'hookctl' would share its store with commands that name no environment"
        raise SettingsError(message, hint="Rename it, or set store in [environments.hookctl].")
    store = table.get("store", f"sqlite:///.hookctl/{name}.db")
    return Environment(name, store, table.get("protected", False), table.get("vars"))


def all_variables(environment: Environment, settings: Mapping[str, Any], given: Mapping[str, str]) -> Mapping[str, Any]:
    """The values of all variables: of ``--var``, else of the environment, else of ``[vars]``.

    A value of ``--var`` gets the type of the value that it replaces. Raises SettingsError if it cannot have that type.
    """
    found = {**settings.get("vars", {}), **(environment.variables or {})}
    return {**found, **{name: _typed(name, text, found.get(name)) for name, text in given.items()}}


def read_variables(given: tuple[str, ...]) -> dict[str, str]:
    """The variables of the option ``--var``. Raises ValueError, with what is wrong."""
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not NAME.fullmatch(name):
            raise ValueError(f"{shown(one)} is not NAME=VALUE")
        if not is_variable_value(value):
            raise ValueError(f"the value of {name} must be text in one line without {{{{, {{%, {{# and ${{")
        found[name] = value
    return found


def _typed(name: str, text: str, like: Any) -> Any:
    if isinstance(like, bool):
        if text in {"true", "false"}:
            return text == "true"
    elif isinstance(like, int | float):
        try:
            return int(text) if text.lstrip("-").isdecimal() else float(text)
        except ValueError:
            pass  # reported below
    else:
        return text
    kind = "true or false" if isinstance(like, bool) else "a number"
    raise SettingsError(f"--var: {name} must be {kind}, not {shown(text)}", hint="hookctl.toml has its type.")
