"""Builds the policies that ``[policies]`` in hookctl.toml configures, and applies them to a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hookctl.config.check.tables import checked_table, known_part
from hookctl.errors import PluginError, SettingsError
from hookctl.model import Finding, Json, Plan, Pointer, Severity, Webhook
from hookctl.plugin import Policy
from hookctl.plugin.calls import Plugins
from hookctl.plugin.contain import is_interrupt
from hookctl.plugin.raised import text_of

SEVERITY: dict[str, Json] = {
    "enum": [severity.value for severity in Severity],
    "description": "The severity of every finding of the policy",
}
"""The schema of ``severity``, which every policy accepts in addition to its own settings."""


def ask_policies(plan: Plan, tables: Mapping[str, Any], plugins: Plugins) -> list[Finding]:
    """The findings of every policy that has a table, each with the name of the policy as its source.

    A finding about a webhook that the plan does not change becomes a warning, because applying the plan does not make
    it worse. A policy that raises an exception becomes a finding, and the other policies still run.

    Raises:
        SettingsError: a table does not belong to a policy, or contains settings that its policy does not accept.
    """
    asked = [(_policy(name, plugins), table) for name, table in tables.items()]
    return [
        replace(one, severity=Severity.WARNING) if one.webhook in plan.digests else one
        for policy, table in asked
        for one in _ask(plan, policy, _checked(policy, table), plugins)
    ]


def check_policy_settings(tables: Mapping[str, Any], plugins: Plugins) -> None:
    """Raise SettingsError in the same cases as :func:`ask_policies`, before there is a plan."""
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
            continue  # `ask_policies` reports a policy that fails, as an error in the plan that names its plugin


def field_place(webhook: Webhook, pointer: Pointer) -> Pointer:
    """The place of a field that a policy names, or else of the nearest enclosing part or of ``name``."""
    place: Pointer = ()
    value: Json = dict(webhook.fields)
    for part in pointer:
        if isinstance(value, dict) and part == 0:
            continue  # a single block may be written without a list
        if isinstance(value, dict) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            break
        place = (*place, part)
    return place or ("name",)


def _policy(name: str, plugins: Plugins) -> Policy:
    return known_part("policies", "policy", name, plugins.policies, plugins.failed_hint)


def _checked(policy: Policy, table: Any) -> Mapping[str, Json]:
    """The table, if it is valid by the schema of the policy. Raises SettingsError otherwise."""
    properties = policy.schema.get("properties")
    with_severity: Json = {**(properties if isinstance(properties, dict) else {}), "severity": SEVERITY}
    return checked_table("policies", "policy", policy.name, table, {**policy.schema, "properties": with_severity})


def _ask(plan: Plan, policy: Policy, table: Mapping[str, Json], plugins: Plugins) -> list[Finding]:
    """The findings of one policy, with the severity from its table, if any."""
    try:
        found = [replace(_finding(one), source=policy.name) for one in policy.build(_settings(table))(plan)]
    except SettingsError as error:
        raise _named(policy, error) from error
    except PluginError as error:  # from a third-party policy, and the message names it
        return [Finding(source=policy.name, message=error.message, hint=error.hint)]
    except BaseException as error:
        if is_interrupt(error):
            raise
        origin = plugins.origins.get(("policy", policy.name), "an unknown plugin")
        message = f"the policy of {origin} failed: {type(error).__name__}: {text_of(error)}"
        return [Finding(source=policy.name, message=message, hint="Fix or uninstall the plugin.")]
    severity = table.get("severity")
    return [replace(one, severity=Severity(str(severity))) if severity else one for one in found]


def _settings(table: Mapping[str, Json]) -> dict[str, Json]:
    """The policy's own settings: its table without ``severity``."""
    return {key: value for key, value in table.items() if key != "severity"}


def _named(policy: Policy, error: SettingsError) -> SettingsError:
    return SettingsError(f"[policies.{policy.name}]: {error.message}", hint=error.hint)


def _finding(given: object) -> Finding:
    if not isinstance(given, Finding):
        raise TypeError(f"the policy returned {given!r}, which is not a Finding")
    return given
