"""What ``import hookctl`` promises."""

from __future__ import annotations

import subprocess
import sys

import hookctl


def test_public_names_are_these_and_no_others() -> None:
    assert hookctl.__all__ == [
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


def test_every_public_name_is_there() -> None:
    for name in hookctl.__all__:
        assert getattr(hookctl, name) is not None
        assert name in dir(hookctl)


def test_another_name_is_an_attribute_error() -> None:
    assert not hasattr(hookctl, "pipelines")


def test_importing_hookctl_imports_only_its_version() -> None:
    code = "import sys, hookctl; print(*sorted(name for name in sys.modules if name.startswith('hookctl')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == [
        "hookctl",
        "hookctl._version",
    ]
