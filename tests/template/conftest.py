from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hookctl.model.problem import Problem
from hookctl.plugin import EventType, FilterType
from hookctl.template import check_body, compile_body


@pytest.fixture(scope="session")
def check(access: EventType) -> Callable[..., list[Problem]]:
    """Check a body against the event type; filters may be given."""

    def run(text: str, filters: dict[str, FilterType] | None = None) -> list[Problem]:
        return check_body(text, access, filters or {})

    return run


@pytest.fixture(scope="session")
def render(access: EventType) -> Callable[..., str]:
    """Render a body for the mock event, or for another ``data``."""

    def run(text: str, data: dict[str, Any] | None = None) -> str:
        document = access.mock if data is None else {**access.mock, "data": data}
        return compile_body(text, {}).render(document).decode()

    return run
