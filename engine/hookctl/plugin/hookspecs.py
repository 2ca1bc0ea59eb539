"""Every hook that a plugin can implement.

A plugin is a module (or object) registered under the entry-point group ``hookctl``. hookctl calls each of its functions
that has a name from below and is marked with ``hookctl.plugin.hookimpl``. Each call happens once, at start-up, and
returns the parts that the plugin adds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

from hookctl.plugin.interfaces import (
    AuthType,
    EventType,
    FilterType,
    Observer,
    Policy,
    ReportFormat,
    SecretSource,
    TransportType,
    ValidatorType,
)

if TYPE_CHECKING:
    import click

hookspec = pluggy.HookspecMarker("hookctl")


@hookspec
def hookctl_auth_types() -> Iterable[AuthType]:
    """Ways to authenticate a request, for the ``auth`` field."""
    raise NotImplementedError


@hookspec
def hookctl_transport_types() -> Iterable[TransportType]:
    """Ways to send a request, for the ``transport`` field."""
    raise NotImplementedError


@hookspec
def hookctl_validator_types() -> Iterable[ValidatorType]:
    """Checks on a response, for the ``response_validators`` field."""
    raise NotImplementedError


@hookspec
def hookctl_secret_sources() -> Iterable[SecretSource]:
    """Schemes of ``${scheme:key}``."""
    raise NotImplementedError


@hookspec
def hookctl_event_types() -> Iterable[EventType]:
    """Kinds of events, for the ``event`` field."""
    raise NotImplementedError


@hookspec
def hookctl_filter_types() -> Iterable[FilterType]:
    """Filters for body templates."""
    raise NotImplementedError


@hookspec
def hookctl_policies() -> Iterable[Policy]:
    """Rules that a plan must follow before it is applied. Each is off until hookctl.toml sets it."""
    raise NotImplementedError


@hookspec
def hookctl_observers() -> Iterable[Observer]:
    """Observers of attempts and outcomes. One with settings is off until hookctl.toml has its table."""
    raise NotImplementedError


@hookspec
def hookctl_format_types() -> Iterable[ReportFormat]:
    """Formats of reports, for ``--format`` of `validate`, `plan`, `apply` and `test`."""
    raise NotImplementedError


@hookspec
def hookctl_commands() -> Iterable[click.Command]:
    """Commands for the ``hookctl`` command line."""
    raise NotImplementedError
