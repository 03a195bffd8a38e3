"""The reading of what hands ports on, or filters, or does one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from wizard.configs.filtering import Action, Chain
from wizard.configs.forwarding import Passage, PortForward, allowed, forwards, handed
from wizard.configs.reading import Allowed, Answer, Note, Piece, Question, Server
from wizard.model.hop import HopKind
from wizard.observation import Coverage


@dataclass(frozen=True, slots=True)
class GatewayReading:
    """One file. `chains` filter by address family what goes through, `own` what is for the device itself, and `after`
    what was handed on, where that fares otherwise. A family without a chain is not in the file. `first` stands before
    all of it.
    """

    product: str
    file: str
    kind: HopKind
    label: str
    forwards: tuple[PortForward, ...] = ()
    chains: Mapping[int, Chain] = field(default_factory=dict)
    own: Mapping[int, Chain] = field(default_factory=dict)
    after: Mapping[int, Chain] = field(default_factory=dict)
    first: Mapping[int, Chain] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    every: bool = True
    servers: tuple[Server, ...] = ()
    announced: tuple[str, ...] = ()

    @property
    def allowed(self) -> tuple[Allowed, ...]:
        """What its rules let in from anywhere, rule by rule."""
        chains = () if self.kind.translates else tuple(dict.fromkeys(self.chains.values()))
        return (*allowed(self.forwards), *(rule for chain in chains for rule in chain.allowed))

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The one hop that it describes."""
        return (Piece(self.kind, self.label, forwards=tuple(forwards(self.forwards))),)

    def answer(self, question: Question) -> Answer:
        """What becomes of one port: first where it is handed on to, then whether it is let through."""
        if question.family in self.first:
            early = self.first[question.family].answer(question)
            if early.coverage is not Coverage.COVERED:
                return early
        found = handed(self.forwards, question)
        if found.rule is None and (
            found.answer.coverage is not Coverage.MISSING or (question.translates and question.family == 4)
        ):
            return found.answer
        if found.rule is not None and (
            found.answer.coverage is not Coverage.COVERED or found.rule.passage is Passage.AT_ONCE
        ):
            return found.answer
        if found.rule is None and question.leaves != question.number:
            return found.answer
        chains = self.chains
        if found.rule is None and question.host is None:
            chains = self.own or chains
        elif found.rule is not None:
            chains = self.after or chains
        chain = chains.get(question.family)
        if chain is None:
            return found.answer if found.rule is None and not self.chains else Answer(Coverage.UNKNOWN)
        # Filters see the packet as it was handed on.
        inner = question
        if found.rule is not None:
            inner = replace(question, number=question.leaves, destination=question.host or found.rule.host)
        if found.rule is None and question.translates:
            inner = replace(inner, destination=question.host)
        passes = found.rule is not None and found.rule.passage is Passage.UNLESS_STOPPED
        let = chain.answer(inner, Action.ADMIT if passes else None)
        if let.coverage is Coverage.COVERED and found.rule is not None:
            lines = tuple(dict.fromkeys((*found.answer.lines, *let.lines)))
            return Answer(Coverage.COVERED, lines, found.answer.rule if len(lines) == 1 else "")
        return let
