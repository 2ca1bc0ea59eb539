"""A typed view of everything that plugins add: mappings by name, and the plugin that each part comes from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from hookctl.errors import HookctlError, PluginError, SameNameError
from hookctl.plugin.contain import BrokenContractError, Containment, Hook, not_async
from hookctl.plugin.given import kind
from hookctl.plugin.interfaces import (
    AuthType,
    EventType,
    FilterType,
    Observer,
    Policy,
    ReportFormat,
    SecretSource,
    StoreType,
    TransportType,
    ValidatorType,
)
from hookctl.plugin.part import Part

if TYPE_CHECKING:
    import click

T = TypeVar("T")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
SCHEME = re.compile(r"[a-z][a-z0-9_-]*")
"""The form of a scheme, as in ``hookctl.model.secret.REFERENCE``. A reference cannot use any other scheme."""
WITH_SCHEME = frozenset({"secret source", "store"})
"""The kinds of parts that have a scheme instead of a name."""
MAX_THINGS = 1000
"""The maximum number of parts that one hook may return."""


MAX_FAILURES = 20
"""The number of failures after which the other parts of one hook are not looked at."""


@dataclass(frozen=True, slots=True)
class PluginFailure:
    """A plugin, or a part of one, that was not loaded. Everything else was loaded."""

    plugin: str
    distribution: str
    """The distribution, as in :attr:`Provider.distribution`."""
    message: str
    hint: str
    kind: str = "failed"
    """``failed``; ``same name`` if its name is taken, which plans and deliveries do not accept; ``disabled`` for a file
    that ``hookctl.toml`` does not enable; ``settings`` if that file cannot be read, so that it enables none."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One registered plugin."""

    name: str
    distribution: str
    """The installed distribution that it belongs to; empty if there is none."""
    version: str
    """The version of its distribution or module; for a single file, ``sha256:`` and its digest."""
    built_in: bool
    hooks: Mapping[str, Callable[[], Iterable[Any]]]
    place: str = ""
    """Where hookctl found it if ``hookctl.toml`` enables it: ``module NAME``, or the path of the file."""

    @property
    def package(self) -> str:
        """What has the version: the distribution, or else the file, the module or the plugin."""
        return self.distribution or self.place or self.name

    @property
    def shown(self) -> str:
        """The package with its version, for people. A digest is shortened."""
        return f"{self.package} {self.version[:19] if self.version.startswith('sha256:') else self.version}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """Everything that plugins added, by name."""

    auth: Mapping[str, AuthType]
    transports: Mapping[str, TransportType]
    validators: Mapping[str, ValidatorType]
    secret_sources: Mapping[str, SecretSource]
    event_types: Mapping[str, EventType]
    filters: Mapping[str, FilterType]
    policies: Mapping[str, Policy]
    observers: Mapping[str, Observer]
    formats: Mapping[str, ReportFormat]
    """The formats that plugins add to those of ``hookctl.report.formats``."""
    commands: Mapping[str, click.Command]
    stores: Mapping[str, StoreType]
    """The stores that plugins add to those of ``hookctl.store``, by scheme."""
    providers: tuple[Provider, ...]
    origins: Mapping[tuple[str, str], str]
    """The plugin of each part: ``("auth", "oauth2") -> "hookctl_plugins.auth"``."""
    third_party: frozenset[tuple[str, str]] = frozenset()
    """The parts of third-party plugins, as in :attr:`origins`. None of their code runs on the runner's thread."""
    failures: tuple[PluginFailure, ...] = ()
    """The parts that could not be loaded, with the reasons."""
    containment: Containment = field(default_factory=Containment)
    """The wrapper through which third-party code is called."""

    @classmethod
    def collect(
        cls, providers: Iterable[Provider], containment: Containment, failures: Iterable[PluginFailure] = ()
    ) -> Plugins:
        """Ask each provider in order. A part that fails, or whose name is taken, goes to ``failures`` instead."""
        found = tuple(providers)
        gathering = _Gathering(found, containment, [*failures])
        sources = gathering.gather("hookctl_secret_sources", "secret source", SecretSource)
        return cls(
            auth=gathering.gather("hookctl_auth_types", "auth", AuthType),
            transports=gathering.gather("hookctl_transport_types", "transport", TransportType),
            validators=gathering.gather("hookctl_validator_types", "validator", ValidatorType),
            secret_sources={scheme: _remembering(source, containment.secrets) for scheme, source in sources.items()},
            event_types=gathering.gather("hookctl_event_types", "event type", EventType),
            filters=gathering.gather("hookctl_filter_types", "filter", FilterType),
            policies=gathering.gather("hookctl_policies", "policy", Policy),
            observers=gathering.gather("hookctl_observers", "observer", Observer),
            formats=gathering.gather("hookctl_format_types", "format", ReportFormat),
            commands=gathering.gather("hookctl_commands", "command", _command_class(found)),
            stores=gathering.gather("hookctl_store_types", "store", StoreType),
            providers=found,
            origins=gathering.origins,
            third_party=frozenset(gathering.third_party),
            failures=tuple(gathering.failures),
            containment=containment,
        )

    @property
    def same_names(self) -> tuple[PluginFailure, ...]:
        """The plugins and parts that were not loaded because their name is taken."""
        return tuple(failure for failure in self.failures if failure.kind == "same name")

    def without(self, what: str, name: str, message: str, hint: str) -> Plugins:
        """A copy without one policy, format, command or store. ``message`` follows the plugin's name."""
        provider = next(provider for provider in self.providers if provider.name == self.origins[what, name])
        failure = PluginFailure(provider.name, provider.distribution, f"plugin {provider.name} {message}", hint)
        origins = {thing: origin for thing, origin in self.origins.items() if thing != (what, name)}
        return replace(
            self,
            policies={other: policy for other, policy in self.policies.items() if (what, other) != ("policy", name)},
            formats={other: one for other, one in self.formats.items() if (what, other) != ("format", name)},
            commands={other: command for other, command in self.commands.items() if (what, other) != ("command", name)},
            stores={other: one for other, one in self.stores.items() if (what, other) != ("store", name)},
            origins=origins,
            failures=(*self.failures, failure),
        )

    @property
    def failed_hint(self) -> str:
        """A hint for an unknown name: a plugin that failed to load may define it. Empty if no plugin failed."""
        if not self.failures:
            return ""
        names = ", ".join(sorted({failure.plugin for failure in self.failures}))
        return f" {names} could not be loaded completely and may contain it: see `hookctl doctor`."

    def short_help(self, name: str) -> str:
        """The short help of a plugin's command; empty if it has none."""
        origin = self.origins.get(("command", name), "")
        hook = Hook(origin, f"command {name} of plugin {origin}", "get_short_help_str", repeats_text=True)
        try:
            return str(self.containment.call(hook, lambda: str(self.commands[name].get_short_help_str())))
        except PluginError:
            return ""


