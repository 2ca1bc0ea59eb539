"""The problems of a text that several event types fill in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hookctl.model import Problem
from hookctl.model.rules.texts import TEMPLATE_NEVER_TRUE


def of_all(event_types: Sequence[str], found: Sequence[Sequence[Problem]]) -> list[Problem]:
    """The problems that a text has for its event types, in the order of the text.

    ``found`` has those of each type. What is the same for every type stands once; anything else names its type. That a
    comparison is never true counts only if it is so for every type, because such comparisons tell types apart.
    """
    everywhere = {problem for problem in found[0] if all(problem in others for others in found[1:])}
    problems = [*everywhere]
    never: dict[tuple[int, int], list[Problem]] = {}
    for event_type, of_one in zip(event_types, found, strict=True):
        for problem in of_one:
            if problem in everywhere:
                continue
            if problem.rule == TEMPLATE_NEVER_TRUE.id:
                never.setdefault((problem.start, problem.end), []).append(_named(problem, event_type))
            else:
                problems.append(_named(problem, event_type))
    problems += [problem for same in never.values() if len(same) == len(event_types) for problem in same]
    return sorted(problems, key=lambda problem: (problem.start, problem.end, problem.message))


def _named(problem: Problem, event_type: str) -> Problem:
    return replace(problem, message=f"for events of the type {event_type}: {problem.message}")
