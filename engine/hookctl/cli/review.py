"""The options of reviews, from the command line and the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookctl.cli.repository import cache_folder
from hookctl.cli.safety import removal_limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookctl.cli.session import Session
    from hookctl.config.effects import Recent
    from hookctl.config.review import Options
    from hookctl.model import Json


def review_options(
    session: Session,
    *,
    only: tuple[str, ...] = (),
    against: str | None = None,
    samples: tuple[Mapping[str, Json], ...] = (),
    recent: Recent | None = None,
) -> Options:
    """What a review is about: the options of the command, and the settings of this machine."""
    from hookctl.config.review import Options

    return Options(
        only=only,
        against=against,
        samples=samples,
        recent=recent,
        policies=session.settings.get("policies", {}),
        removal_limit=removal_limit(session),
        cache=cache_folder(),
        variables=session.variables,
        environment=session.environment.name,
        progress=lambda words: session.progress.update(lambda: words),
    )
