"""Every rule, and the checks of the rules that have their own module in ``hookctl.config.check.rules``."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType

from hookctl.config.check import rules
from hookctl.config.check.notes import Notes
from hookctl.model.rules import fields, files, plans, texts, urls
from hookctl.model.rules.rule import Rule
from hookctl.plugin.calls import Plugins

Check = Callable[[Notes, Plugins], None]

_MODULES = [
    import_module(f"{rules.__name__}.{name}")
    for name in sorted(found.name for found in pkgutil.iter_modules(rules.__path__))
]


def _rules_of(module: ModuleType) -> Iterator[Rule]:
    return (value for value in vars(module).values() if isinstance(value, Rule))


_SUBJECTS = {
    "Files": [files],
    "Fields": [fields],
    "Headers and secrets": _MODULES,
    "URLs": [urls],
    "Templates and conditions": [texts],
    "Plans": [plans],
}
RULES = {rule.id: rule for modules in _SUBJECTS.values() for module in modules for rule in _rules_of(module)}
"""Every rule by its ID, in the order in which users meet them: files, fields, URLs, templates and conditions, plans."""
_SUBJECT_OF = {
    rule.id: subject
    for subject, modules in reversed(_SUBJECTS.items())  # a module imports rules of others: the first subject counts
    for module in modules
    for rule in _rules_of(module)
}
GROUPS = {subject: [rule for rule in RULES.values() if _SUBJECT_OF[rule.id] == subject] for subject in _SUBJECTS}
"""The rules by subject, in the same order."""
CHECKS: list[Check] = [module.check for module in _MODULES]
"""The checks of one webhook, in the order of their modules' names."""
