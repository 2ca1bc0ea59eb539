"""Anomaly events for demonstrations, benchmarks and tests: random, valid, and the same for the same seed.

``python -m hookctl.testing.events 1000 > events.jsonl`` writes a thousand events, one JSON object per line.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from hookctl.model import Json

START = 1764000000.0
"""The time of the first event, in epoch seconds. It is constant, so that equal seeds give equal events."""
SEVERITIES = ("Low", "Medium", "High")
SEVERITY_WEIGHTS = (6, 3, 1)
STATUSES = ("Pending", "Approved", "Rejected", "Active", "Revoked")
FIRST_NAMES = ("Dana", "Noa", "Amir", "Lena", "José", "Mei", "Tomáš", "Ingrid", "Samuel", "Aoife", "Ólafur", "Zoë")
LAST_NAMES = ("Levi", "Cohen", "O'Brien", "García", "Novák", "Li", "Bergström", "Haddad", "Fischer", "Rossi")
FLOWS = (
    "Production databases",
    "On-call break-glass",
    "Billing read-only",
    "Kubernetes admins",
    "Data science sandbox",
)


@dataclass(frozen=True, slots=True)
class _Kind:
    title: str
    description: str
    recommendation: str | None


@dataclass(frozen=True, slots=True)
class _System:
    type: str
    names: tuple[str, ...]
    resource_type: str
    resources: tuple[str, ...]


KINDS = {
    "high_risk_request": _Kind(
        "High-risk request for {target}",
        '{name} asked for access to "{target}" outside of usual hours.',
        "Ask {name} to confirm the request, and revoke the access if it is not confirmed.",
    ),
    "approval_of_rejected_request": _Kind(
        "Request for {target} approved after it was rejected",
        'Another approver approved what had been rejected before: access of {name} to "{target}".',
        "Look at both decisions together with the approvers.",
    ),
    "request_from_inactive_user": _Kind(
        "Inactive user asked for {target}",
        "{name} had not asked for anything in the 180 days before.",
        "Check that the account still belongs to {name}.",
    ),
    "repetitive_automated_action": _Kind(
        "The same action on {target}, again and again",
        'The same access to "{target}" was asked for and revoked 40 times within an hour.\n'
        "A script does this, on behalf of {name}.",
        None,
    ),
}
SYSTEMS = (
    _System("postgresql", ("orders-production", "billing-production"), "database", ("orders", "customers", "invoices")),
    _System(
        "aws-account",
        ("aws-main", "aws-sandbox"),
        "role",
        ("AdministratorAccess", "ReadOnlyAccess", "s3://exports/2025"),
    ),
    _System("kubernetes", ("eu-west-1", "us-east-1"), "namespace", ("payments", "ingest", "kube-system")),
)


def generate(count: int, seed: int = 0) -> Iterator[dict[str, Json]]:
    """``count`` events of type ``anomaly``, about a second apart.

    The same seed gives the same events, including ids.
    """
    chance = random.Random(seed)  # noqa: S311 - nothing secret is made of it
    at = START
    for number in range(1, count + 1):
        at += chance.uniform(0.5, 1.5)
        yield _event(chance, number, round(at, 3))


def _event(chance: random.Random, number: int, at: float) -> dict[str, Json]:
    kind, words = chance.choice(list(KINDS.items()))
    system = chance.choice(SYSTEMS)
    integration = chance.choice(system.names)
    resource: Json = (
        {"id": _id(chance), "name": chance.choice(system.resources), "type": system.resource_type}
        if chance.random() < 0.9
        else None
    )
    name = f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)}"
    words_for = {"name": name, "target": resource["name"] if isinstance(resource, dict) else integration}
    data: dict[str, Json] = {
        "id": _id(chance),
        "type": kind,
        "severity": chance.choices(SEVERITIES, SEVERITY_WEIGHTS)[0],
        "title": words.title.format(**words_for),
        "description": words.description.format(**words_for),
        "recommendation": words.recommendation.format(**words_for) if words.recommendation else None,
        "detected_at": datetime.fromtimestamp(at - chance.uniform(0, 30), UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z"),
        "request": {"id": _id(chance), "friendly_id": f"AR-{100 + number}", "status": chance.choice(STATUSES)},
        "requester": {"id": _id(chance), "name": name, "email": f"user{chance.randrange(500)}@example.com"},
        "access_flow": {"id": _id(chance), "name": chance.choice(FLOWS)},
        "integration": {"id": _id(chance), "type": system.type, "name": integration},
        "resource": resource,
    }
    return {"id": f"evt_{_id(chance)}", "event_type": "anomaly", "event_time": at, "data": data}


def _id(chance: random.Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


def main(arguments: list[str]) -> None:
    """Write events to standard output. Arguments: ``COUNT [SEED]``.

    Invalid arguments end the program with a usage message.
    """
    from argparse import ArgumentParser

    parser = ArgumentParser(
        prog="python -m hookctl.testing.events", description="Write anomaly events, random and valid, as JSON lines."
    )
    parser.add_argument("count", nargs="?", type=int, default=1000, help="how many (default: %(default)s)")
    parser.add_argument(
        "seed", nargs="?", type=int, default=0, help="the same seed gives the same events (default: %(default)s)"
    )
    chosen = parser.parse_args(arguments)
    for event in generate(chosen.count, chosen.seed):
        sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
