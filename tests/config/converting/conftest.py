"""What tests of imports share."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
import yaml

from hookctl.config.converting.draft import Draft
from hookctl.config.converting.vault import Vault
from hookctl.config.converting.writing import write
from hookctl.model import Finding
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins


class Made(NamedTuple):
    """What an import made."""

    webhooks: list[dict[str, object]]
    """The fields of each webhook."""
    findings: list[Finding]
    text: str
    """The text of all files."""

    @property
    def errors(self) -> list[str]:
        return [finding.message for finding in self.findings if finding.is_error]


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    return load_plugins()


@pytest.fixture
def made(plugins: Plugins) -> Callable[..., Made]:
    """``made(drafts, vault)`` is what is written of drafts."""

    def make(drafts: list[Draft], vault: Vault) -> Made:
        files, findings = write(drafts, vault, plugins)
        return Made([yaml.safe_load(file.text) for file in files], findings, "".join(file.text for file in files))

    return make
