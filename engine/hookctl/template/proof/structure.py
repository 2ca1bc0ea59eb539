"""Proves that a template's text is JSON on every path through its branches and loops, whatever the event contains.

The proof runs a JSON parser over the tokens with a *set* of possible states instead of one. An output counts as one
value, which is what the renderer writes. At a branch, the proof follows every body. At a loop, it follows no iteration,
a single one, and a first one, any number in the middle (until no new state appears) and a last one. So the set covers
every event. A state in which a token is not valid means that this path fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import ClassVar

from hookctl.bounded import Budget
from hookctl.errors import TemplateError
from hookctl.model.problem import Problem
from hookctl.model.rules.rule import Rule
from hookctl.model.rules.texts import TEMPLATE_NOT_JSON, TEMPLATE_TOO_LARGE
from hookctl.template.language.expressions import Expression
from hookctl.template.proof.conditions import ROUNDS, Facts, Sight, assume, forget
from hookctl.template.proof.json_tokens import Fork, JsonToken, Loop, Mark, Slot, String

MAX_NESTING = 100
"""The maximum nesting of objects and lists in the template's own text."""
MAX_STEPS = 1_000_000
"""The maximum number of steps of one template's proof: a state times a token. All of them take about a second."""
_MAX_STATES = 200
"""The maximum number of states; beyond it, facts are dropped, which merges states but still covers every event."""
MAX_WAY = 50
"""The number of conditions that are recorded for one path through the template, for its failure."""

_CLOSED = ""
"""A step that closes an object or list and returns to the enclosing one."""
_VALUE = {"start": "end", "[": "[v", "[,": "[v", "{:": "{v"}
_AFTER = {
    "value": _VALUE,
    "{": _VALUE,
    "[": _VALUE,
    "string": {**_VALUE, "{": "{k", "{,": "{k"},
    "]": {"[": _CLOSED, "[v": _CLOSED},
    "}": {"{": _CLOSED, "{v": _CLOSED},
    ":": {"{k": "{:"},
    ",": {"[v": "[,", "{v": "{,"},
}
"""For each token, what an object or list has read before it and after it. A combination that is not listed is an
error.
"""
_WANTED = {
    "start": "a value",
    "end": "the end",
    "[": "a value or ]",
    "[v": "a comma or ]",
    "[,": "a value",
    "{": "a key in quotes or }",
    "{k": "a colon",
    "{:": "a value",
    "{v": "a comma or }",
    "{,": "a key in quotes",
}
_NAMES = {",": "a comma", ":": "a colon"}
"""How a message calls punctuation that is hard to see in it."""

Stack = tuple[str, ...]
"""A state of the parser: for each open object and list, outermost first, what it has read last."""
Way = tuple[str, ...]
"""The path to a state: the conditions at the tags, as text."""
States = dict[tuple[Stack, Facts], Way]


class ProofBudget(Budget):
    """The remaining steps of a template's proof, including the proofs of JSON text in its strings."""

    __slots__ = ("_end",)

    def __init__(self, text: str) -> None:
        super().__init__(MAX_STEPS)
        self._end = len(text)

    def exceeded(self) -> TemplateError:
        """The error for a template with too many ways through it."""
        message = "the template has too many combinations of conditions to check"
        hint = (
            "Close each object, list and element in the branch that opens it, and use fewer conditions, "
            "especially in loops."
        )
        return TEMPLATE_TOO_LARGE.error(0, self._end, what=message, fix=hint)


