"""How one version of the state key is handed out: who asks, what is answered, who has it.

    STATE_ASK     a seat that has none posts a one-time key
    STATE_ANSWER  members answer it with ElGamal pairs, which everyone checks here
    STATE_HELD    the seat has the secret sealed; its ask is over

An ask ends with its start, its epoch and its generation too, so all its answers are of one
epoch's shares, and no one-time key serves a second time.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from keymoot.base.fixed import Bytes32
from keymoot.base.units import Height
from keymoot.committee.errors import NotSeated, Unwanted
from keymoot.committee.membership.ledger import MembershipLedger
from keymoot.committee.pages import PageName, StateKeyPages
from keymoot.committee.reshare.record import Epoch
from keymoot.committee.roots import DERIVE
from keymoot.committee.state import CommitteeState
from keymoot.committee.statekey.record import (
    AnswerBody,
    Ask,
    AskBody,
    StateKeyStatus,
    ask_digest,
    state_input,
)
from keymoot.crypto import ed25519
from keymoot.threshold import derived
from keymoot.threshold.root import Root


class StateKeyDistribution:
    """One version of a committee's state key: the present one, or the one that is to come."""

    def __init__(self, state: CommitteeState, named: StateKeyPages) -> None:
        self._state, self._named = state, named

    @property
    def status(self) -> StateKeyStatus:
        return self._named.status.read(self._state.pages) or StateKeyStatus()

    @property
    def name(self) -> Bytes32:
        return self.status.name

    @property
    def root(self) -> Root:
        return self._state.root(DERIVE)

    @property
    def input(self) -> bytes:
        status = self.status
        return state_input(self._state.network, status.version, status.name)

    @property
    def need(self) -> int:
        return self.root.degree + 1

    def ask(self, seat: int) -> Ask | None:
        return self._named.ask.of(seat).read(self._state.pages)

    def asks(self) -> dict[int, Ask]:
        asking = {seat: self.ask(seat) for seat in takers(self._state)}
        return {seat: ask for seat, ask in asking.items() if ask is not None}

    def names(self) -> Iterator[PageName[Any]]:
        yield self._named.status
        if self._state.founded:
            yield from map(self._named.ask.of, takers(self._state))

    def handle_ask(self, seat: int, said: AskBody, epoch: Epoch | None) -> None:
        """Raise NotSeated where the seat's identity did not sign it, Unwanted for a second time."""
        state, status, to = self._state, self.status, said.to
        # 1. It is of the living epoch, and the first of this start in it: said again, an old
        #    ask would open answers to a key whose secret is gone.
        if epoch is None or said.when != (epoch.number, epoch.attempt):
            raise Unwanted("the ask is of another epoch, or of another attempt to end it")
        if seat in status.asked:
            raise Unwanted("this start has asked in this epoch already")
        # 2. The enclave itself asks, not only whoever got a session key seated.
        known = MembershipLedger(state).known(seat)
        if known is None or known.session is None:
            raise NotSeated(f"seat {seat} has not said with which keys it started")
        generation = state.record.generation
        place = seat, known.session.signing
        digest = ask_digest(state.network, generation, place, said.when, status.name, to)
        if not ed25519.verify(known.identity, digest, said.signature):
            raise NotSeated(f"the ask is not signed by the identity of seat {seat}")
        # 3. The one-time key hides the answers.
        to.check()
        asks = status.asks + 1
        self._named.ask.of(seat).write(state.pages, Ask(asks, to.first, to.second))
        # Whoever asks has it no more, whatever was said before.
        self.put(
            replace(
                status,
                holders=status.holders - {seat},
                asks=asks,
                asked=status.asked | {seat},
                told=status.told | {seat},
            )
        )

    def handle_answer(self, seat: int, said: AnswerBody, height: Height) -> None:
        ask = self.ask(said.asker) if said.asker in takers(self._state) else None
        if ask is None or said.number != ask.number:
            raise Unwanted("the ask is over")
        if not ask.awaits(seat, self.need):
            raise Unwanted("the ask has its answers, or one of this seat")
        if derived.check(self.root, self.input, ask.to, seat, said.answer):
            ask = replace(ask, answers={**ask.answers, seat: said.answer})
        else:
            # Its number names an ask of this epoch, so no honest seat can be late and wrong.
            self._state.caught(seat, height, "gave a bad part of the state key", out=False)
            ask = replace(ask, bad=ask.bad | {seat})
        self._named.ask.of(said.asker).write(self._state.pages, ask)

    def handle_held(self, seat: int) -> None:
        status = self.status
        if seat in status.holders:
            raise Unwanted("the seat has said so")
        self._close(seat)
        self.put(replace(status, holders=status.holders | {seat}))

    def started_anew(self, seat: int) -> None:
        """End the ask of a start that is over: its one-time secret is gone."""
        status = self.status
        if seat in status.asked:
            self._close(seat)
            self.put(replace(status, asked=status.asked - {seat}))

    def leave(self) -> None:
        """Forget who neither sits nor is about to: its number may be another's tomorrow."""
        status, staying = self.status, frozenset(takers(self._state))
        for seat in sorted(status.asked - staying):
            self._close(seat)
        self.put(
            replace(
                status,
                asked=status.asked & staying,
                holders=status.holders & staying,
                told=status.told & staying,
            )
        )

    def close(self) -> None:
        """End all asks: answers of another epoch's shares do not fit."""
        status = self.status
        for seat in sorted(status.asked):
            self._close(seat)
        self.put(replace(status, asked=frozenset()))

    def put(self, status: StateKeyStatus) -> None:
        if status != self.status:
            self._named.status.write(self._state.pages, status)

    def _close(self, seat: int) -> None:
        self._named.ask.of(seat).remove(self._state.pages)


def takers(state: CommitteeState) -> tuple[int, ...]:
    """Give whose the secret may be: members, and those who are about to be."""
    joining = MembershipLedger(state).page.joining
    return tuple(sorted({*state.committee.indices, *joining}))
