"""Who may do what: tokens and browser sessions, scopes, and the checks that every request passes."""

from hookctl.serve.access.control import AccessControl, csrf_field
from hookctl.serve.access.form import form_of
from hookctl.serve.access.identity import Identity, Scope
from hookctl.serve.access.requirements import check_declared, public, required_scope, requires
from hookctl.serve.access.rules import Access

__all__ = [
    "Access",
    "AccessControl",
    "Identity",
    "Scope",
    "check_declared",
    "csrf_field",
    "form_of",
    "public",
    "required_scope",
    "requires",
]
