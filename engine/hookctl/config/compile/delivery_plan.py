"""Compiles one webhook into one delivery plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from hookctl.model import BodyFormat, DeliveryPlan, Json, PluginBlock, Status, Webhook
from hookctl.model.quantities import canonical_number, per_second, seconds
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import DEFAULT_VALIDATOR, AuthType, TransportType, ValidatorType

DEFAULT_METHOD = "POST"
DEFAULT_TIMEOUT = 15
DEFAULT_SCHEDULE: tuple[Json, ...] = ("5s", "5m", "30m", "2h", "5h", "10h", "10h")


def compile_webhook(webhook: Webhook, plugins: Plugins) -> DeliveryPlan:
    """The delivery plan of a webhook in which ``check`` has found no error.

    Webhooks with the same meaning give the same plan, regardless of the order of keys, the spelling of numbers, and
    written-out defaults. Durations become seconds, rates become deliveries per second, secret references stay as
    written.
    """
    fields = webhook.fields
    transport = fields.get("transport")
    retry = cast("Mapping[str, Json]", fields.get("retry") or {})
    rate = cast("str | None", fields.get("rate_limit"))
    at_once = cast("float | None", fields.get("max_in_flight"))
    return DeliveryPlan(
        name=webhook.name,
        events=_events(fields["event"]),
        status=Status(cast("str", fields.get("status", Status.ACTIVE.value))),
        method=cast("str", fields.get("method", DEFAULT_METHOD)),
        url=cast("str", fields["url"]),
        headers=_texts(fields.get("headers")),
        auth=tuple(_block(block, plugins.auth) for block in _blocks(fields.get("auth"))),
        transport=_block(cast("dict[str, Json]", transport), plugins.transports) if transport else None,
        when=cast("str | None", fields.get("when")),
        body_template=_lines(cast("str | None", fields.get("body_template"))),
        timeout_seconds=canonical_number(cast("float", fields.get("timeout_seconds", DEFAULT_TIMEOUT))),
        response_validators=tuple(
            _block(block, plugins.validators, DEFAULT_VALIDATOR) for block in _blocks(fields.get("response_validators"))
        ),
        custom_validation_error_message=cast("str | None", fields.get("custom_validation_error_message")),
        retry_schedule=tuple(
            seconds(cast("str", delay)) for delay in cast("list[Json]", retry.get("schedule", DEFAULT_SCHEDULE))
        ),
        rate_limit=per_second(rate) if rate is not None else None,
        description=cast("str | None", fields.get("description")),
        labels=_texts(fields.get("labels")),
        protected=bool(fields.get("protected", False)),
        body_format=BodyFormat(cast("str", fields.get("body_format", BodyFormat.JSON.value))),
        form=_form(fields.get("form")),
        max_in_flight=int(at_once) if at_once is not None else None,  # JSON Schema accepts 4.0 as an integer
        outcomes=_texts(fields.get("outcomes")),
    )


def _events(value: Json) -> tuple[str, ...]:
    return tuple(sorted(set(cast("list[str]", value)))) if isinstance(value, list) else (cast("str", value),)


def _blocks(value: Json) -> list[dict[str, Json]]:
    """A plugin's block, or a list of them, as a list."""
    if value is None:
        return []
    return cast("list[dict[str, Json]]", value if isinstance(value, list) else [value])


def _block(
    block: dict[str, Json],
    types: Mapping[str, AuthType] | Mapping[str, TransportType] | Mapping[str, ValidatorType],
    default: str = "",
) -> PluginBlock:
    name = cast("str", block.get("type", default))
    properties = cast("Mapping[str, Mapping[str, Json]]", types[name].schema.get("properties", {}))
    settings = {key: schema["default"] for key, schema in properties.items() if "default" in schema} | block
    settings.pop("type", None)
    kind = types[name]
    if isinstance(kind, AuthType) and kind.expand is not None:
        settings = dict(kind.expand(settings))
    return PluginBlock(name, {key: _canonical(settings[key]) for key in sorted(settings)})


def _canonical(value: Json) -> Json:
    """The JSON value in its canonical form: sorted keys, canonical numbers."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {key: _canonical(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return canonical_number(value) if isinstance(value, float) else value


def _texts(value: Json) -> dict[str, str]:
    return dict(sorted(cast("dict[str, str]", value or {}).items()))


def _form(value: Json) -> dict[str, str] | None:
    return None if value is None else {name: _lines(text) or "" for name, text in _texts(value).items()}


def _lines(text: str | None) -> str | None:
    """Saving a file with other line endings does not change its delivery plan."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if text is not None else None
