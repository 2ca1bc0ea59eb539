"""Every rule, and the checks of the rules that have their own module in ``hookctl.config.check.rules``."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from hookctl.config.check import rules
from hookctl.config.check.notes import Notes
from hookctl.errors import HookctlError
from hookctl.model import Severity
from hookctl.model.rules import (
    conversions,
    event_types,
    fields,
    files,
    ignores,
    imports,
    plans,
    sharing,
    texts,
    urls,
)
from hookctl.model.rules.rule import Rule
from hookctl.plugin.calls import Plugins

Check = Callable[[Notes, Plugins], None]


def _load(name: str) -> ModuleType:
    """A module of ``hookctl.config.check.rules``. Raises HookctlError, which names its file, if it cannot be used."""
    full = f"{rules.__name__}.{name}"
    try:
        module = import_module(full)
    except Exception as error:  # whatever a new rule file raises
        spec = find_spec(full)
        message = f"the rule file {spec.origin if spec else full} raised {type(error).__name__}: {error}"
        raise HookctlError(message, hint="Fix the file, or remove it.") from error
    if not callable(getattr(module, "check", None)):
        raise HookctlError(f"the rule file {module.__file__} has no function check", hint="Add check(notes, plugins).")
    return module


def _rules_of(module: ModuleType) -> list[Rule]:
    return [value for value in vars(module).values() if isinstance(value, Rule)]


def _by_id(modules: Iterable[ModuleType]) -> dict[str, Rule]:
    """The rules that are constants of these modules. Raises HookctlError if two of them have one ID."""
    found: dict[str, tuple[Rule, ModuleType]] = {}
    for module in modules:
        for rule in _rules_of(module):
            other, home = found.setdefault(rule.id, (rule, module))
            if other is not rule:
                message = f"two rules have the ID {rule.id!r}: in {home.__file__} and in {module.__file__}"
                raise HookctlError(message, hint="Rename one of them.")
    return {name: rule for name, (rule, _) in found.items()}


_MODULES = [_load(name) for name in sorted(found.name for found in pkgutil.iter_modules(rules.__path__))]
_OF_FILES: dict[str, Sequence[ModuleType]] = {
    "Files": [files],
    "Fields": [fields],
    "Headers, secrets and outcomes": _MODULES,
    "URLs": [urls],
    "Templates and conditions": [texts],
    "Shared settings": [sharing],
    "Event types": [event_types],
}
_SUBJECTS = {
    **_OF_FILES,
    "Imports": [imports, conversions],
    "Ignored warnings": [ignores],
    "Plans": [plans],
}
RULES = _by_id(module for modules in _SUBJECTS.values() for module in modules)
"""Every rule by its ID, in the order in which users meet them: files, fields, URLs, templates and conditions, plans."""
_SUBJECT_OF = {
    rule.id: subject
    for subject, modules in reversed(_SUBJECTS.items())  # a module imports rules of others: the first subject counts
    for module in modules
    for rule in _rules_of(module)
}
GROUPS = {subject: [rule for rule in RULES.values() if _SUBJECT_OF[rule.id] == subject] for subject in _SUBJECTS}
"""The rules by subject, in the same order."""
IGNORABLE = frozenset(
    rule.id
    for modules in _OF_FILES.values()
    for module in modules
    for rule in _rules_of(module)
    if rule.severity is Severity.WARNING or rule.is_sometimes_a_warning
)
"""The IDs of rules that a comment in a file may ignore."""
CHECKS: list[Check] = [module.check for module in _MODULES]
"""The checks of one webhook, in the order of their modules' names."""
