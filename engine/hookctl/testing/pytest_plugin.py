"""A pytest plugin for authors of hookctl plugins: ``pytest_plugins = ["hookctl.testing.pytest_plugin"]`` in the top ``conftest.py``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hookctl.testing.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real HTTPS receiver on loopback, running for the time of the test; reach it through ``receiver.network()``."""
    with Receiver() as running:
        yield running
