"""``hookctl explain``: what a rule means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hookctl.cli.echo import echo
from hookctl.model.nearest import nearest

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EXAMPLES = """
\b
Examples:
  hookctl explain                           list every rule
  hookctl explain secret-literal            why it is refused, and what to write
"""


@click.command("explain", epilog=EXAMPLES)
@click.argument("rule", required=False)
@click.pass_obj
def command(session: Session, rule: str | None) -> None:
    """Explain RULE, which a finding names; without it, list every rule. A policy is explained by its name."""
    from hookctl.config.check.catalogue import RULES
    from hookctl.report.formats.annotations import POLICY_PREFIX
    from hookctl.report.text.rules import policy_text, rule_text, rules_text

    if rule is None:
        echo(rules_text(), nl=False)
    elif rule in RULES:
        echo(rule_text(RULES[rule], color=session.color), nl=False, color=session.color)
    elif (name := rule.removeprefix(POLICY_PREFIX)) in (policies := session.plugins.policies):
        echo(policy_text(policies[name], color=session.color), nl=False, color=session.color)
    else:
        near = nearest(rule, [*RULES, *policies])
        meant = f" Did you mean {' or '.join(near)}?" if near else " `hookctl explain` lists them all."
        raise click.BadParameter(f"there is no rule {rule!r}.{meant}", param_hint="RULE")
