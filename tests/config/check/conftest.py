"""Fixtures of the checks: every installed plugin, and a text's findings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hookctl.config.check import WebhookChecker, check_names
from hookctl.config.load import load_text
from hookctl.model import Finding, in_order
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    return load_plugins()


@pytest.fixture(scope="session")
def check(plugins: Plugins) -> Callable[..., list[Finding]]:
    """``check(text, ...)`` gives the findings of files with these texts, called ``a.yaml``, ``b.yaml``, ...

    Without warnings that comments ignore. ``plugins=`` replaces the built-in plugins.
    """

    def findings(*texts: str, plugins: Plugins = plugins) -> list[Finding]:
        loaded = [load_text(f"{name}.yaml", text) for name, text in zip("abcdefgh", texts, strict=False)]
        webhooks = [webhook for one in loaded for webhook in one.webhooks]
        checker = WebhookChecker(plugins)
        by_themselves = [one for webhook in webhooks for one in checker.check(webhook) if not one.ignored]
        return in_order(
            [*(finding for one in loaded for finding in one.findings), *by_themselves, *check_names(webhooks)]
        )

    return findings
