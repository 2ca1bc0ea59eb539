"""Policies: those that ``[policies]`` of hookctl.toml sets are built from their tables and asked about a plan."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hookctl.config.check.notes import Notes
from hookctl.config.check.schemas import Schema
from hookctl.errors import PluginError, SettingsError
from hookctl.model import Finding, Json, Plan, Pointer, Severity, SourceFile, Webhook
from hookctl.model.nearest import nearest
from hookctl.model.source import NOWHERE
from hookctl.plugin import Policy
from hookctl.plugin.calls import Plugins
from hookctl.plugin.contain import is_interrupt, text_of

SEVERITY: dict[str, Json] = {
    "enum": [severity.value for severity in Severity],
    "description": "What every finding of the policy counts as",
}
"""The setting ``severity``, which every policy has beside its own."""


def ask_policies(plan: Plan, tables: Mapping[str, Any], plugins: Plugins) -> list[Finding]:
    """The findings of every policy that has a table, each with the policy's name as its source.

    A finding about a webhook that the plan does not change is a warning: applying the plan makes it no worse. A policy
    that raises is an error itself, and the others are still asked.

    Raises:
        SettingsError: a table is not the table of a policy, or holds settings that its policy does not accept.
    """
    asked = [(_policy(name, plugins), table) for name, table in tables.items()]
    return [
        replace(one, severity=Severity.WARNING) if one.webhook in plan.digests else one
        for policy, table in asked
        for one in _ask(plan, policy, _checked(policy, table), plugins)
    ]


def check_policy_settings(tables: Mapping[str, Any], plugins: Plugins) -> None:
    """Raises SettingsError for what :func:`ask_policies` would raise it for, before there is a plan to ask about."""
    for name, table in tables.items():
        policy = _policy(name, plugins)
        settings = _settings(_checked(policy, table))
        try:
            policy.build(settings)
        except SettingsError as error:
            raise _named(policy, error) from error
        except BaseException as error:
            if is_interrupt(error):
                raise
            continue  # a policy that fails is an error of each plan, where it is told with its origin


def field_place(webhook: Webhook, pointer: Pointer) -> Pointer:
    """The place of a field that a policy names: the field, the nearest enclosing part in the file, or the name."""
    place: Pointer = ()
    value: Json = dict(webhook.fields)
    for part in pointer:
        if isinstance(value, dict) and part == 0:
            continue  # a block that is alone need not stand in a list
        if isinstance(value, dict) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            break
        place = (*place, part)
    return place or ("name",)


def _policy(name: str, plugins: Plugins) -> Policy:
    if name not in plugins.policies:
        hint = f"`hookctl plugins` shows which there are.{plugins.failed_hint}"
        raise SettingsError(
            f"[policies]: there is no policy {name!r}", hint=_meant(nearest(name, plugins.policies), hint)
        )
    return plugins.policies[name]


def _checked(policy: Policy, table: Any) -> Mapping[str, Json]:
    """The table, valid by the policy's schema."""
    name = policy.name
    if not isinstance(table, dict):
        raise SettingsError(
            f"[policies]: {name} must be a table, not {table!r}",
            hint=f"Write [policies.{name}], and its settings below it.",
        )
    try:
        json.dumps(table)
    except TypeError as error:
        raise SettingsError(
            f"[policies.{name}]: a date or a time is no setting of a policy",
            hint="Write it in quotes, if text is meant.",
        ) from error
    except ValueError as error:  # TOML's hexadecimal numbers have no limit, and Python's decimal ones have
        message = f"[policies.{name}]: a number has more digits than can be read"
        raise SettingsError(message, hint="Write a smaller number.") from error
    notes = Notes(Webhook(SourceFile("hookctl.toml", ""), 1, table, NOWHERE))
    _schema(policy).check(notes, table)
    for finding in notes.findings:
        raise SettingsError(f"[policies.{name}]: {finding.message}", hint=_meant(finding.suggestions, finding.hint))
    return table


def _schema(policy: Policy) -> Schema:
    properties = policy.schema.get("properties")
    with_severity: Json = {**(properties if isinstance(properties, dict) else {}), "severity": SEVERITY}
    try:
        return Schema({**policy.schema, "properties": with_severity}, {})
    except ValueError as error:
        raise PluginError(
            f"the schema of the policy {policy.name!r} is no JSON Schema: {error}",
            hint="Repair the plugin that adds it.",
        ) from error


def _ask(plan: Plan, policy: Policy, table: Mapping[str, Json], plugins: Plugins) -> list[Finding]:
    """The findings of one policy, with the severity that its table sets, if it sets one."""
    try:
        found = [replace(_finding(one), source=policy.name) for one in policy.build(_settings(table))(plan)]
    except SettingsError as error:
        raise _named(policy, error) from error
    except PluginError as error:  # from a third party's policy: the message names it
        return [Finding(source=policy.name, message=error.message, hint=error.hint)]
    except BaseException as error:
        if is_interrupt(error):
            raise
        origin = plugins.origins.get(("policy", policy.name), "an unknown plugin")
        message = f"the policy of {origin} failed: {type(error).__name__}: {text_of(error)}"
        return [Finding(source=policy.name, message=message, hint="Fix or uninstall it.")]
    severity = table.get("severity")
    return [replace(one, severity=Severity(str(severity))) if severity else one for one in found]


def _settings(table: Mapping[str, Json]) -> dict[str, Json]:
    """What is the policy's own."""
    return {key: value for key, value in table.items() if key != "severity"}


def _named(policy: Policy, error: SettingsError) -> SettingsError:
    return SettingsError(f"[policies.{policy.name}]: {error.message}", hint=error.hint)


def _finding(given: object) -> Finding:
    if not isinstance(given, Finding):
        raise TypeError(f"it returned {given!r}, not a Finding")
    return given


def _meant(suggestions: Sequence[str], hint: str) -> str:
    return f"Did you mean {' or '.join(suggestions)}? {hint}" if suggestions else hint
