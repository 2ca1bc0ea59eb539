"""The failure of an attempt that is abandoned because something did not return."""

from __future__ import annotations

from collections.abc import Iterator

from hookctl.delivery.attempt.exchange import Exchange
from hookctl.delivery.attempt.failures import named
from hookctl.model import Failure, FailureKind
from hookctl.model.secret import plan_references
from hookctl.plugin.calls import Plugins

MESSAGES = {
    FailureKind.SECRET: "a secret source did not answer in time",
    FailureKind.TOKEN: "auth did not finish in time",
    FailureKind.TIMEOUT: "the transport missed its deadline and was abandoned",
    FailureKind.PLUGIN: "the response validators did not finish in time",
}
"""The message by the attempt's stage."""


def failure_of_overdue(exchange: Exchange, plugins: Plugins) -> Failure:
    """The failure of an attempt whose stage is overdue. Its message names the third-party code that may hang."""
    stage = exchange.stage
    suspects = sorted({named(plugins, *part) for part in _parts(exchange) if part in plugins.third_party})
    message = MESSAGES[stage]
    if stage is FailureKind.SECRET and not plan_references(exchange.job.plan):
        message = "the request was not prepared in time"
    return Failure(stage, f"{message} ({', '.join(suspects)})" if suspects else message)


def _parts(exchange: Exchange) -> Iterator[tuple[str, str]]:
    """The parts of plugins that the current stage calls, as in ``Plugins.origins``."""
    plan = exchange.job.plan
    if exchange.stage is FailureKind.SECRET:
        yield from (("secret source", reference.scheme) for reference in plan_references(plan))
    if exchange.stage in {FailureKind.SECRET, FailureKind.TOKEN}:
        yield from (("auth", block.type) for block in plan.auth)
    if exchange.stage is FailureKind.TIMEOUT and plan.transport is not None:
        yield "transport", plan.transport.type
    if exchange.stage is FailureKind.PLUGIN:
        yield from (("validator", block.type) for block in plan.response_validators)
