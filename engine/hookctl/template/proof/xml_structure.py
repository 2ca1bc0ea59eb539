"""Proves that a template's text is one well-formed XML element on every way through its branches and loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from hookctl.model.rules.rule import Rule
from hookctl.model.rules.texts import TEMPLATE_NOT_XML
from hookctl.template.language.expressions import Expression
from hookctl.template.proof.conditions import Sight
from hookctl.template.proof.json_tokens import JsonToken, Mark, Slot, String
from hookctl.template.proof.structure import MAX_NESTING, ProofBudget, Prover, Stack, Way, span_of
from hookctl.template.proof.xml_tags import Element

_BEFORE, _AFTER = "before", "after"
"""The first part of a state: whether the outermost element has begun. The others are the open elements, each with the
namespaces that it declares: ``soap:Envelope soap=http://...``."""


class XmlProver(Prover):
    """One proof, of tokens that :class:`hookctl.template.proof.xml_tokens.XmlReader` has read."""

    rule: ClassVar[Rule] = TEMPLATE_NOT_XML

    def __init__(
        self, tracked: frozenset[Expression], text: str, budget: ProofBudget, elements: Mapping[int, Element]
    ) -> None:
        super().__init__(tracked, text, budget)
        self._elements = elements
        self._namespaces: dict[tuple[str, ...], dict[str, str]] = {}

    def run(self, tokens: Sequence[JsonToken], length: int) -> None:
        """Prove the tokens of a whole document that ends at offset ``length``. Raises TemplateError as for JSON."""
        states = self._sequence(tokens, {((_BEFORE,), frozenset()): ()}, Sight(self._tracked))
        for (stack, _), way in states.items():
            if stack == (_AFTER,):
                self.survives = True
                continue
            what = "there is no element" if stack == (_BEFORE,) else f"the element {_name(stack[-1])} is not closed"
            hint = "Write one element around everything." if stack == (_BEFORE,) else f"Add </{_name(stack[-1])}>."
            self._fail(what, hint, max(length - 1, 0), length, way)

    def _advance(self, tokens: Sequence[Mark | String | Slot], stack: list[str], way: Way) -> Stack | None:
        for token in tokens:
            refusal = self._step(token, stack)
            if refusal is not None:
                self._fail(*refusal, *span_of(token), way)
                return None
        return tuple(stack)

    def _step(self, token: Mark | String | Slot, stack: list[str]) -> tuple[str, str] | None:
        """Take one token into the state. Returns the message and hint for one that is not allowed here."""
        if not isinstance(token, Mark) or token.kind == "text":
            what = "text" if isinstance(token, Mark) else "an expression"
            hint = "Put it into the outermost element."
            return (f"{what} is outside the outermost element", hint) if len(stack) == 1 else None
        if token.kind == "close":
            return _close(token.text, stack)
        if stack == [_AFTER]:
            return f"a second element <{token.text}> follows the outermost one", "Put one element around both."
        element = self._elements[token.start]
        entry = " ".join((element.name, *(f"{prefix}={uri}" for prefix, uri in element.declared)))
        stack[0] = _AFTER
        if token.kind == "open" and len(stack) > MAX_NESTING:
            return f"elements are nested deeper than {MAX_NESTING}", "Flatten the body."
        refusal = self._prefixes(element, stack)
        if token.kind == "open":
            stack.append(entry)
        return refusal

    def _prefixes(self, element: Element, stack: Sequence[str]) -> tuple[str, str] | None:
        """What is wrong with the prefixes of an element and its attributes, if anything."""
        used = [name for name in (element.name, *element.attributes) if ":" in name]
        if not used:
            return None
        known = self._known(tuple(stack[1:]))
        if element.declared:
            known = {**known, **dict(element.declared)}
        for name in used:
            prefix = name.partition(":")[0]
            if prefix not in known:
                hint = f'Add xmlns:{prefix}="..." to this element or one around it.'
                return f"the prefix {prefix} is not declared", hint
        parts = (name.partition(":") for name in element.attributes if ":" in name)
        names = [(known[prefix], local) for prefix, _, local in parts]
        if len(set(names)) < len(names):
            return "an attribute occurs twice, with two prefixes of one namespace", "Write it once."
        return None

    def _known(self, entries: tuple[str, ...]) -> dict[str, str]:
        """The namespaces of open elements, by prefix. Cached, because the elements inside share them."""
        known = self._namespaces.get(entries)
        if known is None:
            known = {"xml": "xml"}
            for entry in entries:
                known.update(tuple(part.partition("=")[::2]) for part in entry.split(" ")[1:])  # type: ignore[misc] # a pair
            self._namespaces[entries] = known
        return known


def _close(name: str, stack: list[str]) -> tuple[str, str] | None:
    if len(stack) == 1:
        return f"</{name}> closes an element that was not opened", "Remove it."
    if _name(stack[-1]) != name:
        return f"found </{name}>, expected </{_name(stack[-1])}>", f"Write </{_name(stack[-1])}> before it."
    stack.pop()
    return None


def _name(entry: str) -> str:
    return entry.partition(" ")[0]
