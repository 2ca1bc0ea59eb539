"""The typed facade over what plugins gave: mappings by name, and which plugin each came from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from hookctl.errors import PluginError
from hookctl.plugin.interfaces import (
    AuthType,
    EventType,
    FilterType,
    Observer,
    Policy,
    SecretSource,
    TransportType,
    ValidatorType,
)

if TYPE_CHECKING:
    import click

T = TypeVar("T")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
SCHEME = re.compile(r"[a-z][a-z0-9_-]*")
"""As ``hookctl.model.secret.REFERENCE`` reads it; another could never be written."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One registered plugin."""

    name: str
    distribution: str
    """The installed distribution that it came with; empty when it was given by hand."""
    version: str
    built_in: bool
    hooks: Mapping[str, Callable[[], Iterable[Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """All that the plugins added, by name."""

    auth: Mapping[str, AuthType]
    transports: Mapping[str, TransportType]
    validators: Mapping[str, ValidatorType]
    secret_sources: Mapping[str, SecretSource]
    event_types: Mapping[str, EventType]
    filters: Mapping[str, FilterType]
    policies: Mapping[str, Policy]
    observers: Mapping[str, Observer]
    commands: Mapping[str, click.Command]
    providers: tuple[Provider, ...]
    origins: Mapping[tuple[str, str], str]
    """Which plugin gave what: ``("auth", "oauth2") -> "hookctl_plugins.auth"``."""

    @classmethod
    def collect(cls, providers: Iterable[Provider]) -> Plugins:
        """Ask each provider, in order. Raises PluginError when one raises or takes a taken name."""
        found = tuple(providers)
        origins: dict[tuple[str, str], str] = {}
        return cls(
            auth=_gather(found, "hookctl_auth_types", "auth", AuthType, origins=origins),
            transports=_gather(found, "hookctl_transport_types", "transport", TransportType, origins=origins),
            validators=_gather(found, "hookctl_validator_types", "validator", ValidatorType, origins=origins),
            secret_sources=_gather(found, "hookctl_secret_sources", "secret source", SecretSource, origins=origins, key="scheme"),
            event_types=_gather(found, "hookctl_event_types", "event type", EventType, origins=origins),
            filters=_gather(found, "hookctl_filter_types", "filter", FilterType, origins=origins),
            policies=_gather(found, "hookctl_policies", "policy", Policy, origins=origins),
            observers=_gather(found, "hookctl_observers", "observer", Observer, origins=origins),
            commands=_gather(found, "hookctl_commands", "command", _command_class(found), origins=origins),
            providers=found,
            origins=origins,
        )


def _command_class(providers: Iterable[Provider]) -> type:
    if not any("hookctl_commands" in provider.hooks for provider in providers):
        return object  # there is none to look at: click need not be imported
    from click import Command

    return Command


def _gather(
    providers: Iterable[Provider],
    hook: str,
    what: str,
    kind: type[T],
    *,
    origins: dict[tuple[str, str], str],
    key: str = "name",
) -> dict[str, Any]:
    gathered: dict[str, Any] = {}
    for provider in providers:
        function = provider.hooks.get(hook)
        if function is None:
            continue
        try:
            things = list(function())
        except (Exception, SystemExit) as error:  # whatever a plugin raises, it is named and hookctl says so
            raise PluginError(f"plugin {provider.name} failed in {hook}: {error!r}", hint="Repair or uninstall it.") from error
        for thing in things:
            if not isinstance(thing, kind):
                raise PluginError(f"plugin {provider.name}: {hook} gave {thing!r}, not a {kind.__name__}", hint="See docs/plugins.md.")
            name = getattr(thing, key)
            if not isinstance(name, str) or not (SCHEME if key == "scheme" else NAME).fullmatch(name):
                raise PluginError(
                    f"plugin {provider.name} adds a {what} named {name!r}", hint="A name is letters, digits, `.`, `_`, `-`; a scheme in lower case."
                )
            if name in gathered:
                raise PluginError(f"plugin {provider.name} adds the {what} {name!r}, which {origins[what, name]} has already", hint="Uninstall one of the two.")
            gathered[name] = thing
            origins[what, name] = provider.name
    return gathered
