"""Errors of the API as RFC 9457 problem details.

The ``type`` of a problem is ``urn:hookctl:problem:`` and an id in kebab-case. ``title`` is the same for every problem
of a type; ``detail`` and ``hint`` are about this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response

from hookctl.model.api_problems import PREFIX

if TYPE_CHECKING:
    from hookctl.model import Json

MEDIA_TYPE = "application/problem+json"


def problem(
    status: int,
    *,
    type: str,  # noqa: A002  # the name of the member
    title: str,
    detail: str,
    hint: str = "",
    headers: Mapping[str, str] | None = None,
    **members: Json,
) -> Response:
    """An answer with a problem.

    Args:
        status: of the answer, also a member of the problem.
        type: the id of the problem, such as ``event-invalid``.
        title: what this type of problem is.
        detail: what is wrong here.
        hint: what to do about it; empty: there is no such member.
        headers: further headers, such as ``Retry-After``.
        **members: further members of the problem.
    """
    document = {"type": PREFIX + type, "title": title, "status": status, "detail": detail}
    if hint:
        document["hint"] = hint
    return Response(msgspec.json.encode(document | members), status, headers, MEDIA_TYPE)


class ProblemError(Exception):
    """A request that is answered with a problem; the arguments are those of :func:`problem`.

    ``is_of_events``: whether it lists what is wrong with single events, in the member ``errors``.
    """

    def __init__(
        self,
        status: int,
        *,
        type: str,  # noqa: A002  # as above
        title: str,
        detail: str,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
        **members: Json,
    ) -> None:
        super().__init__(detail)
        self.type, self.is_of_events = type, "errors" in members
        self.response = problem(status, type=type, title=title, detail=detail, hint=hint, headers=headers, **members)
