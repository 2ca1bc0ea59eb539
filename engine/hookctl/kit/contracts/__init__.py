"""Test suites to inherit from, one for each kind of part that a plugin can add and that has a contract to keep.

::

    class TestQueryKey(AuthContract):
        plugin = hookctl_acme
        name = "query_key"
        settings = {"parameter": "key", "key": "k-1"}
        refused = ({"parameter": "Not A Name", "key": "k-1"},)

pytest collects the class with every test of the suite. hookctl's own parts run the same suites.
"""

from hookctl.kit.contracts.auth import AuthContract
from hookctl.kit.contracts.event_type import EventTypeContract
from hookctl.kit.contracts.report_format import FormatContract
from hookctl.kit.contracts.secret_source import SecretSourceContract
from hookctl.kit.contracts.transport import TransportContract
from hookctl.kit.contracts.validator import ValidatorContract

__all__ = [
    "AuthContract",
    "EventTypeContract",
    "FormatContract",
    "SecretSourceContract",
    "TransportContract",
    "ValidatorContract",
]
