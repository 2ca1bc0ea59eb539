"""Outlines of delivery plans, kept for a plan of thousands of new webhooks."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path

from hookctl.config.cache.rows import Rows
from hookctl.model.delivery_plan import Status
from hookctl.model.outline import Outline, Traits


class Outlines:
    """The outlines of one directory's webhooks, found by the digest of the delivery plan. The file is read when the first is asked for."""

    def __init__(self, path: Path, key: str) -> None:
        """``key`` is the fingerprint of all that outlines depend on besides the delivery plan."""
        self._path = path
        self._key = key
        self._traits: dict[str, Traits] = {}
        self._texts: dict[Traits, str] = {}

    @cached_property
    def _rows(self) -> Rows:
        return Rows(self._path, self._key)

    def get(self, digest: str) -> Outline | None:
        """The outline of the delivery plan with that digest; None where there is none."""
        row = self._rows.get(digest)
        if row is None:
            return None
        _, text, url = row.split("\t")
        traits = self._traits.get(text)
        if traits is None:
            traits = self._traits[text] = _read(text)
        return Outline(url, traits)

    def add(self, digest: str, outline: Outline) -> None:
        """Keep an outline. One whose URL cannot stand in a row, which takes a plugin's transport, is worked out each time."""
        if not outline.url.isprintable():
            return
        text = self._texts.get(outline.traits)
        if text is None:
            text = self._texts[outline.traits] = _text(outline.traits)
        self._rows.add(f"{digest}\t{text}\t{outline.url}")

    def save(self) -> None:
        """Write the outlines that were asked for or added, if there are any; see :meth:`Rows.save`."""
        if "_rows" in self.__dict__:
            self._rows.save()


def _text(traits: Traits) -> str:
    """JSON, in which neither tabs nor line breaks stand."""
    return json.dumps([*traits[:-1], sorted(traits.fields)])


def _read(text: str) -> Traits:
    event, status, method, schedule, timeout, rate, hosts, fields = json.loads(text)
    return Traits(event, Status(status), method, tuple(schedule), timeout, rate, tuple(hosts), frozenset(fields))
