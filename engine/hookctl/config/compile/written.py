"""The fields that an author would write for a delivery plan: the reverse of ``compile_webhook``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hookctl.model import BodyFormat, DeliveryPlan, Json, PluginBlock, canonical_json
from hookctl.model.quantities import duration_text, rate_text
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import AuthType, TransportType, ValidatorType

AS_COMPILED = (
    "name",
    "method",
    "url",
    "when",
    "body_template",
    "timeout_seconds",
    "custom_validation_error_message",
    "description",
    "protected",
    "max_in_flight",
)
"""Fields that a file writes as a delivery plan does."""


def written_fields(plan: DeliveryPlan, plugins: Plugins) -> dict[str, Json]:
    """The fields of a webhook that compiles to ``plan``, if such a webhook exists.

    A delivery plan that was not compiled from a webhook can contain anything. Its fields then fail ``check``, or
    compile to another delivery plan. A value that no file can express is left as it is.
    """
    fields: dict[str, Json] = {name: getattr(plan, name) for name in AS_COMPILED}
    fields["event"] = plan.events[0] if len(plan.events) == 1 else list(plan.events)
    fields["body_format"] = None if plan.body_format is BodyFormat.JSON else plan.body_format.value
    fields["form"] = None if plan.form is None else dict(plan.form)
    fields["status"] = plan.status.value
    fields["headers"] = dict(plan.headers)
    fields["labels"] = dict(plan.labels)
    fields["outcomes"] = dict(plan.outcomes) or None
    fields["auth"] = [_block(block, plugins.auth) for block in plan.auth] or None
    fields["transport"] = _block(plan.transport, plugins.transports) if plan.transport else None
    fields["response_validators"] = [_block(block, plugins.validators) for block in plan.response_validators] or None
    fields["retry"] = {"schedule": [_quantity(delay, duration_text) for delay in plan.retry_schedule]}
    fields["rate_limit"] = None if plan.rate_limit is None else _quantity(plan.rate_limit, rate_text)
    return {name: value for name, value in fields.items() if value is not None}


def _quantity(number: float, write: Callable[[float], str]) -> Json:
    try:
        return write(number)
    except ValueError:
        return number


Types = Mapping[str, AuthType] | Mapping[str, TransportType] | Mapping[str, ValidatorType]


def _block(block: PluginBlock, types: Types) -> Json:
    """A plugin's block without its defaults. Compiling adds them, and its schema may not accept them written out."""
    schema = types[block.type].schema if block.type in types else {}
    properties, required = schema.get("properties"), schema.get("required")
    defaults = {
        name: part["default"]
        for name, part in (properties.items() if isinstance(properties, dict) else ())
        if isinstance(part, dict) and "default" in part and not (isinstance(required, list) and name in required)
    }
    settings = dict(block.settings)
    for name, default in defaults.items():
        if name in settings and canonical_json(settings[name]) == canonical_json(default):
            del settings[name]
    return {**settings, "type": block.type}
