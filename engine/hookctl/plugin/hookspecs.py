"""Every hook that a plugin can implement, each with an example that is complete.

A plugin is a module (or object) with functions that are named as below and marked with ``hookctl.plugin.hookimpl``.
hookctl finds it as an installed distribution with an entry point in the group ``hookctl``, or because ``hookctl.toml``
enables it as a module or as a single file. It calls each hook once, at start-up, without arguments. A hook returns the
parts that the plugin adds, as descriptions from ``hookctl.plugin``. Their names must be unique among all plugins.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

from hookctl.plugin.interfaces import (
    AuthType,
    EventType,
    FilterType,
    Observer,
    Policy,
    ReportFormat,
    SecretSource,
    StoreType,
    TransportType,
    ValidatorType,
)

if TYPE_CHECKING:
    import click

hookspec = pluggy.HookspecMarker("hookctl")


@hookspec
def hookctl_auth_types() -> Iterable[AuthType]:
    """Ways to authenticate a request, for the ``auth`` field. ``build`` returns a ``requests.auth.AuthBase``.

    Example::

        from hookctl.plugin import AuthType, hookimpl

        SETTINGS = {
            "type": "object",
            "required": ["token"],
            "additionalProperties": False,
            "properties": {"token": {"type": "string", "x-secret": True, "description": "The token."}},
        }

        def build(settings, context):
            from hookctl.model import reveal

            def auth(request):
                request.headers["X-Token"] = reveal(settings["token"])
                return request

            return auth

        @hookimpl
        def hookctl_auth_types():
            return [AuthType(name="token", summary="A token in a header.", schema=SETTINGS, build=build)]
    """
    raise NotImplementedError


@hookspec
def hookctl_transport_types() -> Iterable[TransportType]:
    """Ways to send a request, for the ``transport`` field. ``build`` returns a ``requests.adapters.BaseAdapter``.

    Example::

        from hookctl.plugin import TransportType, hookimpl

        def build(settings, network):
            from requests import Response
            from requests.adapters import BaseAdapter

            class Accepting(BaseAdapter):
                def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
                    response = Response()
                    response.status_code = 202
                    return response

                def close(self):
                    pass

            return Accepting()

        @hookimpl
        def hookctl_transport_types():
            schema = {"type": "object", "additionalProperties": False}
            return [TransportType(name="accepting", summary="Sends nothing.", schema=schema, build=build)]
    """
    raise NotImplementedError


@hookspec
def hookctl_validator_types() -> Iterable[ValidatorType]:
    """Checks on a response, for the ``response_validators`` field. ``build`` returns a function of the response.

    Example::

        from hookctl.model import Mismatch
        from hookctl.plugin import ValidatorType, hookimpl

        def label(settings):
            return "no_content"

        def build(settings):
            def validate(envelope):
                return [] if envelope.status == 204 else [Mismatch(label(settings), "the status is not 204")]

            return validate

        @hookimpl
        def hookctl_validator_types():
            schema = {"type": "object", "additionalProperties": False}
            return [
                ValidatorType(name="no_content", summary="Status 204.", schema=schema, build=build, label=label)
            ]
    """
    raise NotImplementedError


@hookspec
def hookctl_secret_sources() -> Iterable[SecretSource]:
    """Schemes of secret references, ``${scheme:key}``. ``resolve`` returns the secret of a key.

    Example::

        import os

        from hookctl.errors import SecretError
        from hookctl.plugin import SecretSource, hookimpl

        def resolve(key):
            secret = os.environ.get(f"TEAM_{key}")
            if secret is None:
                raise SecretError(f"there is no secret {key} of the team", hint=f"Set TEAM_{key}.")
            return secret

        @hookimpl
        def hookctl_secret_sources():
            return [SecretSource(scheme="team", summary="A variable of the team.", resolve=resolve, blocking=False)]
    """
    raise NotImplementedError


@hookspec
def hookctl_event_types() -> Iterable[EventType]:
    """Kinds of events, for the ``event`` field: the JSON Schema of the whole event, and a complete mock event.

    Example::

        from hookctl.plugin import EventType, hookimpl

        SCHEMA = {
            "type": "object",
            "required": ["id", "event_type", "event_time", "data"],
            "properties": {
                "id": {"type": "string", "description": "A unique id."},
                "event_type": {"const": "door.opened", "description": "The name of the type."},
                "event_time": {"type": "number", "description": "When it happened, in epoch seconds."},
                "data": {
                    "type": "object",
                    "required": ["door"],
                    "properties": {"door": {"type": "string", "description": "Which door."}},
                    "description": "What happened.",
                },
            },
        }
        MOCK = {"id": "e-1", "event_type": "door.opened", "event_time": 1760000000.0, "data": {"door": "north"}}

        @hookimpl
        def hookctl_event_types():
            return [EventType(name="door.opened", summary="A door was opened.", schema=SCHEMA, mock=MOCK)]
    """
    raise NotImplementedError


@hookspec
def hookctl_filter_types() -> Iterable[FilterType]:
    """Filters for templates: pure functions of JSON values.

    Example::

        from hookctl.plugin import FilterType, hookimpl

        def initials(value):
            return "".join(word[0] for word in value.split())

        @hookimpl
        def hookctl_filter_types():
            string = frozenset({"string"})
            return [
                FilterType(name="initials", summary="First letters.", call=initials, takes=string, gives=string)
            ]
    """
    raise NotImplementedError


@hookspec
def hookctl_policies() -> Iterable[Policy]:
    """Rules that a plan must follow before it is applied. Each is off until ``hookctl.toml`` sets it.

    Example::

        from hookctl.plugin import Finding, Policy, hookimpl

        def build(settings):
            def check(plan):
                return [
                    Finding(message="it has no owner", hint="Add the label owner.", webhook=one.name)
                    for one in plan.after
                    if "owner" not in one.labels
                ]

            return check

        @hookimpl
        def hookctl_policies():
            schema = {"type": "object", "additionalProperties": False}
            return [Policy(name="has_owner", summary="Each webhook has an owner.", schema=schema, build=build)]
    """
    raise NotImplementedError


@hookspec
def hookctl_observers() -> Iterable[Observer]:
    """Functions that hookctl calls for each attempt, and at the end of each delivery, after it was recorded.

    An observer with settings is off until hookctl.toml has its table.

    Example::

        import logging

        from hookctl.plugin import Observer, hookimpl

        def ended(delivery):
            logging.getLogger(__name__).info("%s is %s", delivery.event_id, delivery.status.value)

        @hookimpl
        def hookctl_observers():
            return [Observer(name="log", ended=ended)]
    """
    raise NotImplementedError


@hookspec
def hookctl_format_types() -> Iterable[ReportFormat]:
    r"""Formats of reports, for ``--format`` of `validate`, `plan`, `apply` and `test`.

    Example::

        from hookctl.plugin import ReportFormat, hookimpl

        def findings(report):
            return [f"{finding.path}: {finding.message}\n" for finding in report.findings]

        @hookimpl
        def hookctl_format_types():
            return [ReportFormat(name="lines", summary="One line for each finding.", findings=findings)]
    """
    raise NotImplementedError


@hookspec
def hookctl_store_types() -> Iterable[StoreType]:
    """Places for applied state, events and deliveries, for ``--store``: an implementation for a URL's scheme.

    ``open`` returns an object that implements ``hookctl.store.interface.Store``. The built-in ``sqlite`` is described
    in the same way.

    Example::

        from hookctl.plugin import EngineCheck, StoreType, hookimpl

        def open_store(url, *, create):
            from hookctl.store.opening import open_store

            return open_store(url.replace("spare:", "sqlite:", 1), create=create)

        def check_engine():
            return EngineCheck("spare", "SQLite")

        @hookimpl
        def hookctl_store_types():
            return [
                StoreType(scheme="spare", summary="A spare file.", open=open_store, check_engine=check_engine)
            ]
    """
    raise NotImplementedError


@hookspec
def hookctl_commands() -> Iterable[click.Command]:
    """Commands for the ``hookctl`` command line, as ``click.Command`` objects.

    Example::

        import click

        from hookctl.plugin import hookimpl

        @click.command("where")
        @click.pass_obj
        def where(session):
            \"\"\"Show where the webhook files are.\"\"\"
            click.echo(session.directory)

        @hookimpl
        def hookctl_commands():
            return [where]
    """
    raise NotImplementedError
