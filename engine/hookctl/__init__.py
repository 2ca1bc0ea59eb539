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

To store events, which ``hookctl run`` then delivers::

    with hookctl.open_queue("sqlite:///.hookctl/hookctl.db") as queue:
        done = queue.enqueue([{"id": "evt_1", "event_type": "anomaly", "event_time": 1760000000.0, "data": {}}])
        print(done.accepted, done.seen_before, done.rejected)

Plugin authors import ``hookctl.plugin`` instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookctl._version import __version__

if TYPE_CHECKING:
    from hookctl.config.directory import CheckedDirectory, check_directory
    from hookctl.config.review import Options, Review, review, review_files
    from hookctl.delivery.event_queue import Enqueued, EventQueue, RejectedEvent, enqueue, open_queue
    from hookctl.delivery.rehearsal.trial import Trial, send_tests
    from hookctl.delivery.runner.retention import StoreLimits
    from hookctl.errors import HookctlError, IntakeRefusedError, InvalidFilesError
    from hookctl.model import AppliedState, Finding, Plan
    from hookctl.plugin.calls import Plugins
    from hookctl.plugin.host import load_plugins
    from hookctl.report.text.plan import plan_json
    from hookctl.report.text.trials import trials_json
    from hookctl.store.opening import open_store

__all__ = [
    "AppliedState",
    "CheckedDirectory",
    "Enqueued",
    "EventQueue",
    "Finding",
    "HookctlError",
    "IntakeRefusedError",
    "InvalidFilesError",
    "Options",
    "Plan",
    "Plugins",
    "RejectedEvent",
    "Review",
    "StoreLimits",
    "Trial",
    "__version__",
    "check_directory",
    "enqueue",
    "load_plugins",
    "open_queue",
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
    "Enqueued": "hookctl.delivery.event_queue",
    "EventQueue": "hookctl.delivery.event_queue",
    "Finding": "hookctl.model",
    "HookctlError": "hookctl.errors",
    "IntakeRefusedError": "hookctl.errors",
    "InvalidFilesError": "hookctl.errors",
    "Options": "hookctl.config.review",
    "Plan": "hookctl.model",
    "Plugins": "hookctl.plugin.calls",
    "RejectedEvent": "hookctl.delivery.event_queue",
    "Review": "hookctl.config.review",
    "StoreLimits": "hookctl.delivery.runner.retention",
    "Trial": "hookctl.delivery.rehearsal.trial",
    "check_directory": "hookctl.config.directory",
    "enqueue": "hookctl.delivery.event_queue",
    "load_plugins": "hookctl.plugin.host",
    "open_queue": "hookctl.delivery.event_queue",
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
