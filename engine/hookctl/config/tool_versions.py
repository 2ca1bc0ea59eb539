"""The versions of what a plan is made with: hookctl, and the plugins that its webhooks use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from hookctl._version import __version__
from hookctl.model import DeliveryPlan, Json, Plan
from hookctl.model.secret import plan_references
from hookctl.plugin.calls import Plugins, Provider


def tool_versions(plugins: Plugins, plan: Plan) -> dict[str, str]:
    """The version of hookctl, and of each plugin that the plan's new and changed webhooks use, by package.

    A single file has its digest as version. Built-in plugins have the version of hookctl.
    """
    added = {provider.name: provider for provider in plugins.providers if not provider.built_in}
    versions = {"hookctl": __version__}
    if not added:
        return versions
    filters = [name for name in plugins.filters if plugins.origins["filter", name] in added]
    for change in plan.changes:
        for part in _used(change.after, filters) if change.after else ():
            provider: Provider | None = added.get(plugins.origins.get(part, ""))
            if provider:
                versions[provider.package] = provider.version
    return versions


def differences(was: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, str]:
    """The packages whose versions differ, as text: those that made a plan, and those that would apply it."""
    different = sorted(package for package in {*was, *now} if was.get(package) != now.get(package))
    before = [f"{package} {was[package]}".strip() if package in was else f"no {package}" for package in different]
    after = [f"{package} {now[package]}".strip() if package in now else f"no {package}" for package in different]
    return ", ".join(before), ", ".join(after)


def _used(webhook: DeliveryPlan, filters: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The parts that a webhook uses, as in ``Plugins.origins``. Of filters, only ``filters`` are looked for."""
    yield from (("event type", name) for name in webhook.events)
    yield from (("auth", block.type) for block in webhook.auth)
    yield from (("validator", block.type) for block in webhook.response_validators)
    if webhook.transport:
        yield "transport", webhook.transport.type
    yield from (("secret source", reference.scheme) for reference in plan_references(webhook))
    if filters:
        # Text outside an expression may look like a filter. The plan then names a plugin that it could do without.
        texts = "\n".join(_texts([webhook.url, webhook.body_template, {**webhook.headers}, {**(webhook.form or {})}]))
        used = {*re.findall(r"\|\s*([A-Za-z][\w.-]*)", texts)}
        yield from (("filter", name) for name in filters if name in used)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
