"""The catalogue of rules: every rule that a finding can name. ``hookctl explain`` and docs/rules.md are made from it."""

from __future__ import annotations

from hookctl.model.rules.fields import FIELD_RULES
from hookctl.model.rules.files import FILE_RULES
from hookctl.model.rules.plans import PLAN_RULES
from hookctl.model.rules.rule import Rule
from hookctl.model.rules.texts import TEXT_RULES
from hookctl.model.rules.urls import URL_RULES

RULES = {rule.id: rule for rule in (*FILE_RULES, *FIELD_RULES, *URL_RULES, *TEXT_RULES, *PLAN_RULES)}
"""Every rule by its id, in the order in which people meet them: files, YAML, fields, URLs, templates and conditions, plans."""

__all__ = ["RULES", "Rule"]