class Prover:
    """One proof.

    After :meth:`run`, ``failures`` has at most one failure per token, and ``keys`` the strings that are keys.
    """

    rule: ClassVar[Rule] = TEMPLATE_NOT_JSON
    """The rule that a failure breaks."""

    def __init__(self, tracked: frozenset[Expression], text: str, budget: ProofBudget) -> None:
        self._tracked = tracked
        self._text = text
        self._budget = budget
        self._failed: dict[int, tuple[Problem, Way]] = {}
        self.keys: set[String] = set()
        self.survives = False
        """True if at least one path through the template gives JSON."""

    @property
    def failures(self) -> list[tuple[Problem, Way]]:
        """Each token that is not valid at its place, with a path that leads there, in the order of the text.

        Empty if the structure is proved.
        """
        return [self._failed[start] for start in sorted(self._failed)]

    def run(self, tokens: Sequence[JsonToken], length: int) -> None:
        """Prove the tokens of a whole JSON text that ends at offset ``length``.

        Raises:
            TemplateError: The template has too many paths to follow.
        """
        states = self._sequence(tokens, {(("start",), frozenset()): ()}, Sight(self._tracked))
        for (stack, _), way in states.items():
            if stack == ("end",):
                self.survives = True
            else:
                what = {"{": "an object is not closed", "[": "a list is not closed"}.get(
                    stack[-1][0], "there is no value"
                )
                self._fail(
                    f"the body ends, expected {_WANTED[stack[-1]]}: {what}",
                    "Complete it.",
                    max(length - 1, 0),
                    length,
                    way,
                )

    def _sequence(self, tokens: Iterable[JsonToken], states: States, sight: Sight) -> States:
        straight: list[Mark | String | Slot] = []
        for token in tokens:
            if not isinstance(token, (Fork, Loop)):
                straight.append(token)
                continue
            states = self._straight(straight, states)
            straight.clear()
            if not states:
                return states
            states = self._fork(token, states, sight) if isinstance(token, Fork) else self._loop(token, states, sight)
            if len(states) > _MAX_STATES:
                states = _forget_all(states)
        return self._straight(straight, states)

    def _straight(self, tokens: Sequence[Mark | String | Slot], states: States) -> States:
        """The states after tokens without branches."""
        after: States = {}
        self._budget.spend(len(states) * (1 + len(tokens) // 8))
        for (stack, facts), way in states.items():
            following = self._advance(tokens, list(stack), way)
            if following is not None:
                _put(after, (following, facts), way)
        return after

    def _advance(self, tokens: Sequence[Mark | String | Slot], stack: list[str], way: Way) -> Stack | None:
        top = stack.pop()
        for token in tokens:
            kind = token.kind if isinstance(token, Mark) else "string" if isinstance(token, String) else "value"
            following = _AFTER[kind].get(top)
            if following is None:
                self._fail(*_refusal(token, kind, top, self._text), *span_of(token), way)
                return None
            if following == "{k" and isinstance(token, String):
                self.keys.add(token)
            if kind in "{[":
                stack.append(following)
                top = kind
                if len(stack) > MAX_NESTING:
                    self._fail(
                        f"objects and lists are nested deeper than {MAX_NESTING}",
                        "Flatten the body.",
                        *span_of(token),
                        way,
                    )
                    return None
            else:
                top = following or stack.pop()
        return (*stack, top)

    def _fork(self, token: Fork, states: States, sight: Sight) -> States:
        after: States = {}
        for branch, body in zip(token.node.branches, token.bodies, strict=True):
            if branch.condition is None:
                taken, states = states, {}
            else:
                words = self._text[branch.condition.start : branch.condition.end]
                taken = self._assume(states, branch.condition, True, f"{words} is true", sight)
                states = self._assume(states, branch.condition, False, f"{words} is false", sight)
            _merge(after, self._sequence(body, taken, sight))
        _merge(after, states)
        return after

    def _loop(self, token: Loop, states: States, outer: Sight) -> States:
        """The states after a loop: after its ``else``, a single iteration, or a first, any middle ones and a last."""
        node = token.node
        words = self._text[node.iterable.start : node.iterable.end]
        if node.condition is None:
            empty = self._assume(states, node.iterable, False, f"{words} has no item", outer)
        else:  # the list may have items, and the condition leave none
            empty = {state: (*way, f"no item of {words} is left")[:MAX_WAY] for state, way in states.items()}
        filled = _forget(self._assume(states, node.iterable, True, f"{words} has an item", outer), node.targets)
        after = self._sequence(token.otherwise, empty, outer)
        _merge(after, self._round(token, "only", filled))
        _merge(after, self._round(token, "last", self._middle_rounds(token, self._round(token, "first", filled))))
        return after

    def _middle_rounds(self, token: Loop, states: States) -> States:
        """The states after any number of middle iterations, including none.

        Ends when an iteration adds no new state.
        """
        reached, fresh = states, states
        while fresh:
            after = self._round(token, "middle", fresh)
            fresh = {state: way for state, way in after.items() if state not in reached}
            reached = {**reached, **fresh}
        return reached

    def _round(self, token: Loop, name: str, states: States) -> States:
        """The states after one iteration of a loop, of a kind in ``ROUNDS``.

        Facts about the loop's names end with it.
        """
        decided = {"only": ("and no other",), "first": ("and another",)}.get(name, ())
        entered = {state: (*way, *decided)[:MAX_WAY] for state, way in states.items()}
        left = _forget(self._sequence(token.body, entered, Sight(self._tracked, ROUNDS[name])), token.node.targets)
        return self._balanced(left, {len(stack) for stack, _ in states}, token)

    def _balanced(self, states: States, depths: set[int], token: Loop) -> States:
        """The states after one iteration that have the nesting of a state before it.

        Otherwise iterations would never end.
        """
        balanced = {(stack, facts): way for (stack, facts), way in states.items() if len(stack) in depths}
        if len(balanced) < len(states):
            way = next(way for state, way in states.items() if state not in balanced)
            self._fail(
                "an iteration of the loop does not close what it opens",
                "Close in the loop what is opened in it, and nothing else.",
                token.node.start,
                token.node.end,
                way,
            )
        return balanced

    def _assume(self, states: States, condition: Expression, wanted: bool, words: str, sight: Sight) -> States:
        after: States = {}
        for (stack, facts), way in states.items():
            following = (*way, words) if len(way) < MAX_WAY else way
            found = assume(condition, wanted, facts, sight)
            self._budget.spend(1 + (len(stack) + len(way) + len(facts) * (1 + len(found))) // 8)
            for learnt in found:
                _put(after, (stack, learnt), following)
        return after

    def _fail(self, message: str, hint: str, start: int, end: int, way: Way) -> None:
        known = self._failed.get(start)
        if known is None or len(way) < len(known[1]):
            self._failed[start] = self.rule.problem(start, end, what=message, fix=hint), way


def span_of(token: Mark | String | Slot) -> tuple[int, int]:
    """Where a token stands in the template."""
    return (token.output.start, token.output.end) if isinstance(token, Slot) else (token.start, token.end)


def _put(states: States, state: tuple[Stack, Facts], way: Way) -> None:
    """Add a state.

    For two paths to the same state, only their common beginning is kept: the rest made no difference.
    """
    known = states.get(state, way)
    states[state] = (
        known
        if known == way
        else tuple(takewhile(bool, (one if one == other else "" for one, other in zip(known, way, strict=False))))
    )


def _merge(into: States, states: States) -> None:
    for state, way in states.items():
        _put(into, state, way)


def _forget_all(states: States) -> States:
    after: States = {}
    for (stack, _), way in states.items():
        _put(after, (stack, frozenset()), way)
    return after


def _forget(states: States, names: tuple[str, ...]) -> States:
    after: States = {}
    for (stack, facts), way in states.items():
        _put(after, (stack, forget(facts, names)), way)
    return after


def _refusal(token: Mark | String | Slot, kind: str, top: str, text: str) -> tuple[str, str]:
    """The message and hint for a token that is not valid after ``top``."""
    what = (
        _NAMES.get(token.text, token.text)
        if isinstance(token, Mark)
        else text[token.output.start : token.output.end]
        if isinstance(token, Slot)
        else "a string"
    )
    message = f"found {what}, expected {_WANTED[top]}"
    if top in {"[,", "{,"} and kind in "]}":
        return f"a comma before {kind}", "Remove the comma; in a loop write {% if not loop.last %},{% endif %}."
    if kind == "," and top != "end":
        return message, "Remove the comma; between branches, write it only where something comes before it."
    if top in {"{", "{,"}:
        return message, 'Put the key in double quotes: "key": value.'
    if top in {"[v", "{v"} and kind in {"value", "string", "[", "{"}:
        return message, "Put a comma before it; in a loop write {% if not loop.last %},{% endif %} at the end."
    if top == "end":
        hint = (
            "A body is one JSON value: remove what follows it. For lines of JSON, write a list and body_format: ndjson."
        )
        return message, hint
    return message, f"Write {_WANTED[top]} before it."
