"""The pytest plugin of hookctl: fixtures for authors of plugins.

pytest finds it by its entry point wherever hookctl is installed, also in projects that have nothing to do with hookctl.
So it imports nothing of hookctl until a test uses a fixture, and all names begin with ``hookctl_``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hookctl.kit.project import Project
    from hookctl.testing.receiver import Receiver

pytest.register_assert_rewrite("hookctl.kit.contracts")


@pytest.fixture
def hookctl_receiver() -> Iterator[Receiver]:
    """A real HTTPS receiver on loopback, which runs during the test. ``hookctl_receiver.network()`` reaches it."""
    from hookctl.testing.receiver import Receiver

    with Receiver() as running:
        yield running


@pytest.fixture
def hookctl_project(tmp_path: Path, hookctl_receiver: Receiver) -> Callable[..., Project]:
    """``hookctl_project({"webhooks.d/a.yaml": "..."}, hookctl_acme)``: a project, and the plugins that it uses.

    The files are written into a new directory. Plugins are modules; installed ones need not be given. ``run("plan")``
    of the project runs a command in this process, and its requests reach ``receiver`` of the project.
    """
    from hookctl.kit.project import Project

    def make(files: Mapping[str, str], *plugins: object, env: Mapping[str, str] | None = None) -> Project:
        project = Project(tmp_path / "project", hookctl_receiver, plugins, dict(env or {}))
        project.write(files)
        return project

    return make
