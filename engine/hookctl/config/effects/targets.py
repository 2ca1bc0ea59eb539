"""The targets of requests, and the event fields that are sent to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from hookctl.config.effects.personal import personal_among
from hookctl.errors import HookctlError
from hookctl.model import DeliveryPlan, Json, Plan, Status
from hookctl.plugin.interfaces import AuthType, EventType
from hookctl.template import EventFields, paths_of

EXPRESSION = "{{"
NO_FIELDS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Leaving:
    """Fields of an event type that a host will newly receive."""

    host: str
    event: str
    fields: tuple[str, ...]
    personal: tuple[str, ...] = ()
    """Those of ``fields`` that the schema marks as personal data."""


def host_of(url: str) -> str:
    """The host of a URL in lower case, without user and port."""
    authority = _rest(url).partition("/")[0].partition("?")[0].partition("#")[0].rpartition("@")[2].lower()
    return authority.partition("]")[0] + "]" if authority.startswith("[") else authority.partition(":")[0]


def target_of(url: str) -> str:
    """Host and path: requests with the same host and path go to the same receiver."""
    path = _rest(url).partition("?")[0].partition("#")[0].partition("/")[2]
    return f"{host_of(url)}/{path}"


class Targets:
    """The hosts that webhooks contact before a plan, and the fields that they receive."""

    def __init__(self, plan: Plan, event_types: Mapping[str, EventType], auth_types: Mapping[str, AuthType]) -> None:
        self._plan = plan
        self._before = {change.name: change.before for change in plan.changes if change.before}
        self._event_types = event_types
        self._auth_types = auth_types
        self._fields: dict[str, EventFields] = {}
        self._told: dict[tuple[str, str], frozenset[str]] = {}
        self._url_settings: dict[str, tuple[str, ...]] = {}
        self._sorted: dict[frozenset[str], tuple[str, ...]] = {}
        self._personal_fields: dict[tuple[str, frozenset[str]], tuple[str, ...]] = {}

    def new_hosts(self, plan: DeliveryPlan | None) -> tuple[str, ...]:
        """The hosts that only this active webhook contacts, including token endpoints."""
        if plan is None or plan.status is Status.INACTIVE:
            return ()
        hosts = dict.fromkeys(self._hosts(plan))
        if hosts.keys() <= {host for before in self._own(plan) for host in self._hosts(before)}:
            return ()
        return self._unknown(hosts)

    def leaving(self, plan: DeliveryPlan | None) -> tuple[Leaving, ...]:
        """The fields that newly leave with an active webhook's requests, for each event type that has any."""
        if plan is None or plan.status is Status.INACTIVE:
            return ()
        host = host_of(plan.url)
        found = [self._newly(host, event, self._more_paths(plan, host, event)) for event in plan.events]
        return tuple(one for one in found if one)

    def _more_paths(self, plan: DeliveryPlan, host: str, event: str) -> frozenset[str]:
        """The fields of an event type that the webhook sends, without those that it sends to the host already."""
        fields = self._paths(plan, event)
        for before in self._own(plan):
            if host_of(before.url) == host and event in before.events:
                fields -= self._paths(before, event)
        return fields

    def _newly(self, host: str, event: str, fields: frozenset[str]) -> Leaving | None:
        fields = fields and fields - self._told_before(host, event)
        if fields not in self._sorted:
            self._sorted[fields] = tuple(sorted(fields))
        return Leaving(host, event, self._sorted[fields], self._personal(event, fields)) if fields else None

    def _personal(self, event: str, fields: frozenset[str]) -> tuple[str, ...]:
        key = (event, fields)
        if key not in self._personal_fields:
            event_type = self._event_types.get(event)
            self._personal_fields[key] = personal_among(event_type.schema if event_type else {}, self._sorted[fields])
        return self._personal_fields[key]

    def _unknown(self, hosts: Iterable[str]) -> tuple[str, ...]:
        return tuple(host for host in hosts if host and host not in self._known)

    def _own(self, plan: DeliveryPlan) -> list[DeliveryPlan]:
        """The active webhook that has this name now.

        It usually answers the question without reading thousands of others.
        """
        before = self._before.get(plan.name)
        return [before] if before and before.status is Status.ACTIVE else []

    @cached_property
    def _active(self) -> Sequence[DeliveryPlan]:
        before = chain(self._before.values(), self._plan.unchanged.values())
        return [plan for plan in before if plan.status is Status.ACTIVE]

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(host for plan in self._active for host in self._hosts(plan))

    @cached_property
    def _senders(self) -> Mapping[tuple[str, str], list[DeliveryPlan]]:
        found: dict[tuple[str, str], list[DeliveryPlan]] = {}
        for plan in self._active:
            for event in plan.events:
                found.setdefault((host_of(plan.url), event), []).append(plan)
        return found

    def _told_before(self, host: str, event: str) -> frozenset[str]:
        key = (host, event)
        if key not in self._senders:
            return NO_FIELDS
        if key not in self._told:
            self._told[key] = NO_FIELDS.union(*(self._paths(plan, event) for plan in self._senders[key]))
        return self._told[key]

    def _paths(self, plan: DeliveryPlan, event: str) -> frozenset[str]:
        found = NO_FIELDS
        for text in (plan.body_template or "", plan.url, *plan.headers.values(), *(plan.form or {}).values()):
            if EXPRESSION in text:
                try:
                    fields = self._read(text, plan, event)
                    found = found | fields if found else fields
                except (
                    HookctlError
                ):  # an older hookctl accepted this template, and this one does not: nothing can be sent with it
                    continue
        return found

    def _read(self, text: str, plan: DeliveryPlan, event: str) -> frozenset[str]:
        """The fields of an event type that a text reads. A text for several types may read fields of others."""
        known = self._fields_of(event)
        fields = paths_of(text, known)
        return fields if len(plan.events) == 1 else frozenset(field for field in fields if known.has(field))

    def _fields_of(self, event: str) -> EventFields:
        if event not in self._fields:
            event_type = self._event_types.get(event)
            self._fields[event] = EventFields(event_type.schema if event_type else {})
        return self._fields[event]

    def _hosts(self, plan: DeliveryPlan) -> Iterator[str]:
        yield host_of(plan.url)
        for block in plan.auth:
            if block.type not in self._url_settings:
                auth = self._auth_types.get(block.type)
                self._url_settings[block.type] = tuple(_url_settings(auth.schema if auth else {}))
            for name in self._url_settings[block.type]:
                url = block.settings.get(name)
                if isinstance(url, str):
                    yield host_of(url)


def _rest(url: str) -> str:
    _, separator, rest = url.partition("://")
    return rest if separator else url


def _url_settings(schema: Mapping[str, Json]) -> Iterator[str]:
    """The names of an auth plugin's settings that are URLs which the plugin calls."""
    properties = schema.get("properties")
    if isinstance(properties, dict):
        yield from (name for name, part in properties.items() if isinstance(part, dict) and part.get("x-url") is True)
