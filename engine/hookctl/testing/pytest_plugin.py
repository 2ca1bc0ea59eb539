"""A pytest plugin for authors of hookctl plugins.

Put ``pytest_plugins = ["hookctl.testing.pytest_plugin"]`` into the top ``conftest.py``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hookctl.testing.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real HTTPS receiver on loopback that runs during the test. Connect to it through ``receiver.network()``."""
    with Receiver() as running:
        yield running
