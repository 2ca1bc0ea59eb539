"""Why webhooks and deliveries are held, and what ends it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from hookctl.model import Delivery, DeliveryStatus
from hookctl.model.quantities import counted
from hookctl.report.text.printable import printable
from hookctl.store.records import Hold, Stopped

HOW_TO_CONTINUE = "To see why webhooks are held, and how to continue: hookctl list"


def resume_command(webhook: str) -> str:
    """The command that ends the hold of a webhook."""
    return f"hookctl deliveries resume {argument(webhook)}"


def argument(webhook: str) -> str:
    """The name of a webhook as an argument of a command; in quotes if it contains a space."""
    name = printable(webhook)
    return f'"{name}"' if " " in name else name


def also_ends(hold: Hold) -> str:
    """What else ends a hold, as a sentence."""
    if not hold.plan:
        return "The next apply ends the hold too."
    secret = "when one of its secrets changes, or " if hold.secrets else ""
    return f"The hold also ends {secret}with an apply that changes the webhook."


def hold_text(stopped: Stopped) -> str:
    """Why a webhook is held, and what ends the hold; empty if only some of its deliveries are held."""
    if stopped.hold is None:
        return ""
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(stopped.hold.since))
    waiting = f"; {counted(stopped.deliveries, 'delivery waits', 'deliveries wait')}" if stopped.deliveries else ""
    return (
        f"{printable(stopped.webhook)} has been held since {since}: {printable(stopped.hold.reason)}{waiting}. "
        f"When the cause is fixed: {resume_command(stopped.webhook)}. {also_ends(stopped.hold)}"
    )


def how_to_release(deliveries: Iterable[Delivery], holds: Mapping[str, Hold]) -> list[str]:
    """For each webhook with held deliveries among these: what makes them due again."""
    held = dict.fromkeys(delivery.webhook for delivery in deliveries if delivery.status is DeliveryStatus.HELD)
    lines = []
    for webhook in held:
        name = printable(webhook)
        if hold := holds.get(webhook):
            lines.append(f"To send the held deliveries of {name}: {resume_command(webhook)}. {also_ends(hold)}")
        else:
            lines.append(f"Held deliveries of {name}: an apply that makes the webhook active sends them.")
    return lines
