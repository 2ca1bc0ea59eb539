"""Every rule, and the checks of the rules that have their own module in ``hookctl.config.check.rules``."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType

from hookctl.config.check import rules
from hookctl.config.check.notes import Notes
from hookctl.model import Severity
from hookctl.model.rules import fields, files, ignores, plans, texts, urls
from hookctl.model.rules.rule import Rule
from hookctl.plugin.calls import Plugins

Check = Callable[[Notes, Plugins], None]

_MODULES = [
    import_module(f"{rules.__name__}.{name}")
    for name in sorted(found.name for found in pkgutil.iter_modules(rules.__path__))
]


def _rules_of(module: ModuleType) -> Iterator[Rule]:
    return (value for value in vars(module).values() if isinstance(value, Rule))


_OF_FILES = (files, fields, *_MODULES, urls, texts)
RULES = {rule.id: rule for module in (*_OF_FILES, ignores, plans) for rule in _rules_of(module)}
"""Every rule by its ID, in the order in which users meet them: files, fields, URLs, templates and conditions, plans."""
IGNORABLE = frozenset(
    rule.id
    for module in _OF_FILES
    for rule in _rules_of(module)
    if rule.severity is Severity.WARNING or rule.is_sometimes_a_warning
)
"""The ids of rules that a comment in a webhook file may ignore."""
CHECKS: list[Check] = [module.check for module in _MODULES]
"""The checks of one webhook, in the order of their modules' names."""
