"""What a plan means: the requests that it changes, what leaves for where, which events go elsewhere. Pure: nothing is sent or resolved."""

from hookctl.effects.events import Matching, Recent
from hookctl.effects.find import ChangeEffects, Effects, Surroundings, find_effects
from hookctl.effects.payload import Break, Payload
from hookctl.effects.requests import RequestChange, Requests
from hookctl.effects.retries import Retries
from hookctl.effects.targets import Leaving
from hookctl.effects.waiting import Waiting

__all__ = [
    "Break",
    "ChangeEffects",
    "Effects",
    "Leaving",
    "Matching",
    "Payload",
    "Recent",
    "RequestChange",
    "Requests",
    "Retries",
    "Surroundings",
    "Waiting",
    "find_effects",
]
