"""What plugins add: each thing by kind, with its origin and its settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hookctl._version import __version__
from hookctl.model import Json
from hookctl.plugin import ReportFormat
from hookctl.plugin.calls import PluginFailure, Plugins, Provider
from hookctl.report.style import heading, styled
from hookctl.report.text.columns import paragraph
from hookctl.report.text.printable import json_text, printable
from hookctl.report.text.schema import field_rows, render_table
from hookctl.store.opening import STORE_TYPES
from hookctl.store.opening import built_in as built_in_store

KINDS = {
    "auth": "Ways to authenticate a request, for `auth`",
    "transport": "Ways to send a request, for `transport`",
    "validator": "Checks on a response, for `response_validators`",
    "secret source": "Schemes of secret references, ${scheme:key}",
    "event type": "Kinds of events, for `event`",
    "filter": "Filters for body templates",
    "policy": "Rules that a plan must follow, for `[policies]` in hookctl.toml",
    "observer": "Receivers of attempts and outcomes, for `[observers]` in hookctl.toml if they have settings",
    "format": "Formats of reports, for `--format` of `validate`, `plan`, `apply` and `test`",
    "store": "Where applied state and deliveries are stored, for `--store`",
    "command": "Commands",
}
"""Every kind, as in ``Plugins.origins``, and its purpose."""
HOOKS = {
    "hookctl_auth_types": "auth",
    "hookctl_transport_types": "transport",
    "hookctl_validator_types": "validator",
    "hookctl_secret_sources": "secret source",
    "hookctl_event_types": "event type",
    "hookctl_filter_types": "filter",
    "hookctl_policies": "policy",
    "hookctl_observers": "observer",
    "hookctl_format_types": "format",
    "hookctl_store_types": "store",
    "hookctl_commands": "command",
}
"""The kind of what each hook adds."""
HOOKCTL = "hookctl"
"""Stands for the plugin of what hookctl adds without one."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One thing that a plugin adds."""

    kind: str
    name: str
    summary: str
    settings: Mapping[str, Json] | None
    """JSON Schema of its settings; None for a kind without."""
    provider: Provider
    takes: frozenset[str] | None = None
    """The types of JSON Schema that a filter accepts, empty for any; None for other kinds."""
    gives: frozenset[str] | None = None
    """The types of a filter's result, empty for any; None for other kinds."""

    @property
    def origin(self) -> str:
        """``built in`` with the plugin's name, or the distribution with its version."""
        if self.provider.built_in:
            return "built in" if self.provider.name == HOOKCTL else f"built in, plugin {self.provider.name}"
        is_named = self.provider.package != self.provider.name
        return self.provider.shown if is_named else f"plugin {self.provider.shown}"


def listed(plugins: Plugins, formats: Iterable[ReportFormat] = ()) -> list[Listed]:
    """Everything that plugins add, and hookctl's own ``formats``, by kind and name."""
    things = [*_built_in(formats), *(thing for kind in KINDS for thing in _of_kind(plugins, kind))]
    kinds = [*KINDS]
    return sorted(things, key=lambda thing: (kinds.index(thing.kind), thing.name))


def render_text(
    things: Sequence[Listed],
    failures: Sequence[PluginFailure] = (),
    providers: Sequence[Provider] = (),
    *,
    width: int = 0,
    color: bool,
) -> str:
    """For people: each plugin with its hooks, then a heading per kind, a line per thing, a table of its settings.

    Wrapped to ``width`` columns; 0: not at all.
    """
    blocks = []
    if providers:
        lines = [line for provider in providers for line in _provider(provider, things, width)]
        blocks.append("\n".join([heading("Plugins", color), *lines]))
    for kind, purpose in KINDS.items():
        found = [thing for thing in things if thing.kind == kind]
        if found:
            title = heading(paragraph(f"{kind.capitalize()}: {purpose}", width), color)
            blocks.append("\n".join([title, *(_entry(thing, width) for thing in found)]))
    for reason, disabled in (("disabled", True), ("plugins, or parts of plugins, that failed", False)):
        reported = [failure for failure in failures if (failure.kind == "disabled") is disabled]
        if reported:
            title = styled(f"Not loaded: {reason}", color, fg="yellow" if disabled else "red", bold=True)
            lines = [
                f"{paragraph(printable(failure.message), width, 2)}\n{paragraph(printable(failure.hint), width, 6)}"
                for failure in reported
            ]
            blocks.append("\n".join([title, *lines]))
    return "\n\n".join(blocks) + "\n"