def failed_to_load(plugin: str, distribution: str, what: str, error: HookctlError) -> PluginFailure:
    """The failure that ended ``what`` in a plugin. hookctl's own errors name the plugin already; others do not."""
    is_named = isinstance(error, PluginError) and error.plugin == plugin
    message = error.message if is_named else f"plugin {plugin}: {what} raised {type(error).__name__}: {error.message}"
    kind = "same name" if type(error) is SameNameError else "failed"
    return PluginFailure(plugin, distribution, message, error.hint, kind)


def _remembering(source: SecretSource, secrets: set[str]) -> SecretSource:
    """A secret source that remembers every secret it returns, for masking."""

    def resolve(key: str) -> str:
        secret = source.resolve(key)
        if isinstance(secret, str):
            secrets.add(secret)
        return secret

    return replace(source, resolve=resolve)


def _command_class(providers: Iterable[Provider]) -> type:
    if not any("hookctl_commands" in provider.hooks for provider in providers):
        return object  # without commands, click need not be imported
    from click import Command

    return Command


@dataclass(frozen=True, slots=True)
class _Gathering:
    """Collects what providers add."""

    providers: tuple[Provider, ...]
    containment: Containment
    failures: list[PluginFailure]
    origins: dict[tuple[str, str], str] = field(default_factory=dict)
    third_party: set[tuple[str, str]] = field(default_factory=set)

    def gather(self, hook: str, what: str, wanted: type[T]) -> dict[str, T]:
        """The results of a hook, by name."""
        gathered: dict[str, T] = {}
        for provider in self.providers:
            function = provider.hooks.get(hook)
            if function is None:
                continue
            failed_before = len(self.failures)
            for thing in self._asked(provider, hook, lambda: list(islice(not_async(function()), MAX_THINGS))) or ():  # noqa: B023  # called now
                if len(self.failures) - failed_before >= MAX_FAILURES:
                    break
                accepted = self._asked(provider, hook, partial(self._accepted, thing, provider, what, wanted))
                if accepted is not None:
                    name, gathered[name] = accepted
                    self.origins[what, name] = provider.name
                    if not provider.built_in:
                        self.third_party.add((what, name))
        return gathered

    def _asked(self, provider: Provider, hook: str, call: Callable[[], Any]) -> Any:
        try:
            if provider.built_in:
                return call()
            place = Hook(provider.name, f"plugin {provider.name}", hook, at_start=True, repeats_text=True)
            return self.containment.call(place, call)
        except HookctlError as error:
            self.failures.append(failed_to_load(provider.name, provider.distribution, hook, error))
            return None

    def _accepted(self, thing: Any, provider: Provider, what: str, wanted: type[T]) -> tuple[str, T]:
        """The name of a part, and its usable form. Raises BrokenContractError and SameNameError."""
        if not isinstance(thing, wanted):
            raise BrokenContractError(f"{kind(thing)}, not a {wanted.__name__}")
        has_scheme = what in WITH_SCHEME
        name = getattr(thing, "scheme" if has_scheme else "name")
        if type(name) is not str or not (SCHEME if has_scheme else NAME).fullmatch(name):
            given = repr(name) if isinstance(name, str) else kind(name)
            advice = (
                "a scheme is lower-case letters, digits, `_`, `-`"
                if has_scheme
                else "a name is letters, digits, `.`, `_`, `-`"
            )
            raise BrokenContractError(f"a {what} named {given}; {advice}")
        if (what, name) in self.origins:
            owner = self.origins[what, name]
            is_built_in = any(other.name == owner and other.built_in for other in self.providers)
            one = "the plugin" if is_built_in else "one of the two"
            message = (
                f"plugin {provider.name}: it adds the {what} {name!r}, but {owner} already adds one with that name"
            )
            hint = f"Remove {one}, or ask its author to rename what it adds."
            raise SameNameError(message, hint=hint, plugin=provider.name)
        if provider.built_in:
            return name, thing
        from hookctl.plugin.contained import contained  # most installations have no third-party plugin

        # Policies and formats read whole plans, and a secret source may ask a server; no other delivery waits for them.
        is_slow = what in {"policy", "format", "secret source", "store"}
        gets_no_secret = what in {"policy", "format"}
        part = Part(self.containment, provider.name, what, name, at_start=is_slow, repeats_text=gets_no_secret)
        return name, contained(thing, part)
