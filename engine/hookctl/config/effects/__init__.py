"""The effects of a plan: changed requests, data that is newly sent, and events that go elsewhere."""

from hookctl.config.effects.events import Matching, Recent
from hookctl.config.effects.find import ChangeEffects, Effects, Surroundings, find_effects
from hookctl.config.effects.healing import Chance, Find, Group, Healing, Tried
from hookctl.config.effects.outcomes import Outcomes
from hookctl.config.effects.payload import Break, Payload
from hookctl.config.effects.requests import RequestChange, Requests
from hookctl.config.effects.retries import Retries
from hookctl.config.effects.targets import Leaving
from hookctl.config.effects.types import TypeEffects
from hookctl.config.effects.waiting import Waiting

__all__ = [
    "Break",
    "Chance",
    "ChangeEffects",
    "Effects",
    "Find",
    "Group",
    "Healing",
    "Leaving",
    "Matching",
    "Outcomes",
    "Payload",
    "Recent",
    "RequestChange",
    "Requests",
    "Retries",
    "Surroundings",
    "Tried",
    "TypeEffects",
    "Waiting",
    "find_effects",
]