def render_json(
    things: Sequence[Listed], failures: Sequence[PluginFailure] = (), providers: Sequence[Provider] = ()
) -> str:
    """For programs: an object of ``plugins``, ``loaded`` and ``failures``.

    A plugin's entry has ``kind``, ``name``, ``summary``, ``built_in``, ``plugin``, ``distribution``, ``version``,
    ``settings``, ``takes`` and ``gives``. The last two are lists of types for a filter, and null for other kinds.

    An entry of ``loaded`` is a plugin, with ``hooks``: the names of what each adds. A failure has ``plugin``,
    ``distribution``, ``message``, ``hint`` and ``kind``, as in :class:`PluginFailure`.
    """
    rows: list[Json] = [
        {
            "kind": thing.kind.replace(" ", "_"),
            "name": thing.name,
            "summary": thing.summary,
            "built_in": thing.provider.built_in,
            "plugin": thing.provider.name,
            "distribution": thing.provider.distribution,
            "version": thing.provider.version,
            "settings": dict(thing.settings) if thing.settings is not None else None,
            "takes": None if thing.takes is None else [*sorted(thing.takes)],
            "gives": None if thing.gives is None else [*sorted(thing.gives)],
        }
        for thing in things
    ]
    loaded: list[Json] = [
        {
            "plugin": provider.name,
            "distribution": provider.distribution,
            "version": provider.version,
            "place": provider.place,
            "built_in": provider.built_in,
            "hooks": {hook: [*names] for hook, names in _hooks(provider, things)},
        }
        for provider in providers
    ]
    broken: list[Json] = [asdict(failure) for failure in failures]
    return json_text({"plugins": rows, "loaded": loaded, "failures": broken}) + "\n"


def _hooks(provider: Provider, things: Sequence[Listed]) -> Iterator[tuple[str, list[str]]]:
    """Each hook of a plugin, with the names of what it adds."""
    for hook in sorted(provider.hooks):
        kind = HOOKS.get(hook)
        yield hook, [thing.name for thing in things if thing.kind == kind and thing.provider.name == provider.name]


def _provider(provider: Provider, things: Sequence[Listed], width: int) -> Iterator[str]:
    origin = f"built in, hookctl {provider.version}" if provider.built_in else provider.shown
    yield paragraph(printable(f"{provider.name} ({origin})"), width, 2)
    for hook, names in _hooks(provider, things):
        yield paragraph(printable(f"{hook}: {', '.join(names) or 'nothing'}"), width, 6)


def _entry(thing: Listed, width: int) -> str:
    lines = [paragraph(printable(f"{thing.name} ({thing.origin})"), width, 2)]
    if thing.summary:
        lines.append(paragraph(printable(thing.summary), width, 6))
    if thing.takes is not None and thing.gives is not None:
        lines.append(paragraph(f"Takes {_types(thing.takes)}; gives {_types(thing.gives)}.", width, 6))
    if rows := field_rows(thing.settings) if thing.settings is not None else []:
        lines.append(render_table(rows, width=width, color=False, indent=6).rstrip("\n"))
    return "\n".join(lines)


def _types(names: frozenset[str]) -> str:
    return " or ".join(sorted(names)) or "any value"


def _built_in(formats: Iterable[ReportFormat]) -> Iterator[Listed]:
    """The formats and stores that come with hookctl. No plugin adds them: they use more than the public API."""
    hookctl = Provider(name=HOOKCTL, distribution="hookctl", version=__version__, built_in=True, hooks={})
    for one in formats:
        yield Listed("format", one.name, one.summary, None, hookctl)
    for scheme in STORE_TYPES:
        yield Listed("store", scheme, built_in_store(scheme).summary, None, hookctl)


def _of_kind(plugins: Plugins, kind: str) -> Iterator[Listed]:
    things: Mapping[str, Any] = {
        "auth": plugins.auth,
        "transport": plugins.transports,
        "validator": plugins.validators,
        "secret source": plugins.secret_sources,
        "event type": plugins.event_types,
        "filter": plugins.filters,
        "policy": plugins.policies,
        "observer": plugins.observers,
        "format": plugins.formats,
        "store": plugins.stores,
        "command": plugins.commands,
    }[kind]
    providers = {provider.name: provider for provider in plugins.providers}
    for name, thing in things.items():
        summary = plugins.short_help(name) if kind == "command" else getattr(thing, "summary", "")
        settings = thing.schema if kind in {"auth", "transport", "validator", "policy", "observer"} else None
        takes, gives = (thing.takes, thing.gives) if kind == "filter" else (None, None)
        yield Listed(kind, name, summary, settings, providers[plugins.origins[kind, name]], takes, gives)
