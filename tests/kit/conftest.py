"""Runs single tests of contract suites on parts that are made for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from hookctl.kit.contracts.part import PartContract
from hookctl.plugin import hookimpl

RunContract = Callable[..., None]


@pytest.fixture
def run_contract(request: pytest.FixtureRequest) -> RunContract:
    """``run_contract(AuthContract, "test_it_authenticates", part, settings={...})`` runs one test of the suite."""

    def run(suite: type[PartContract], test: str, part: Any, **attributes: Any) -> None:
        plugin = ModuleType(f"plugin_{id(part)}")
        setattr(plugin, suite.hook, hookimpl(specname=suite.hook)(lambda: [part]))
        name = getattr(part, "scheme", None) or part.name
        made = type("Suite", (suite,), {"plugin": plugin, "name": name, **attributes})()
        method = getattr(made, test)
        method(*(request.getfixturevalue(name) for name in inspect.signature(method).parameters))

    return run


@pytest.fixture
def tests_of() -> Callable[[type], set[str]]:
    """Gives the names of a suite's tests."""
    return lambda suite: {name for name in dir(suite) if name.startswith("test_")}
