"""hookctl: outbound webhooks as code.

The API for embedders, to review a directory of webhook files as ``hookctl plan`` does and to send test events::

    import hookctl

    plugins = hookctl.load_plugins()  # plugins.failures lists those that cannot be loaded
    store = hookctl.open_store("sqlite:///.hookctl/hookctl.db", create=False)  # None if nothing has been applied
    try:
        review = hookctl.review(Path("webhooks.d"), plugins, store)
    except hookctl.InvalidFilesError as error:
        for finding in error.findings:
            print(finding.message)
    else:
        print(*hookctl.plan_json(review), sep="")  # the output of `hookctl plan --format json`

Plugin authors import ``hookctl.plugin`` instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookctl._version import __version__

if TYPE_CHECKING:
    from hookctl.config.directory import CheckedDirectory, check_directory
    from hookctl.config.review import Options, Review, review, review_files
    from hookctl.delivery.rehearsal.trial import Trial, send_tests
    from hookctl.errors import HookctlError, InvalidFilesError
    from hookctl.model import AppliedState, Finding, Plan
    from hookctl.plugin.calls import Plugins
    from hookctl.plugin.host import load_plugins
    from hookctl.report.text.plan import plan_json
    from hookctl.report.text.trials import trials_json
    from hookctl.store.opening import open_store

__all__ = [
    "AppliedState",
    "CheckedDirectory",
    "Finding",
    "HookctlError",
    "InvalidFilesError",
    "Options",
    "Plan",
    "Plugins",
    "Review",
    "Trial",
    "__version__",
    "check_directory",
    "load_plugins",
    "open_store",
    "plan_json",
    "review",
    "review_files",
    "send_tests",
    "trials_json",
]

_HOMES = {
    "AppliedState": "hookctl.model",
    "CheckedDirectory": "hookctl.config.directory",
    "Finding": "hookctl.model",
    "HookctlError": "hookctl.errors",
    "InvalidFilesError": "hookctl.errors",
    "Options": "hookctl.config.review",
    "Plan": "hookctl.model",
    "Plugins": "hookctl.plugin.calls",
    "Review": "hookctl.config.review",
    "Trial": "hookctl.delivery.rehearsal.trial",
    "check_directory": "hookctl.config.directory",
    "load_plugins": "hookctl.plugin.host",
    "open_store": "hookctl.store.opening",
    "plan_json": "hookctl.report.text.plan",
    "review": "hookctl.config.review",
    "review_files": "hookctl.config.review",
    "send_tests": "hookctl.delivery.rehearsal.trial",
    "trials_json": "hookctl.report.text.trials",
}


def __getattr__(name: str) -> object:
    """The public object ``name``, imported on first use: every command imports this package, and few need all of it."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'hookctl' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
