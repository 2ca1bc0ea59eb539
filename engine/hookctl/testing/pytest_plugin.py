"""A pytest plugin for authors of hookctl plugins.

To enable it, write ``pytest_plugins = ["hookctl.testing.pytest_plugin"]`` in the top-level ``conftest.py``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hookctl.testing.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real HTTPS receiver on loopback, which runs during the test. ``receiver.network()`` reaches it."""
    with Receiver() as running:
        yield running
