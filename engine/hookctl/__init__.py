"""hookctl: outbound webhooks as code.

What an embedder needs to check and plan a directory of webhook files, as ``hookctl plan`` does::

    import hookctl

    plugins = hookctl.load_plugins()  # what could not be loaded is in plugins.failures
    checked = hookctl.check_directory(Path("webhooks.d"), plugins)
    if checked.valid:
        plan = hookctl.plan_directory(checked, hookctl.AppliedState(), hookctl.tool_versions(plugins))

Plugin authors import ``hookctl.plugin`` instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookctl._version import __version__

if TYPE_CHECKING:
    from hookctl.config.directory import Checked, check_directory
    from hookctl.config.review import plan_directory, tool_versions
    from hookctl.errors import HookctlError
    from hookctl.model import AppliedState, Finding, Plan
    from hookctl.plugin.calls import Plugins
    from hookctl.plugin.host import load_plugins

__all__ = [
    "AppliedState",
    "Checked",
    "Finding",
    "HookctlError",
    "Plan",
    "Plugins",
    "__version__",
    "check_directory",
    "load_plugins",
    "plan_directory",
    "tool_versions",
]

_HOMES = {
    "AppliedState": "hookctl.model",
    "Checked": "hookctl.config.directory",
    "Finding": "hookctl.model",
    "HookctlError": "hookctl.errors",
    "Plan": "hookctl.model",
    "Plugins": "hookctl.plugin.calls",
    "check_directory": "hookctl.config.directory",
    "load_plugins": "hookctl.plugin.host",
    "plan_directory": "hookctl.config.review",
    "tool_versions": "hookctl.config.review",
}


def __getattr__(name: str) -> object:
    """The public name, imported when it is first asked for: every command imports this package, and few need all of it."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'hookctl' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
