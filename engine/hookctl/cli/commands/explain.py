"""``hookctl explain``: what a rule, a policy or an error means, and the pages of the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hookctl.cli.completion import topics_and_rules
from hookctl.cli.echo import echo
from hookctl.cli.terminal import text_width
from hookctl.model.nearest import nearest

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EXAMPLES = """
\b
Examples:
  hookctl explain                           list every rule, policy and page
  hookctl explain secret-literal            why it is refused, and what to write
  hookctl explain event-schema              an error of `hookctl send` or of the API
  hookctl explain settings                  the page about hookctl.toml
"""


@click.command("explain", epilog=EXAMPLES)
@click.argument("topic", required=False, shell_complete=topics_and_rules)
@click.pass_obj
def command(session: Session, topic: str | None) -> None:
    """Explain TOPIC: a rule that a finding names, a policy, an error of events or of the API, or a page.

    Without TOPIC, list them all. Upper and lower case are the same.
    """
    session.tolerant = True
    from hookctl.cli.pages import page, topics
    from hookctl.config.check.catalog import RULES
    from hookctl.delivery.events.rules import EVENT_RULES
    from hookctl.model.api_problems import PREFIX, PROBLEMS
    from hookctl.report.formats.annotations import POLICY_PREFIX
    from hookctl.report.text.columns import paragraph
    from hookctl.report.text.page import page_text
    from hookctl.report.text.printable import printable
    from hookctl.report.text.rules import answer_text, policy_text, rule_text, rules_text

    width, color, pages = text_width(), session.color, topics()
    if topic is None:
        listed = printable(", ".join(sorted(session.plugins.policies)))
        for line in (
            rules_text(width=width, color=color),
            paragraph(f"Policies: {listed}", width),
            paragraph(f"Errors of events: {', '.join(EVENT_RULES)}", width),
            paragraph(f"Problems of the API: {', '.join(PROBLEMS)}", width),
            paragraph(f"Pages: {', '.join(pages)}", width),
            paragraph("`hookctl explain TOPIC` shows one of them.", width),
        ):
            echo(line, color=color)
        return
    own = {name.casefold(): name for name in (*pages, *RULES, *EVENT_RULES, *PROBLEMS)}  # found without loading plugins
    name = own.get(topic.casefold().removeprefix(PREFIX), "")
    if name in RULES:
        text = rule_text(RULES[name], width=width, color=color)
    elif name in EVENT_RULES or name in PROBLEMS:
        text = answer_text(name, width=width, color=color)
    elif name:
        text = page_text(page(name), pages, width=width, color=color)
    else:
        policies = session.plugins.policies
        wanted = topic.removeprefix(POLICY_PREFIX)
        folded = {name.casefold(): name for name in policies}
        name = wanted if wanted in policies else folded.get(wanted.casefold(), "")
        if not name:
            near = nearest(topic, [*RULES, *policies, *EVENT_RULES, *PROBLEMS, *pages])
            meant = f"Did you mean {' or '.join(near)}?" if near else "`hookctl explain` lists them all."
            raise click.BadParameter(f"there is no rule, policy or page {topic!r}. {meant}", param_hint="TOPIC")
        text = policy_text(policies[name], width=width, color=color)
    echo(text, nl=False, color=color, fit=False)
