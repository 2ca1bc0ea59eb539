"""Which plugins a plan records, and what an apply with other ones reports."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hookctl.config.diff import make_plan
from hookctl.config.tool_versions import differences, tool_versions
from hookctl.model import AppliedState, DeliveryPlan, Json, PluginBlock
from hookctl.plugin import (
    AuthType,
    EventType,
    FilterType,
    Observer,
    SecretSource,
    TransportType,
    ValidatorType,
    hookimpl,
)
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins

Build = Callable[..., DeliveryPlan]
OBJECT: dict[str, Json] = {"type": "object"}


def never(*_: Any) -> Any:
    raise AssertionError("called")


PARTS: dict[str, Any] = {
    "hookctl_auth_types": AuthType(name="x", summary="", schema=OBJECT, build=never),
    "hookctl_transport_types": TransportType(name="x", summary="", schema=OBJECT, build=never),
    "hookctl_validator_types": ValidatorType(name="x", summary="", schema=OBJECT, build=never, label=never),
    "hookctl_secret_sources": SecretSource(scheme="x", summary="", resolve=never),
    "hookctl_event_types": EventType(name="x", summary="", schema=OBJECT, mock={}),
    "hookctl_filter_types": FilterType(name="x", summary="", call=never),
    "hookctl_observers": Observer(name="x"),
}
USES: dict[str, Mapping[str, Any]] = {
    "hookctl_auth_types": {"auth": (PluginBlock("bearer", {}), PluginBlock("x", {}))},
    "hookctl_transport_types": {"transport": PluginBlock("x", {})},
    "hookctl_validator_types": {"response_validators": (PluginBlock("x", {}),)},
    "hookctl_secret_sources": {"headers": {"X-Key": "${x:key}"}},
    "hookctl_event_types": {"events": ("x",)},
    "hookctl_filter_types": {"body_template": '{"a": "{{ data.name |x }}"}'},
}


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    """One plugin for each kind of part, named after its hook."""
    return load_plugins(
        SimpleNamespace(__name__=hook, __version__="1.0", **{hook: hookimpl(specname=hook)(lambda part=part: [part])})
        for hook, part in PARTS.items()
    )


def versions(plugins: Plugins, before: DeliveryPlan | None, after: DeliveryPlan | None) -> dict[str, str]:
    sides = [{side.name: side} if side else {} for side in (before, after)]
    return tool_versions(plugins, make_plan(AppliedState(1, sides[0]), sides[1], {}))


@pytest.mark.parametrize("hook", USES)
def test_a_plan_records_the_plugins_that_its_webhooks_use(plugins: Plugins, delivery_plan: Build, hook: str) -> None:
    plain, using = delivery_plan(), delivery_plan(**USES[hook])
    assert versions(plugins, None, plain).keys() == {"hookctl"}
    assert versions(plugins, None, using).keys() == {"hookctl", hook}
    assert versions(plugins, plain, using)[hook] == "1.0"
    assert versions(plugins, using, using).keys() == {"hookctl"}  # nothing changes
    assert versions(plugins, using, None).keys() == {"hookctl"}  # a removal needs no plugin


@pytest.mark.parametrize("fields", [{"url": "https://a.example.com/{{ data.id | x }}"}, {"form": {"a": "{{ id|x }}"}}])
def test_a_filter_is_found_wherever_there_is_a_template(
    plugins: Plugins, delivery_plan: Build, fields: Mapping[str, Any]
) -> None:
    assert "hookctl_filter_types" in versions(plugins, None, delivery_plan(**fields))


def test_differences_name_only_what_differs() -> None:
    was, now = {"hookctl": "1", "a": "1", "b": "2", "c": ""}, {"hookctl": "1", "a": "2", "d": "1"}
    assert differences(was, now) == ("a 1, b 2, c, no d", "a 2, no b, no c, d 1")


CODE = """
from hookctl.plugin import SecretSource, hookimpl

@hookimpl
def hookctl_secret_sources():
    return [SecretSource(scheme="acme", summary="A vault.", resolve=str.upper)]
"""


def test_a_saved_plan_is_refused_with_another_plugin(
    project: Callable[[Mapping[str, str]], Path], run_cli: Callable[..., Any]
) -> None:
    from hashlib import sha256

    def enable(code: str) -> None:
        (root / "plugins/acme.py").write_text(code)
        digest = sha256(code.encode()).hexdigest()
        (root / "hookctl.toml").write_text(f'[plugins.files]\nacme = "sha256:{digest}"\n')

    webhook = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/x\nheaders: {X-Key: '${acme:key}'}\n"
    root = project({"webhooks.d/siem.yaml": webhook, "plugins/acme.py": CODE})
    enable(CODE)
    assert run_cli("plan", "--out", "plan.json", cwd=root).exit_code == 0
    recorded = json.loads((root / "plan.json").read_text())["versions"]
    assert recorded["plugins/acme.py"].startswith("sha256:")
    enable(CODE + "\n")
    result = run_cli("apply", "plan.json", "--auto-approve", cwd=root)
    assert result.exit_code == 1
    assert f"the plan is stale: it was made by plugins/acme.py {recorded['plugins/acme.py']}, and" in result.stderr
    (root / "hookctl.toml").unlink()
    result = run_cli("apply", "plan.json", "--auto-approve", cwd=root)
    assert (result.exit_code, ", and this is no plugins/acme.py" in result.stderr) == (1, True), result.stderr
    enable(CODE)
    assert run_cli("apply", "plan.json", "--auto-approve", cwd=root).exit_code == 0
